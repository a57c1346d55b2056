"""The terminal visualizer records each snapshot, and shows it where that is possible."""

import gc
import math
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import stepwell
from m.rich_trainer_viz import (
    RichTrainerVisualizer,
    TrainingSnapshot,
    VisualizationConfig,
)
from m.training_viz import PlotWarning, create_loss_visualizer, create_moe_visualizer
from stepwell.store import ConfigurationError, MetricWarning
from stepwell.viz.base.progress import Progress
from stepwell.viz.terminal.live_display import Display, Subject, current_display
from stepwell.viz.terminal.plain_lines import LineScreen, plain_line
from stepwell.viz.terminal.render.view import TerminalView
from stepwell.viz.terminal.screens import NotebookScreen


class FakeScreen:
    """Remembers what it is shown."""

    period = 1e6  # the thread never comes to it; tests call tick()

    def __init__(self) -> None:
        self.views: list[TerminalView] = []
        self.last: TerminalView | None = None

    def show(self, view: TerminalView) -> None:
        self.views.append(view)

    def close(self, view: TerminalView) -> None:
        self.last = view


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def own_store(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))
    return store_path


@pytest.fixture
def quiet() -> VisualizationConfig:
    return VisualizationConfig(display="none")


@pytest.fixture
def display() -> Iterator[tuple[Display, FakeScreen, Clock]]:
    screen, clock = FakeScreen(), Clock()
    config = VisualizationConfig(show_system_metrics=False, table_update_interval=5)
    shown = Display(
        Subject("t", "n", "i", {"total_steps": 100}), config, screen, clock=clock
    )
    yield shown, screen, clock
    shown.close()


def everything(step: int) -> TrainingSnapshot:
    return TrainingSnapshot(
        step=step,
        train_loss=0.5,
        val_loss=0.6,
        learning_rate=0.1,
        aux_loss=0.2,
        expert_utilization={0: 0.75, 1: 0.25},
        batch_size=32,
        sequence_length=128,
        gpu_memory_mb=812.5,
        gradient_norm=0.7,
        custom_metrics={"own": 3},
    )


def test_all_of_a_snapshot_is_recorded(quiet: VisualizationConfig) -> None:
    visualizer = RichTrainerVisualizer(quiet)
    visualizer.start(total_steps=10)
    visualizer.update(everything(4))
    summary = visualizer.run.summary()
    visualizer.close()

    assert {name: (one.current, one.last_step) for name, one in summary.items()} == {
        "train_loss": (0.5, 4),
        "val_loss": (0.6, 4),
        "learning_rate": (0.1, 4),
        "aux_loss": (0.2, 4),
        "batch_size": (32.0, 4),
        "sequence_length": (128.0, 4),
        "gpu_memory_mb": (812.5, 4),
        "gradient_norm": (0.7, 4),
        "expert_0": (0.75, 4),
        "expert_1": (0.25, 4),
        "own": (3.0, 4),
    }


def test_what_is_absent_is_not_recorded(quiet: VisualizationConfig) -> None:
    with RichTrainerVisualizer(quiet) as visualizer:
        visualizer.update(TrainingSnapshot(step=0, train_loss=0.0))
        assert {k: v.current for k, v in visualizer.run.summary().items()} == {
            "train_loss": 0.0
        }


def test_total_steps_are_kept_with_the_run(quiet: VisualizationConfig) -> None:
    visualizer = RichTrainerVisualizer(quiet)
    visualizer.start(total_steps=2000, description="x")
    visualizer.close()

    with stepwell.open_store() as store:
        assert store.run("last").config == {"total_steps": 2000}


@pytest.mark.parametrize("value", [np.float32(0.5), np.array(0.5), np.float64(0.5), True])
def test_numbers_of_any_kind_are_taken(quiet: VisualizationConfig, value: Any) -> None:
    with RichTrainerVisualizer(quiet) as visualizer:
        visualizer.update(TrainingSnapshot(0, train_loss=value))
        assert visualizer.run.summary()["train_loss"].current == float(value)


def test_what_is_no_number_is_said_and_the_rest_is_kept(
    quiet: VisualizationConfig,
) -> None:
    with RichTrainerVisualizer(quiet) as visualizer:
        with pytest.warns(MetricWarning, match="words"):
            visualizer.update(
                TrainingSnapshot(0, train_loss=1.0, custom_metrics={"words": "no number"})
            )
        assert list(visualizer.run.summary()) == ["train_loss"]


@pytest.mark.parametrize(
    "snapshot",
    [None, {"train_loss": 1.0}, TrainingSnapshot(expert_utilization=3)],  # type: ignore[arg-type]
)
def test_what_is_no_snapshot_is_said_and_not_raised(
    quiet: VisualizationConfig, snapshot: Any
) -> None:
    with RichTrainerVisualizer(quiet) as visualizer:
        with pytest.warns(PlotWarning, match="can't be recorded"):
            visualizer.update(snapshot)
        assert visualizer.run.summary() == {}


