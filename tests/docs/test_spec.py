"""The code blocks of the specification, run or compared word for word.

`spec/training_viz.md` is the document that the visualizers implement. Each of its
Python blocks stands in exactly one of the tables below.
"""

import gc
import inspect
import json
import re
import shutil
import typing
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest

import stepwell
from m import rich_trainer_viz, training_viz

SPEC = (Path(__file__).parents[1] / "spec" / "training_viz.md").read_text(encoding="utf-8")
STEPS = 20  # of the loops whose length the text leaves open


def python_blocks(text: str) -> dict[str, str]:
    """The Python blocks by "section / heading", without the headings' parameters."""
    blocks: dict[str, str] = {}
    headings: list[str] = []
    pattern = r"^(?P<level>#+) (?P<title>[^\n]+)$|^ *```python\n(?P<code>.*?)^ *```$"
    # A comment in a block is no heading: it lies inside a match of the second kind.
    for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        if match["title"]:
            headings[len(match["level"]) - 1 :] = [match["title"]]
        else:
            section = headings[1].split(":")[0]
            key = f"{section} / {headings[-1].split('(')[0].strip('`')}"
            assert key not in blocks, f"two blocks are called {key!r}"
            blocks[key] = dedent(match["code"])
    return blocks


BLOCKS = python_blocks(SPEC)


@dataclass(frozen=True)
class Example:
    """A block to run, and what the store must hold afterwards.

    Attributes:
        runs: For each run the number of points of each metric.
        before: Run ahead of the block: what the text takes for granted.
        after: Run after it: the call of a function that the block only defines, or the
            use of what it only makes.
        files: Files that must be there, and not be empty.
    """

    runs: list[dict[str, int]]
    before: str = ""
    after: str = ""
    files: list[str] = field(default_factory=list)


def points(count: int, *metrics: str) -> dict[str, int]:
    return dict.fromkeys(metrics, count)


LOG_ONCE = """
visualizer = RealTimeTrainingVisualizer(config)
visualizer.update_metrics(metrics)
visualizer.close()
"""

EXAMPLES = {
    "Quick Start / Basic Loss Monitoring": Example(
        runs=[points(1000, "train_loss", "val_loss", "learning_rate")],
    ),
    "Quick Start / MoE Training Visualization": Example(
        runs=[
            points(
                1,
                "train_loss",
                "val_loss",
                "aux_loss",
                "position_error",
                "expert_entropy",
                "load_balance",
                "samples_per_sec",
            )
        ],
    ),
    "Factory Functions / create_custom_visualizer": Example(
        runs=[points(1, "accuracy", "f1_score", "learning_rate")],
        after="""
visualizer.update_metrics({"accuracy": 0.9, "f1_score": 0.8, "learning_rate": 0.1})
visualizer.close()
""",
    ),
    "Advanced Usage / Custom Configuration Example": Example(
        runs=[
            points(
                STEPS,
                "train_loss",
                "val_loss",
                "train_accuracy",
                "val_accuracy",
                "learning_rate",
                "grad_norm",
                "param_norm",
                "gpu_memory",
                "cpu_memory",
                "samples_per_sec",
            )
        ],
        after="""
for step in range(max_steps):
    visualizer.update_metrics({metric.metric_name: 0.5 for metric in config.metrics})
visualizer.save_plot("dashboard.svg")
visualizer.close()
""",
        files=["dashboard.svg"],
    ),
    "Advanced Usage / Integration into Training Loop": Example(
        runs=[
            points(
                STEPS,
                "train_loss",
                "expert_entropy",
                "load_balance",
                "samples_per_sec",
                "position_error",
            )
            | points(4, "val_loss")
        ],
        after="train_model()",
        files=["training_progress_step_0.png", "training_progress_step_10.png"],
    ),
    "API Reference / update_metrics": Example(
        runs=[points(1, "train_loss", "val_loss", "accuracy")],
        before="visualizer = create_loss_visualizer()",
        after="visualizer.force_update()\nvisualizer.close()",
    ),
    "Best Practices / 1. Memory Management": Example(
        runs=[points(1, "train_loss")], after=LOG_ONCE
    ),
    "Best Practices / 2. Metric Naming": Example(
        runs=[points(1, "loss", "err", "x")],
        before="config = TrainingVisualizerConfig()",
        after=LOG_ONCE,
    ),
    "Best Practices / 3. Update Intervals": Example(
        runs=[points(1, "train_loss")],
        after="config = TrainingVisualizerConfig(update_interval=update_interval)"
        + LOG_ONCE,
    ),
    "Best Practices / 4. Error Handling": Example(runs=[points(STEPS, "train_loss")]),
    "Best Practices / 5. Performance Optimization": Example(
        runs=[points(1, "train_loss")], after=LOG_ONCE
    ),
    "Common Patterns / Pattern 1: Research Training": Example(
        runs=[points(STEPS, "train_loss")],
        after='train_experiment("baseline", ExperimentConfig(max_steps=max_steps))',
        files=["experiments/baseline/step_0.png", "baseline.json"],
    ),
    "Common Patterns / Pattern 2: Hyperparameter Tuning": Example(
        runs=[{}] * 9, after="hyperparameter_sweep()"
    ),
    "Common Patterns / Pattern 3: Multi-Task Learning": Example(
        runs=[{}], after="train_multitask()"
    ),
    "Troubleshooting / Common Issues": Example(
        runs=[points(1, "train_loss")],
        after="config = TrainingVisualizerConfig()" + LOG_ONCE,
    ),
}

