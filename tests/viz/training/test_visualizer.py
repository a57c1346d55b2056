"""The visualizer in a training loop: its run, its records, its summary, its end."""

import gc
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import stepwell
from m.training_viz import (
    MetricConfig,
    PlotWarning,
    RealTimeTrainingVisualizer,
    TrainingVisualizerConfig,
    create_custom_visualizer,
    create_loss_visualizer,
    create_moe_visualizer,
)
from stepwell.store import ConfigurationError, Run, open_store, start_run
from stepwell.viz import layout_of
from stepwell.viz.training import visualizer as visualizer_module

CONFIG = TrainingVisualizerConfig(1, 1, (5, 4), metrics=[MetricConfig("loss", 0)])


@pytest.fixture(autouse=True)
def location(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))
    return store_path


@pytest.fixture
def run() -> Iterator[Run]:
    run = start_run(name="joined")
    yield run
    run.finish()


def test_it_starts_a_run_of_its_own_and_finishes_it(location: Path) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG)
    visualizer.update_metrics({"loss": 1.0})
    assert open_store(location).run("last").status == "running"
    visualizer.close()
    (info,) = open_store(location).runs()
    assert info.status == "finished"
    assert info.layout == layout_of(CONFIG)


def test_it_joins_the_run_it_is_given_and_leaves_it_open(run: Run) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG, run=run)
    visualizer.update_metrics({"loss": 1.0})
    visualizer.close()
    assert visualizer.run is run
    assert run.is_open
    assert run.store().run(run.id).layout == layout_of(CONFIG)


def test_it_joins_the_active_run(location: Path) -> None:
    with stepwell.init() as active:
        with create_loss_visualizer() as visualizer:
            assert visualizer.run is active
        assert active.is_open
    assert len(open_store(location).runs()) == 1


def test_a_run_that_it_does_not_know_of_is_not_joined(run: Run) -> None:
    with RealTimeTrainingVisualizer(CONFIG) as visualizer:
        assert visualizer.run.id != run.id


def test_a_visualizer_left_behind_finishes_its_run(location: Path) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG)
    visualizer.update_metrics({"loss": 1.0})
    del visualizer
    gc.collect()
    assert open_store(location).run("last").status == "finished"


def test_a_visualizer_left_behind_leaves_a_joined_run_open(run: Run) -> None:
    RealTimeTrainingVisualizer(CONFIG, run=run)
    gc.collect()
    assert run.is_open


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        ("", "finished", None),
        ("raise ValueError('diverged')", "failed", "ValueError: diverged"),
        ("raise KeyboardInterrupt", "interrupted", "KeyboardInterrupt"),
    ],
)
def test_the_end_of_the_program_is_that_of_its_run(
    location: Path, end: str, status: str, message: str | None
) -> None:
    code = (
        "from m.training_viz import create_loss_visualizer\n"
        "visualizer = create_loss_visualizer()\n"
        "visualizer.update_metrics({'train_loss': 1})\n"
    ) + end
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    info = open_store(location).run("last")
    assert (info.status, info.exit_message) == (status, message)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ValueError("diverged"), "failed", "ValueError: diverged"),
        (ValueError(), "failed", "ValueError"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
    ],
)
def test_an_exception_in_its_block_is_that_of_its_run(
    location: Path, error: BaseException, status: str, message: str
) -> None:
    with pytest.raises(type(error)), RealTimeTrainingVisualizer(CONFIG):
        raise error
    info = open_store(location).run("last")
    assert (info.status, info.exit_message) == (status, message)


def test_metrics_are_recorded_with_their_steps(run: Run) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG, run=run)
    visualizer.update_metrics({"loss": 3.0, "val_loss": None})
    visualizer.update_metrics({"loss": 2.0}, step=10)
    visualizer.update_metrics({"loss": 1.0})
    series = run.series("loss")
    assert series.steps.tolist() == [0, 10, 11]
    assert series.values.tolist() == [3, 2, 1]
    assert list(run.summary()) == ["loss"]


