"""A disabled run takes everything, and nothing is written or shown."""

import inspect
import os
import pickle
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stepwell
from m.rich_trainer_viz import RichTrainerVisualizer, TrainingSnapshot
from m.training_viz import create_loss_visualizer, create_moe_visualizer
from stepwell import Run
from stepwell.store import (
    ConfigurationError,
    MetricNotFoundError,
    StoreLocationError,
    StoreWarning,
    open_store,
)

METRICS = {f"metric_{number}": number / 10 for number in range(10)}

# Each public name of a run, with what it is called with.
CALLS: dict[str, tuple[Any, ...]] = {
    "log": ({"loss": 1.0}, 3),
    "update_metrics": ({"loss": "no number"},),
    "recorder": (),
    "add_tags": ("a",),
    "set_notes": ("text",),
    "set_layout": ({},),
    "summary": (),
    "finish": (),
}
ATTRIBUTES = {
    "id",
    "name",
    "project",
    "attempt",
    "rank",
    "location",
    "is_open",
    "is_disabled",
    "config",
    "tags",
    "notes",
    "current_step",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, where nothing is to be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEPWELL_STORE", str(tmp_path / "deep" / "runs.duckdb"))
    return tmp_path


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs of the process are disabled."""
    monkeypatch.setenv("STEPWELL_MODE", "disabled")


@pytest.mark.parametrize("start", [stepwell.init, stepwell.start_run])
@pytest.mark.parametrize("how", ["argument", "variable"])
def test_nothing_is_written(
    start: Callable[..., Run], how: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode = "disabled" if how == "argument" else None
    if how == "variable":
        monkeypatch.setenv("STEPWELL_MODE", "disabled")
    with start("p", "n", {"lr": 0.1}, tags=["a"], mode=mode) as run:
        for step in range(100):
            run.log({"loss": step}, step)
        run.config["late"] = 1
        run.add_tags("b")
        run.notes, run.name = "text", "other"
        assert run.notes == "text"
        assert run.is_disabled
        assert (run.name, run.project, run.tags) == ("other", "p", ("a", "b"))
        assert dict(run.config) == {"lr": 0.1, "late": 1}
    assert not run.is_open
    assert list(folder.iterdir()) == []


def test_all_of_a_run_works() -> None:
    members = {name for name, _ in inspect.getmembers(Run) if not name.startswith("_")}
    assert members - ATTRIBUTES == CALLS.keys() | {"series", "store"}

    run = stepwell.start_run(mode="disabled")
    for name in ATTRIBUTES & members:
        getattr(run, name)
    for name, given in CALLS.items():
        assert run.is_open
        getattr(run, name)(*given)
    assert not run.is_open
    with pytest.warns(StoreWarning, match="has ended"):
        for name, given in CALLS.items():
            getattr(run, name)(*given)
    assert run.summary() == {}
    assert "disabled" in repr(run)
    with pytest.raises(MetricNotFoundError, match=r"disabled.*no metric 'loss'"):
        run.series("loss")


def test_the_store_is_the_one_it_would_have_gone_to(folder: Path) -> None:
    run = stepwell.start_run(mode="disabled")
    with pytest.raises(StoreLocationError, match="there is no store"):
        run.store()
    assert list(folder.iterdir()) == []
    with stepwell.start_run(name="real") as real:
        assert not real.is_disabled
    assert [found.name for found in run.store().runs()] == ["real"]


def test_it_is_the_active_run_and_is_joined(capsys: pytest.CaptureFixture[str]) -> None:
    with stepwell.init(mode="disabled") as run:
        assert stepwell.active_run() is run
        with create_loss_visualizer() as plots, RichTrainerVisualizer() as view:
            assert plots.run is run
            assert view.run is run
    assert stepwell.active_run() is None


def test_front_ends_show_nothing(
    everywhere: None, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plots = create_moe_visualizer(update_rich_tables=1, n_experts=2)
    view = RichTrainerVisualizer()
    view.start(total_steps=3)
    for step in range(3):
        plots.update_metrics({"train_loss": 1.0})
        view.update(TrainingSnapshot(step, train_loss=1.0))
    plots.force_update()
    plots.save_plot("plot.png")
    assert plots.get_metrics_summary() == {}
    plots.close()
    view.close()
    with stepwell.DualVisualizationSystem(3) as system:
        system.update_training_metrics(0, {"train_loss": 1.0})
        system.save_scientific_plots("plot.png")
        assert system.get_training_summary()["matplotlib_metrics"] == {}

    assert capfd.readouterr() == ("", "")
    assert list(folder.iterdir()) == []


def test_nothing_is_loaded_and_no_thread_begun(output: Callable[..., str]) -> None:
    code = """
        import os, sys, threading
        import stepwell
        from m.training_viz import create_loss_visualizer
        from m.rich_trainer_viz import RichTrainerVisualizer, TrainingSnapshot
        with stepwell.init(mode="disabled", id="night", resume="must") as run:
            run.log({"loss": 1})
            with create_loss_visualizer() as plots, RichTrainerVisualizer() as view:
                plots.update_metrics({"train_loss": 1})
                view.update(TrainingSnapshot(0, train_loss=1))
            print(run.name, threading.active_count(), os.listdir())
        slow = {"duckdb", "numpy", "matplotlib", "rich", "sqlalchemy"}
        print(sorted(slow & sys.modules.keys()))
    """
    assert output(code).splitlines() == ["night 1 []", "[]"]


def test_it_can_be_sent_and_forked(folder: Path) -> None:
    run = stepwell.start_run("p", config={"lr": 1}, tags=["a"], mode="disabled")
    again = pickle.loads(pickle.dumps(run))
    again.log({"loss": 1})
    assert (again.id, again.project, again.tags) == (run.id, "p", ("a",))
    assert again.is_disabled
    assert dict(again.config) == {"lr": 1}
    child = os.fork()
    if child == 0:
        run.log({"loss": 1})
        run.finish()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    run.finish()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["log", "update_metrics", "recorder", "plots", "terminal"])
def test_a_call_costs_next_to_nothing(kind: str) -> None:
    run = stepwell.start_run(mode="disabled")
    plots, view = create_loss_visualizer(run=run), RichTrainerVisualizer(run=run)
    calls: dict[str, Any] = {
        "log": run.log,
        "update_metrics": run.update_metrics,
        "recorder": run.recorder().log,
        "plots": plots.update_metrics,
        "terminal": view.update,
    }
    call = calls[kind]
    given: Any = TrainingSnapshot(0, train_loss=1.0) if kind == "terminal" else METRICS
    spent = []
    for _ in range(2000):
        begin = time.perf_counter_ns()
        call(given)
        spent.append(time.perf_counter_ns() - begin)
    assert statistics.median(spent) < 500  # nanoseconds, those of the clock included


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_other_modes_record(mode: str, everywhere: None) -> None:
    with stepwell.init(name="real", mode=mode) as run:  # the argument counts
        assert not run.is_disabled
        run.log({"loss": 1})
    assert open_store().series("real", "loss").values.tolist() == [1.0]


@pytest.mark.parametrize("mode", ["dryrun", "", "Disabled", 1, []])
def test_an_unknown_mode_is_refused(mode: Any, folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"'online' or 'offline'.* 'disabled'"):
        stepwell.init(mode=mode)
    assert list(folder.iterdir()) == []


def test_an_unknown_mode_of_the_variable_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STEPWELL_MODE", "off")
    with pytest.raises(ConfigurationError, match="STEPWELL_MODE='off' is unknown"):
        stepwell.init()
    monkeypatch.setenv("STEPWELL_MODE", "")
    stepwell.init().finish()


@pytest.mark.parametrize(
    "wrong", [{"tags": 1}, {"resume": "yes"}, {"durability": "x"}, {"rank": -1}, {"id": ""}]
)
def test_what_is_wrong_is_refused_as_ever(wrong: dict[str, Any], everywhere: None) -> None:
    with pytest.raises(ConfigurationError):
        stepwell.init(**wrong)