EXPERTS = [f"expert_{number}" for number in range(4)]
DUAL_METRICS = [
    "train_loss",
    "learning_rate",
    "aux_loss",
    "expert_entropy",
    "batch_size",
    "sequence_length",
    "gpu_memory_mb",
    "gradient_norm",
    "smoothness",
]

CLASSES = {
    "Configuration System / PlotConfig",
    "Configuration System / MetricConfig",
    "Configuration System / TrainingVisualizerConfig",
}

COMPARED = {
    "API Reference / Constructor",
    "API Reference / get_metrics_summary",
}

COMBINED = "Combined Visualization"
SYSTEM = f"{COMBINED} / Complete Integration Example"

# The blocks of this section use the class that its first block defines.
DUAL_EXAMPLES = {
    SYSTEM: Example(
        runs=[points(STEPS, *DUAL_METRICS, *EXPERTS)],
        after="""
system = DualVisualizationSystem(total_steps=max_steps, n_experts=4)
system.initialize()
for step in range(max_steps):
    system.update_training_metrics(step, detailed_metrics)
system.save_scientific_plots("plots.png")
assert len(system.get_training_summary()["matplotlib_metrics"]) == 13
system.cleanup()
""",
        files=["plots.png"],
    ),
    f"{COMBINED} / Real-World Training Integration": Example(
        runs=[
            points(
                2000,
                "train_loss",
                "learning_rate",
                "aux_loss",
                "expert_entropy",
                "load_balance",
                *EXPERTS,
                "position_error",
                "velocity_error",
                "samples_per_sec",
                "gpu_memory_mb",
                "gradient_norm",
                "trajectory_smoothness",
                "prediction_confidence",
                "routing_consistency",
            )
            | points(19, "val_loss")
        ],
        after="train_with_dual_visualization()",
        files=[f"training_analysis_step_{step}.png" for step in (500, 1000, 1500)],
    ),
    f"{COMBINED} / Pattern 1: Research & Development": Example(
        runs=[points(60, *DUAL_METRICS, *EXPERTS)],
        after="research_viz.cleanup()",
        files=[f"research_frames/step_{step:06d}.png" for step in (0, 50)],
    ),
    f"{COMBINED} / Pattern 2: Production Training": Example(
        runs=[points(1100, *DUAL_METRICS, *EXPERTS)],
        after="production_viz.cleanup()",
        files=["production_milestone_0.png", "production_milestone_1000.png"],
    ),
    f"{COMBINED} / Pattern 3: Long-Running Experiments": Example(
        runs=[points(5100, *DUAL_METRICS, *EXPERTS)],
        after="long_run_viz.cleanup()",
        files=["long_run_checkpoint_0.png", "long_run_checkpoint_5000.png"],
    ),
    f"{COMBINED} / Performance Optimization": Example(
        runs=[points(STEPS, *DUAL_METRICS, *EXPERTS) | points(2, "accuracy")],
        after="""
system = OptimizedDualVisualization(total_steps=max_steps)
system.initialize("Optimized")
detailed_metrics["custom_metrics"]["expert_entropy"] = 1.9
for step in range(max_steps):
    accuracy = {"accuracy": 0.5} if step % 10 == 0 else {}
    system.update_training_metrics(step, detailed_metrics | accuracy)
system.cleanup()
""",
    ),
    f"{COMBINED} / Memory Management": Example(
        runs=[points(3, "train_loss"), {}],
        after="""
system = create_memory_efficient_dual_viz(max_steps)
system.initialize()
for step in range(3):
    system.update_training_metrics(step, {"train_loss": 0.1})
system.cleanup()
scientific_viz.close()
""",
    ),
    f"{COMBINED} / Integration with Existing Training Loops": Example(
        runs=[points(1000, "train_loss", "learning_rate")],
        after="enhanced_training_loop()",
    ),
}

# The texts' loops are long; these run shorter ones, with all else as it stands.
SHORTER = {
    f"{COMBINED} / Pattern 1: Research & Development": ("range(5000)", "range(60)"),
    f"{COMBINED} / Pattern 2: Production Training": ("range(10000)", "range(1100)"),
    f"{COMBINED} / Pattern 3: Long-Running Experiments": ("range(50000)", "range(5100)"),
}