def test_an_update_without_a_window_does_nothing_but_record(run: Run) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG, run=run)
    called: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        del argument
        if event == "call":
            called.append(frame.f_code.co_name)

    visualizer._log = lambda metrics, step=None: None
    sys.setprofile(note)
    try:
        visualizer.update_metrics({"loss": 1.0})
    finally:
        sys.setprofile(None)

    assert called == ["update_metrics", "<lambda>"]


def test_the_summary_has_the_numbers_of_each_metric(run: Run) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG, run=run)
    for value in (2.0, 4.0, 3.0):
        visualizer.update_metrics({"loss": value})
    assert visualizer.get_metrics_summary() == {
        "loss": {
            "current": 3.0,
            "min": 2.0,
            "max": 4.0,
            "mean": 3.0,
            "count": 3,
            "non_finite": 0,
            "min_step": 0,
            "max_step": 1,
        }
    }
    order = list(visualizer.get_metrics_summary()["loss"])
    assert order[:5] == ["current", "min", "max", "mean", "count"]


def test_the_summary_can_be_asked_for_after_the_end() -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG)
    visualizer.update_metrics({"loss": 2.0})
    visualizer.close()
    assert visualizer.get_metrics_summary()["loss"]["current"] == 2.0


def test_closing_prints_the_summary_once(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG, run=run)
    for value in (2.0, 1.0, 4.0):
        visualizer.update_metrics({"val_loss": value, "lr": 0.5})
    visualizer.close()
    title, head, *rows = capsys.readouterr().out.splitlines()
    assert title == f"run joined ({run.id}) in {run.location}"
    assert head.split() == ["metric", "current", "min", "max", "mean", "count"]
    assert [row.split() for row in rows] == [
        ["val_loss", "4", "1", "@", "1", "4", "2.333", "3"],
        ["lr", "0.5", "0.5", "0.5", "0.5", "3"],
    ]
    visualizer.close()
    assert capsys.readouterr().out == ""


