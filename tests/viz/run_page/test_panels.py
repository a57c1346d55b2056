"""What a page holds of a run: panels, header and footer."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell.store import Run, start_run
from stepwell.viz import MetricConfig, PlotConfig, TrainingVisualizerConfig
from stepwell.viz.base.theme import DARK, LIGHT
from stepwell.viz.run_page.line_looks import Look
from stepwell.viz.run_page.page import Page, prepare
from stepwell.viz.run_page.panel import Panel

BLUE, VERMILION, GREEN = LIGHT.palette[:3]


@pytest.fixture
def run(store_path: Path) -> Iterator[Run]:
    run = start_run(name="moe", store=store_path)
    yield run
    run.finish()


def page(run: Run, config: TrainingVisualizerConfig) -> Page:
    return prepare(run.store(), run.id, config)


def one_panel(
    run: Run, metrics: list[MetricConfig], plot: PlotConfig | None = None
) -> Panel:
    plots = [plot or PlotConfig("Loss", "Loss")]
    (panel,) = page(
        run, TrainingVisualizerConfig(1, 1, plots=plots, metrics=metrics)
    ).panels
    return panel


def log_all(run: Run, calls: list[dict[str, float]]) -> None:
    for call in calls:
        run.log(call)


def looks(panel: Panel) -> Mapping[str, Look]:
    return {curve.metric: curve.look for curve in panel.curves}


def test_a_run_without_points_waits_for_them(run: Run) -> None:
    config = TrainingVisualizerConfig(
        1,
        2,
        plots=[PlotConfig("Loss", "Loss")],
        metrics=[MetricConfig("train_loss", 0), MetricConfig("val_loss", 0)],
    )
    found = page(run, config)
    assert found.panels == (Panel(0, "Loss", waiting=("train_loss", "val_loss")),)
    assert found.steps is None
    assert found.header.facts == ()


def test_cells_without_a_plot_or_a_metric_stay_blank(run: Run) -> None:
    plots = [PlotConfig("A", ""), PlotConfig("B", "")]
    assert [p.index for p in page(run, TrainingVisualizerConfig(plots=plots)).panels] == [
        0,
        1,
    ]


def test_rows_at_the_end_without_a_panel_take_no_room(run: Run) -> None:
    plots = [PlotConfig("A", ""), PlotConfig("B", "")]
    below = [MetricConfig("grad_norm", 3)]
    assert page(run, TrainingVisualizerConfig(2, 2, plots=plots)).rows == 1
    assert page(run, TrainingVisualizerConfig(3, 2, plots=plots, metrics=below)).rows == 2
    assert page(run, TrainingVisualizerConfig(2, 2)).rows == 1


def test_a_metric_in_a_cell_without_a_plot_gets_a_panel(run: Run) -> None:
    config = TrainingVisualizerConfig(metrics=[MetricConfig("grad_norm", 3)])
    assert [(p.index, p.title) for p in page(run, config).panels] == [(3, "Grad norm")]


def test_metrics_without_points_are_left_out(run: Run) -> None:
    run.log({"train_loss": 1.0})
    metrics = [MetricConfig("train_loss", 0), MetricConfig("val_loss", 0)]
    panel = one_panel(run, metrics)
    assert [curve.metric for curve in panel.curves] == ["train_loss"]
    assert panel.waiting == ()


def test_all_panels_share_the_steps(run: Run) -> None:
    run.log({"a": 1.0}, step=10)
    run.log({"b": 1.0}, step=90)
    config = TrainingVisualizerConfig(
        1, 2, metrics=[MetricConfig("a", 0), MetricConfig("b", 1)]
    )
    steps = page(run, config).steps
    assert steps is not None
    assert (steps.low, steps.high) == (10, 90)


def test_training_and_validation_are_a_pair_of_colours(run: Run) -> None:
    run.log({"val_loss": 1.0, "train_loss": 2.0, "aux_loss": 3.0})
    names = ["aux_loss", "val_loss", "train_loss"]
    panel = one_panel(run, [MetricConfig(name, 0) for name in names])
    found = looks(panel)
    assert found["train_loss"] == Look(BLUE)
    assert found["val_loss"] == Look(VERMILION)
    assert found["aux_loss"] == Look(GREEN)


def test_of_several_pairs_each_has_a_colour_and_validation_is_dashed(run: Run) -> None:
    names = ["train_f1", "train_acc", "val_f1", "val_acc"]
    run.log(dict.fromkeys(names, 0.5))
    found = looks(one_panel(run, [MetricConfig(name, 0) for name in names]))
    assert found == {
        "train_f1": Look(BLUE),
        "val_f1": Look(BLUE, "--"),
        "train_acc": Look(VERMILION),
        "val_acc": Look(VERMILION, "--"),
    }


def test_a_colour_of_the_users_own_is_used_as_it_is(run: Run) -> None:
    run.log({"a": 1.0, "b": 2.0})
    metrics = [MetricConfig("a", 0, "red", line_style=":", alpha=0.5), MetricConfig("b", 0)]
    found = looks(one_panel(run, metrics))
    assert found["a"] == Look("red", ":", 0.5, own=True)
    assert found["b"] == Look(BLUE)


def test_a_colour_cycle_of_the_users_own_is_used_in_order(run: Run) -> None:
    names = ["train_a", "b", "c"]
    run.log(dict.fromkeys(names, 1.0))
    plot = PlotConfig("Loss", "", color_cycle=["red", "black"])
    found = looks(one_panel(run, [MetricConfig(name, 0) for name in names], plot))
    assert [(look.color, look.line_style) for look in found.values()] == [
        ("red", "-"),
        ("black", "-"),
        ("red", "--"),
    ]


def test_panels_go_on_with_the_palette(run: Run) -> None:
    run.log({"a": 1.0, "b": 1.0})
    config = TrainingVisualizerConfig(
        1, 2, metrics=[MetricConfig("a", 0), MetricConfig("b", 1)], theme="dark"
    )
    found = [panel.curves[0].look.color for panel in page(run, config).panels]
    assert found == list(DARK.palette[:2])


def test_a_label_of_the_users_own_is_kept(run: Run) -> None:
    run.log({"train_loss": 1.0, "val_loss": 1.0})
    metrics = [
        MetricConfig("train_loss", 0, label="Training loss"),
        MetricConfig("val_loss", 0),
    ]
    assert [c.label for c in one_panel(run, metrics).curves] == ["Training loss", "val"]


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_log_panel_with_values_that_have_no_logarithm_is_symlog(
    run: Run, value: float
) -> None:
    log_all(run, [{"loss": 1.0}, {"loss": 0.1}, {"loss": value}])
    panel = one_panel(
        run, [MetricConfig("loss", 0)], PlotConfig("Loss", "Loss", yscale="log")
    )
    assert panel.scale is not None
    assert panel.scale.kind == "symlog"
    assert panel.scale.low < value < 1 < panel.scale.high
    assert "symlog: some ≤ 0" in panel.notes


def test_a_log_panel_stays_one_otherwise(run: Run) -> None:
    log_all(run, [{"loss": 10.0**-power} for power in range(5)])
    panel = one_panel(
        run, [MetricConfig("loss", 0)], PlotConfig("Loss", "nats", yscale="log")
    )
    assert panel.scale is not None
    assert panel.scale.kind == "log"
    assert panel.notes == ("nats", "log")


def test_the_ylabel_is_not_said_twice(run: Run) -> None:
    run.log({"loss": 1.0})
    panel = one_panel(run, [MetricConfig("loss", 0)], PlotConfig("Loss Curves", "Loss"))
    assert panel.notes == ()


def test_a_far_spike_is_cut_off_and_marked(run: Run) -> None:
    values = 1 + np.random.default_rng(1).normal(0, 0.05, 2000)
    values[700] = 1e6
    log_all(run, [{"loss": float(value)} for value in values])
    panel = one_panel(run, [MetricConfig("loss", 0)])
    assert panel.scale is not None
    assert panel.scale.high < 2
    assert [(mark.step, mark.value) for mark in panel.clipped] == [(700, 1e6)]


def test_a_near_spike_is_on_the_axis(run: Run) -> None:
    values = 1 + np.random.default_rng(1).normal(0, 0.05, 2000)
    values[700] = 1.4
    log_all(run, [{"loss": float(value)} for value in values])
    panel = one_panel(run, [MetricConfig("loss", 0)])
    assert panel.scale is not None
    assert panel.scale.high > 1.4
    assert panel.clipped == ()


def test_max_points_shows_the_newest_and_says_so(run: Run) -> None:
    log_all(run, [{"loss": float(step)} for step in range(100)])
    config = TrainingVisualizerConfig(
        1, 1, max_points=10, metrics=[MetricConfig("loss", 0)]
    )
    found = page(run, config)
    assert found.panels[0].curves[0].steps.tolist() == list(range(90, 100))
    assert found.remark == "newest 10 points"
    assert run.summary()["loss"].count == 100


def test_values_that_are_huge_can_be_drawn(run: Run) -> None:
    log_all(run, [{"loss": 1e308}, {"loss": -1e308}])
    panel = one_panel(run, [MetricConfig("loss", 0)])
    assert panel.scale is not None
    assert math.isfinite(panel.scale.high - panel.scale.low)


def test_the_members_of_a_large_family_are_quiet_but_for_the_extremes(run: Run) -> None:
    names = [f"layer_{number}" for number in range(20)]
    run.log({name: float(number) for number, name in enumerate(names)})
    panel = one_panel(run, [MetricConfig(name, 0) for name in names])
    assert panel.quiet == frozenset(names[1:-1])
    assert looks(panel)["layer_0"].color == BLUE
    assert looks(panel)["layer_19"].color == VERMILION


@pytest.mark.parametrize("count", [8, 128])
def test_many_experts_are_a_map_of_their_shares(run: Run, count: int) -> None:
    names = [f"expert_{number}" for number in range(count)]
    for _ in range(3):
        run.log({name: 2.0 * (name == "expert_7") + 1.0 for name in names})
    panel = one_panel(run, [MetricConfig(name, 0) for name in reversed(names)])
    assert panel.curves == ()
    assert panel.experts is not None
    assert panel.experts.labels == tuple(f"e{number}" for number in range(count))
    assert panel.experts.shares.mean(axis=0) == pytest.approx(1.0)
    assert int(np.argmax(panel.experts.current)) == 7


def test_a_lone_expert_is_a_curve(run: Run) -> None:
    run.log({"expert_0": 0.4})
    metrics = [MetricConfig("expert_0", 0), MetricConfig("expert_1", 0)]
    panel = one_panel(run, metrics)
    assert panel.experts is None
    assert len(panel.curves) == 1
    run.log({"expert_1": 0.6})
    panel = one_panel(run, metrics)
    assert panel.experts is not None
    assert panel.experts.current == pytest.approx((0.8, 1.2))
    assert panel.curves == ()


def test_experts_without_any_load_are_unknown(run: Run) -> None:
    run.log({f"expert_{number}": 0.0 for number in range(4)})
    panel = one_panel(run, [MetricConfig(f"expert_{number}", 0) for number in range(4)])
    assert panel.experts is not None
    assert np.isnan(panel.experts.shares).all()


def test_metrics_that_no_panel_shows_are_said_with_their_values(run: Run) -> None:
    log_all(run, [{"loss": 1.0, "grad_norm": 2.0}, {"grad_norm": 0.68}])
    config = TrainingVisualizerConfig(1, 1, metrics=[MetricConfig("loss", 0)])
    assert page(run, config).recorded == ("grad_norm 0.68",)


def test_the_header_says_where_the_run_is(run: Run) -> None:
    log_all(run, [{"val_loss": 3.0}, {"val_loss": 1.5}, {"val_loss": 2.0}])
    header = page(run, TrainingVisualizerConfig(title="Title")).header
    assert (header.name, header.title, header.status) == ("moe", "Title", "running")
    assert run.id.endswith(header.run_id)
    assert header.facts[0] == "step 3"
    assert header.facts[-1] == "best val loss 1.5 @ 1"
    assert header.progress.share is None


def test_the_header_knows_how_many_steps_the_configuration_names(store_path: Path) -> None:
    settings: dict[str, Any] = {"total_steps": 200}
    with start_run(config=settings, store=store_path) as run:
        log_all(run, [{"loss": 1.0}] * 100)
        header = page(run, TrainingVisualizerConfig()).header
    assert header.facts[0] == "step 100 / 200"
    assert header.progress.share == 0.5


def test_the_same_data_make_an_equal_page(run: Run) -> None:
    log_all(run, [{"train_loss": math.exp(-step / 9)} for step in range(50)])
    config = TrainingVisualizerConfig(1, 1, metrics=[MetricConfig("train_loss", 0)])
    assert page(run, config) == page(run, config)


def test_a_page_of_a_run_that_goes_on_says_when_that_was(run: Run) -> None:
    config = TrainingVisualizerConfig(1, 1, metrics=[MetricConfig("loss", 0)])
    run.log({"loss": 1.0})

    going = page(run, config).header
    newest = run.store().series(run.id, "loss").times[-1].astype("datetime64[m]")

    assert going.standing == f"RUNNING AT {str(newest).replace('T', ' ')} UTC"
    run.finish()
    assert page(run, config).header.standing == "FINISHED"


def test_a_smoothed_line_is_labelled_with_the_value_that_it_ends_at(run: Run) -> None:
    noise = np.random.default_rng(1)
    for value in 1 + noise.normal(0, 0.2, 500):
        run.log({"train_loss": float(value)})
    run.log({"train_loss": 3.0})
    (curve,) = one_panel(run, [MetricConfig("train_loss", 0)]).curves

    assert curve.end is not None
    assert (curve.is_smoothed, curve.last) == (True, 3.0)
    assert curve.end_value == curve.end.value < 2.0
    run.log({"train_loss": math.nan})
    (broken,) = one_panel(run, [MetricConfig("train_loss", 0)]).curves
    assert math.isnan(broken.end_value)