def test_every_block_is_accounted_for_once() -> None:
    assert len(BLOCKS) == SPEC.count("```python")
    tables = [*EXAMPLES, *CLASSES, *COMPARED, *DUAL_EXAMPLES]
    assert sorted(tables) == sorted(BLOCKS)


def assumed_names() -> dict[str, Any]:
    """What the text takes from the reader's own training program."""

    def save_experiment_summary(name: str, summary: dict[str, dict[str, float]]) -> None:
        Path(f"{name}.json").write_text(json.dumps(summary))

    model = SimpleNamespace(
        get_expert_entropy=lambda: 2.1,
        get_load_balance=lambda: 0.85,
        get_task_metrics=lambda: {"position_error": 0.134},
    )
    return {
        **{name: getattr(training_viz, name) for name in training_viz.__all__},
        **{name: getattr(rich_trainer_viz, name) for name in rich_trainer_viz.__all__},
        "train_loss_value": 0.245,
        "validation_loss_value": 0.267,
        "current_lr": 0.001,
        "metrics": {"train_loss": 0.245},
        "max_steps": STEPS,
        "eval_interval": 5,
        "save_interval": 10,
        "perform_training_step": lambda: 0.245,
        "perform_validation": lambda: 0.267,
        "calculate_throughput": lambda: 120.5,
        "model": model,
        "save_checkpoint": lambda model, step: None,
        "ExperimentConfig": SimpleNamespace,
        "save_experiment_summary": save_experiment_summary,
    }


def execute(source: str, name: str, namespace: dict[str, Any]) -> None:
    exec(compile(source, name, "exec", dont_inherit=True), namespace)


@pytest.mark.parametrize("key", EXAMPLES)
def test_a_block_runs_and_its_runs_are_in_the_store(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path
) -> None:
    example = EXAMPLES[key]
    shutil.copy(empty_store, tmp_path / "stepwell.duckdb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEPWELL_STORE", raising=False)

    namespace = assumed_names()
    execute(example.before, f"before {key}", namespace)
    execute(BLOCKS[key], key, namespace)
    execute(example.after, f"after {key}", namespace)
    namespace.clear()
    gc.collect()  # a visualizer that was left behind ends its run

    assert_kept(example, tmp_path)


def assert_kept(example: Example, folder: Path) -> None:
    with stepwell.open_store(folder / "stepwell.duckdb") as store:
        runs = store.runs()
        counts = [
            {metric: found.count for metric, found in store.summary(run).items()}
            for run in runs
        ]
    assert counts == example.runs
    assert {run.status for run in runs} == {"finished"}
    for name in example.files:
        assert Path(name).stat().st_size > 0


def dual_names() -> dict[str, Any]:
    """What the text about the dual system takes from the reader's program."""
    numbers = iter(range(10**9))

    def loss() -> float:
        return 1.0 / (1 + next(numbers))

    experts = dict.fromkeys(range(4), 0.25)
    metrics = {
        "train_loss": 0.5,
        "learning_rate": 0.001,
        "aux_loss": 0.01,
        "expert_entropy": 1.9,
        "expert_utilization": experts,
        "batch_size": 32,
        "sequence_length": 128,
        "gpu_memory_mb": 812.5,
        "gradient_norm": 0.7,
        "custom_metrics": {"smoothness": 0.9},
    }
    model = SimpleNamespace(
        get_auxiliary_loss=lambda: 0.01,
        compute_routing_entropy=lambda: 1.9,
        get_load_balance_factor=lambda: 0.95,
        get_expert_utilization_dict=lambda: experts,
        get_prediction_confidence=lambda: 0.8,
    )
    names = dict.fromkeys(["training_step", "validation_step", "train_step"], loss)
    names |= dict.fromkeys(
        [
            "compute_position_rmse",
            "compute_velocity_rmse",
            "get_gpu_memory_usage",
            "compute_gradient_norm",
            "compute_smoothness_metric",
            "compute_routing_consistency",
            "get_learning_rate",
        ],
        lambda: 0.5,
    )
    return {
        **assumed_names(),
        **names,
        "model": model,
        "scheduler": SimpleNamespace(get_last_lr=lambda: [0.001]),
        "save_model_checkpoint": lambda model, step: None,
        "detailed_metrics": metrics,
        "essential_metrics": metrics,
        "core_metrics": metrics,
    }


OWN, READY_MADE = "the text's own class", "the ready-made class"