def test_closing_without_metrics_says_so(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    RealTimeTrainingVisualizer(CONFIG, run=run).close()
    assert capsys.readouterr().out.splitlines()[1] == "  no metrics recorded"


def test_a_summary_that_fails_is_said_and_the_run_is_finished(
    location: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> str:
        raise RuntimeError("no table")

    monkeypatch.setattr(visualizer_module, "summary_lines", broken)
    visualizer = RealTimeTrainingVisualizer(CONFIG)
    with pytest.warns(PlotWarning, match="RuntimeError: no table"):
        visualizer.close()
    assert open_store(location).run("last").status == "finished"


def test_forcing_an_update_without_a_window_draws_nothing(run: Run) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG, run=run)
    visualizer.update_metrics({"loss": 2.0})
    visualizer.force_update()


def test_a_plot_can_be_saved_before_during_and_after(tmp_path: Path) -> None:
    visualizer = RealTimeTrainingVisualizer(CONFIG)
    visualizer.save_plot(tmp_path / "before.png")
    visualizer.update_metrics({"loss": 2.0})
    visualizer.save_plot(str(tmp_path / "deep" / "during.svg"))
    visualizer.close()
    visualizer.save_plot(tmp_path / "after")
    assert (tmp_path / "before.png").is_file()
    assert (tmp_path / "deep" / "during.svg").is_file()
    assert (tmp_path / "after.png").is_file()


def test_a_plot_with_an_unknown_suffix_is_refused(run: Run) -> None:
    with pytest.raises(ConfigurationError, match=r"\.png, \.pdf, \.svg"):
        RealTimeTrainingVisualizer(CONFIG, run=run).save_plot("plot.gif")


def test_a_plot_that_cannot_be_drawn_does_not_end_the_training(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr("stepwell.viz.run_page.draw_page.new_figure", broken)
    with pytest.warns(PlotWarning, match="RuntimeError: no ink"):
        RealTimeTrainingVisualizer(CONFIG, run=run).save_plot(tmp_path / "plot.png")
    assert not (tmp_path / "plot.png").exists()


def test_later_changes_of_the_configuration_have_no_effect(run: Run) -> None:
    config = TrainingVisualizerConfig(1, 1, metrics=[MetricConfig("loss", 0)])
    visualizer = RealTimeTrainingVisualizer(config, run=run)
    config.metrics.clear()
    assert [metric.metric_name for metric in visualizer.config.metrics] == ["loss"]


def test_an_unusable_configuration_starts_no_run(location: Path) -> None:
    with pytest.raises(ConfigurationError):
        RealTimeTrainingVisualizer(TrainingVisualizerConfig(subplot_rows=0))
    assert open_store(location).runs() == []


def panels(visualizer: RealTimeTrainingVisualizer) -> list[list[str]]:
    return [
        [m.metric_name for m in visualizer.config.metrics if m.plot_index == index]
        for index in range(len(visualizer.config.plots))
    ]


def test_the_loss_visualizer_has_losses_and_the_learning_rate(run: Run) -> None:
    visualizer = create_loss_visualizer(update_interval=50, run=run)
    assert panels(visualizer) == [["train_loss", "val_loss"], ["learning_rate"]]
    assert [plot.yscale for plot in visualizer.config.plots] == ["log", "log"]
    assert (visualizer.config.subplot_rows, visualizer.config.subplot_cols) == (1, 2)
    assert visualizer.config.update_interval == 50


def test_the_experts_visualizer_has_four_panels(run: Run) -> None:
    visualizer = create_moe_visualizer(n_experts=2, run=run)
    assert panels(visualizer) == [
        ["train_loss", "val_loss", "aux_loss"],
        ["position_error", "velocity_error", "accuracy", "f1_score"],
        ["expert_entropy", "load_balance", "routing_loss", "expert_0", "expert_1"],
        ["samples_per_sec", "tokens_per_sec"],
    ]
    assert visualizer.config.update_interval == 1


@pytest.mark.parametrize(
    "arguments", [{"update_matplotlib": 0}, {"update_rich_tables": 0}, {"n_experts": 0}]
)
def test_the_experts_visualizer_checks_its_numbers(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        create_moe_visualizer(**arguments)


def test_a_custom_visualizer_takes_panels_and_colours(run: Run) -> None:
    visualizer = create_custom_visualizer(
        {"accuracy": (0, "blue"), "loss": (1, None), "lr": 2},
        ["Score", "Loss"],
        (1, 3),
        update_interval=75,
        title="Mine",
        yscales=["linear", "log"],
        ylabels=["%"],
        max_points=9,
        figure_size=(7, 5),
        theme="dark",
        run=run,
    )
    config = visualizer.config
    assert [(m.metric_name, m.plot_index, m.color) for m in config.metrics] == [
        ("accuracy", 0, "blue"),
        ("loss", 1, None),
        ("lr", 2, None),
    ]
    assert [(plot.title, plot.ylabel, plot.yscale) for plot in config.plots] == [
        ("Score", "%", "linear"),
        ("Loss", "", "log"),
    ]
    assert (config.update_interval, config.title, config.max_points) == (75, "Mine", 9)
    assert (config.figure_size, config.theme) == ((7, 5), "dark")


@pytest.mark.parametrize(
    ("metrics", "layout"),
    [
        ({"loss": (0, "blue", 1)}, (1, 1)),
        ({"loss": None}, (1, 1)),
        ({"loss": (7, "blue")}, (1, 1)),
        ({"loss": (0, "bleu")}, (1, 1)),
        ({"loss": (0, None)}, (1,)),
        ({"loss": (0, None)}, 4),
        ({"loss": (0, None)}, (0, 1)),
    ],
)
def test_a_custom_visualizer_says_what_it_cannot_use(metrics: Any, layout: Any) -> None:
    with pytest.raises(ConfigurationError):
        create_custom_visualizer(metrics, ["A"], layout)


def test_a_summary_without_finite_values_has_no_steps(run: Run) -> None:
    run.log({"loss": math.inf})
    summary = RealTimeTrainingVisualizer(CONFIG, run=run).get_metrics_summary()["loss"]
    assert summary["current"] == math.inf
    assert (summary["count"], summary["non_finite"]) == (1, 1)
    assert all(
        math.isnan(summary[key]) for key in ("min", "max", "mean", "min_step", "max_step")
    )