@pytest.mark.parametrize("load", [[0.5, 0.5], np.array([0.5, 0.5])])
def test_experts_may_be_a_list(quiet: VisualizationConfig, load: Any) -> None:
    with RichTrainerVisualizer(quiet) as visualizer:
        visualizer.update(TrainingSnapshot(0, expert_utilization=load))
        assert list(visualizer.run.summary()) == ["expert_0", "expert_1"]


def test_it_joins_the_run_of_the_plots_made_before_it(quiet: VisualizationConfig) -> None:
    plots = create_loss_visualizer()
    terminal = RichTrainerVisualizer(quiet)
    assert terminal.run is plots.run

    terminal.close()
    assert plots.run.is_open
    plots.close()


def test_a_run_of_its_own_ends_with_it(quiet: VisualizationConfig) -> None:
    visualizer = RichTrainerVisualizer(quiet)
    run = visualizer.run
    visualizer.close()
    visualizer.close()

    assert not run.is_open


def test_a_visualizer_left_behind_ends_its_run() -> None:
    visualizer = RichTrainerVisualizer(VisualizationConfig(show_system_metrics=False))
    visualizer.start(total_steps=3)
    visualizer.update(TrainingSnapshot(0, train_loss=1.0))
    assert current_display() is not None
    del visualizer
    gc.collect()

    assert current_display() is None
    with stepwell.open_store() as store:
        assert store.run("last").status == "finished"


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("bad"), "failed"), (KeyboardInterrupt(), "interrupted")],
)
def test_an_exception_in_its_block_is_the_runs_end(
    quiet: VisualizationConfig, error: BaseException, status: str
) -> None:
    with pytest.raises(type(error)), RichTrainerVisualizer(quiet):
        raise error
    with stepwell.open_store() as store:
        assert store.run("last").status == status


@pytest.mark.parametrize(
    "fields",
    [
        {"table_update_interval": 0},
        {"display": "window"},
        {"refresh_per_second": 0},
        {"line_seconds": math.inf},
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(fields))):
        RichTrainerVisualizer(VisualizationConfig(**fields))


def test_total_steps_must_be_a_number(quiet: VisualizationConfig) -> None:
    with (
        RichTrainerVisualizer(quiet) as visualizer,
        pytest.raises(ConfigurationError, match="total_steps"),
    ):
        visualizer.start(total_steps=0)


def test_a_snapshot_and_a_configuration_have_defaults() -> None:
    assert TrainingSnapshot() == TrainingSnapshot(
        None, None, None, None, None, {}, None, None, None, None, {}
    )
    assert VisualizationConfig().table_update_interval == 25


def test_without_a_terminal_there_are_plain_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    visualizer = RichTrainerVisualizer()
    visualizer.start(total_steps=2, description="x")
    for step in range(2):
        visualizer.update(TrainingSnapshot(step, train_loss=0.5, learning_rate=0.1))
    visualizer.close()

    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("finished after ")
    assert "step 2/2  100%  train_loss 0.5  learning_rate 0.1" in line
    assert "\x1b" not in line


def test_updates_and_tables_reach_the_screen(
    display: tuple[Display, FakeScreen, Clock],
) -> None:
    shown, screen, clock = display
    for step in range(7):
        shown.say(step, {"train_loss": 1.0 - step / 10, "expert_0": 0.9, "expert_1": 0.1})
    clock.now += 2.0
    shown.tick()
    (view,) = screen.views

    assert view.progress.done == 7
    assert view.rows is not None
    assert view.rows[0].last == 0.6  # of the fifth update
    assert view.experts is not None
    assert view.experts.shares == (1.8, 0.2)
    assert view.chart is not None


def test_nothing_new_is_not_drawn_more_than_once_a_second(
    display: tuple[Display, FakeScreen, Clock],
) -> None:
    shown, screen, clock = display
    shown.say(0, {"loss": 1.0})
    for _ in range(40):
        shown.tick()
        clock.now += 0.125

    assert len(screen.views) == 5


def test_the_last_state_is_shown_with_all_that_was_said(
    display: tuple[Display, FakeScreen, Clock],
) -> None:
    shown, screen, _ = display
    for step in range(8):
        shown.say(step, {"loss": float(step)})
    shown.close("interrupted")
    shown.close()

    assert screen.last is not None
    assert screen.last.status == "interrupted"
    assert screen.last.rows is not None
    assert screen.last.rows[0].last == 7.0


@pytest.mark.parametrize(
    ("switch", "field"),
    [
        ("show_tables", "rows"),
        ("show_expert_utilization", "experts"),
        ("show_progress_bar", "has_bar"),
        ("show_throughput", "has_throughput"),
        ("show_chart", "chart"),
    ],
)
def test_what_is_switched_off_is_not_shown(switch: str, field: str) -> None:
    found = []
    for value in (True, False):
        switches: dict[str, Any] = {switch: value, "show_system_metrics": False}
        config = VisualizationConfig(**switches)
        shown = Display(Subject("t", "n", "i", {"total_steps": 10}), config, FakeScreen())
        shown.say(0, {"loss": 1.0, "expert_0": 1.0, "expert_1": 1.0})
        shown.tick()
        found.append(bool(getattr(shown.view(), field)))

    assert found == [True, False]