@pytest.mark.parametrize(
    ("key", "source"),
    [
        *((key, OWN) for key in DUAL_EXAMPLES),
        *((key, READY_MADE) for key in DUAL_EXAMPLES if key != SYSTEM),
    ],
)
def test_a_dual_block_runs_and_leaves_one_run_with_each_point_once(
    key: str,
    source: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    empty_store: Path,
) -> None:
    example = DUAL_EXAMPLES[key]
    shutil.copy(empty_store, tmp_path / "stepwell.duckdb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEPWELL_STORE", raising=False)

    namespace = dual_names()
    if source == OWN:
        execute(BLOCKS[SYSTEM], SYSTEM, namespace)
    if key != SYSTEM:
        block = BLOCKS[key]
        if key in SHORTER:
            block = block.replace(*SHORTER[key])
        execute(block, key, namespace)
    execute(example.after, f"after {key}", namespace)
    namespace.clear()
    gc.collect()

    assert_kept(example, tmp_path)
    with stepwell.open_store(tmp_path / "stepwell.duckdb") as store:
        repeated = store.sql(
            "select metric, step from points group by run_id, metric, step"
            " having count(*) > 1"
        )
        assert repeated.fetchall() == []
        spread = store.sql(
            "select distinct max(step) - min(step) + 1 - count(*) from points"
            " where metric = 'train_loss' group by run_id"
        )
        assert spread.fetchall() == [(0,)]


def default_of(declared: Field[Any]) -> object:
    if declared.default_factory is not MISSING:
        return declared.default_factory()
    return declared.default


@pytest.mark.parametrize("key", sorted(CLASSES))
def test_a_configuration_class_has_the_fields_of_the_text(key: str) -> None:
    name = key.split(" / ")[1]
    real = getattr(training_viz, name)
    namespace = assumed_names() | {"dataclass": dataclass, "field": field}
    execute(BLOCKS[key], key, namespace)
    stated = namespace[name]

    types = typing.get_type_hints(real)
    expected = [(f.name, f.type, default_of(f)) for f in fields(stated)]
    found = [(f.name, types[f.name], default_of(f)) for f in fields(real)]
    assert found[: len(expected)] == expected
    assert all(default is not MISSING for _, _, default in found[len(expected) :])
    assert real.__slots__[: len(expected)] == stated.__slots__


def stated_signatures() -> dict[str, str]:
    """Signatures in the headings of the text, and that of the constructor, by name."""
    texts = re.findall(r"^#+ `(\w+\(.*)`$", SPEC, re.MULTILINE)
    texts.append(BLOCKS["API Reference / Constructor"].strip())
    return {text.split("(")[0]: text for text in texts}


SIGNATURES = stated_signatures()


def test_the_signatures_of_the_text_are_found() -> None:
    assert sorted(SIGNATURES) == [
        "RealTimeTrainingVisualizer",
        "close",
        "create_custom_visualizer",
        "create_loss_visualizer",
        "create_moe_visualizer",
        "force_update",
        "get_metrics_summary",
        "save_plot",
        "update_metrics",
    ]


def real_signature(name: str) -> inspect.Signature:
    """The signature of a function, a class, or a visualizer's method without self."""
    if hasattr(training_viz, name):
        return inspect.signature(getattr(training_viz, name), eval_str=True)
    method = getattr(training_viz.RealTimeTrainingVisualizer, name)
    signature = inspect.signature(method, eval_str=True)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_a_signature_begins_as_the_text_says(name: str) -> None:
    namespace = assumed_names() | {"Path": Path}
    execute(f"def {SIGNATURES[name].replace(', ...', '')}: ...", name, namespace)
    stated = inspect.signature(namespace[name])
    real = real_signature(name)

    expected = [(p.name, p.default) for p in stated.parameters.values()]
    found = [(p.name, p.default) for p in real.parameters.values()]
    assert found[: len(expected)] == expected
    for parameter in list(real.parameters.values())[len(expected) :]:
        assert parameter.default is not inspect.Parameter.empty
    if stated.return_annotation is not inspect.Signature.empty:
        assert real.return_annotation == stated.return_annotation


def test_the_summary_has_the_keys_of_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace: dict[str, Any] = {}
    stated = BLOCKS["API Reference / get_metrics_summary"]
    execute(f"stated = {stated}", "get_metrics_summary", namespace)
    monkeypatch.chdir(tmp_path)
    visualizer = training_viz.create_loss_visualizer()
    for value in (3.0, 1.0, 2.0):
        visualizer.update_metrics({"metric_name": value})
    summary = visualizer.get_metrics_summary()
    visualizer.close()

    expected = {"current": 2.0, "min": 1.0, "max": 3.0, "mean": 2.0, "count": 3}
    stated_keys = list(namespace["stated"]["metric_name"])
    assert stated_keys == list(expected)
    assert list(summary["metric_name"])[: len(expected)] == stated_keys
    assert {key: summary["metric_name"][key] for key in expected} == expected