def test_a_screen_that_fails_is_no_matter() -> None:
    class Broken(FakeScreen):
        def show(self, view: TerminalView) -> None:
            raise OSError

        def close(self, view: TerminalView) -> None:
            raise OSError

    shown = Display(Subject("t", "n", "i", {}), VisualizationConfig(), Broken())
    shown.say(0, {"loss": 1.0})
    shown.tick()
    shown.close()


def test_measurements_of_the_machine_are_shown() -> None:
    shown = Display(Subject("t", "n", "i", {}), VisualizationConfig(), FakeScreen())
    shown.say(0, {"loss": 1.0, "gpu_memory_mb": 2048.0})
    shown.tick()
    items = {item.label: item.text for item in shown.view().system}

    assert f"of {os.cpu_count()} cores" in items["cpu"]
    assert items["gpu memory"] == "2.00 GiB"
    assert [row.name for row in shown.view().rows or ()] == ["loss"]


class TestLines:
    """When a line is printed."""

    @staticmethod
    def printed(seconds: float, total: int | None, steps: int, pause: float) -> int:
        lines = []

        class Stream:
            def write(self, text: str) -> None:
                lines.append(text)

            def flush(self) -> None:
                pass

        screen = LineScreen(seconds, Stream())  # type: ignore[arg-type]
        for step in range(steps):
            progress = Progress(step + 1, total, step * pause, 1 / pause)
            screen.show(TerminalView("t", "n", "i", progress=progress))
        return sum(text != "\n" for text in lines)

    def test_a_short_run_has_some_ten(self) -> None:
        assert self.printed(30.0, 100, 100, 0.1) == 10

    def test_a_long_run_has_at_most_a_hundred(self) -> None:
        assert 90 <= self.printed(30.0, 10_000, 10_000, 8.0) <= 101

    def test_without_a_total_there_is_one_each_interval(self) -> None:
        assert self.printed(30.0, None, 3000, 0.1) == 10

    def test_a_loss_that_breaks_is_said_at_once(self) -> None:
        shown = Display(Subject("t", "n", "i", {}), VisualizationConfig(), FakeScreen())
        shown.say(0, {"train_loss": math.nan})
        shown.tick()
        assert "! train_loss is NaN since step 0" in plain_line(shown.view())


def test_tables_are_printed_every_so_many_updates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    visualizer = create_moe_visualizer(update_rich_tables=25, n_experts=2)
    for step in range(60):
        visualizer.update_metrics({"train_loss": 1.0 / (step + 1), "expert_0": 0.5})
    lines = capsys.readouterr().out.splitlines()
    visualizer.close()

    assert len(lines) == 2
    assert lines[0].startswith("step 25  train_loss 0.04")
    assert lines[1].startswith("step 50  train_loss 0.02")


def test_tables_belong_to_the_terminal_visualizer_while_it_is_live(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plots = create_moe_visualizer(update_rich_tables=2)
    terminal = RichTrainerVisualizer(VisualizationConfig(show_system_metrics=False))
    terminal.start()
    capsys.readouterr()
    for _ in range(10):
        plots.update_metrics({"train_loss": 1.0})
    assert "step 2 " not in capsys.readouterr().out
    terminal.close()
    capsys.readouterr()
    for _ in range(2):
        plots.update_metrics({"train_loss": 1.0})

    assert capsys.readouterr().out.startswith("step 12 ")
    plots.close()


def test_a_closed_visualizer_says_that_it_records_no_more(
    quiet: VisualizationConfig,
) -> None:
    visualizer = RichTrainerVisualizer(quiet)
    visualizer.close()
    with pytest.warns(MetricWarning, match="finished"):
        visualizer.update(TrainingSnapshot(0, train_loss=1.0))


def test_warnings_are_not_raised_by_a_plain_run(quiet: VisualizationConfig) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with RichTrainerVisualizer(quiet) as visualizer:
            for step in range(3):
                visualizer.update(everything(step))


def test_a_notebook_has_one_display_that_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[tuple[str, str]] = []

    class Handle:
        def update(self, page: str) -> None:
            shown.append(("update", page))

    def display(page: str, *, display_id: bool) -> Handle:
        assert display_id
        shown.append(("display", page))
        return Handle()

    tools = SimpleNamespace(display=display, HTML=str)
    modules: dict[str, Any] = sys.modules
    monkeypatch.setitem(modules, "IPython.display", tools)
    screen = NotebookScreen()
    view = TerminalView("my run", "n", "i", progress=Progress(1, 2, 3.0))
    screen.show(view)
    screen.show(view)
    screen.close(view)

    assert [kind for kind, _ in shown] == ["display", "update", "update"]
    assert "my run" in shown[0][1]
    assert shown[0][1].startswith("<pre")
