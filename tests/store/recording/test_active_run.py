"""Front ends without a run join that of their own thread, task, cell and store."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest

import stepwell
from m.rich_trainer_viz import RichTrainerVisualizer, TrainingSnapshot
from m.training_viz import create_custom_visualizer, create_loss_visualizer
from stepwell import Run
from stepwell.store import StoreWarning

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def _a_store_of_its_own(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))
    # The test's context ends with it, as the runs begun there do.
    yield
    while (run := stepwell.active_run()) is not None:
        run.finish()


def in_a_thread(act: Callable[[], Any]) -> Any:
    """What *act* gives in a new thread, whose context is empty."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


def test_an_inner_run_that_ends_gives_the_outer_one_back() -> None:
    assert stepwell.active_run() is None
    outer = stepwell.init()
    stepwell.start_run().finish()
    with stepwell.init() as inner:
        assert stepwell.active_run() is inner
        innermost = stepwell.init()
        assert stepwell.active_run() is innermost
        innermost.finish("failed", "by hand")
        assert stepwell.active_run() is inner
    assert stepwell.active_run() is outer

    outer.finish()
    assert stepwell.active_run() is None


def test_an_outer_run_may_end_before_its_inner_one() -> None:
    outer, inner = stepwell.init(), stepwell.init()
    outer.finish()
    assert stepwell.active_run() is inner
    inner.finish()
    assert stepwell.active_run() is None


def test_a_run_of_start_run_is_active_nowhere() -> None:
    run = stepwell.start_run(name="mine")
    assert stepwell.active_run() is None
    with create_loss_visualizer() as visualizer:
        assert visualizer.run is not run
    run.finish()


def test_a_run_of_init_is_held_and_one_of_start_run_is_not(rows: Rows) -> None:
    stepwell.init(name="outer")
    stepwell.init(name="inner")
    stepwell.start_run(name="dropped")
    gc.collect()

    active = stepwell.active_run()
    assert active is not None
    assert active.name == "inner"
    assert rows("select name, status from runs order by name") == [
        ("dropped", "finished"),
        ("inner", "running"),
        ("outer", "running"),
    ]
    active.finish()
    del active
    outer = stepwell.active_run()
    assert outer is not None
    assert outer.name == "outer"


def test_threads_with_a_run_each_have_their_own() -> None:
    both_began, both_looked = threading.Barrier(2), threading.Barrier(2)

    def train() -> bool:
        with stepwell.init() as run:
            both_began.wait(30)
            is_own = stepwell.active_run() is run
            both_looked.wait(30)
        return is_own

    with ThreadPoolExecutor(2) as pool:
        assert [future.result() for future in [pool.submit(train) for _ in "ab"]] == [
            True,
            True,
        ]


def test_a_thread_without_a_run_gets_the_newest_of_the_process() -> None:
    first = stepwell.init()
    second = in_a_thread(stepwell.init)
    assert stepwell.active_run() is first
    assert in_a_thread(stepwell.active_run) is second
    second.finish()
    assert in_a_thread(stepwell.active_run) is first
    # As a notebook's cell whose context has gone.
    assert Context().run(stepwell.active_run) is first


def test_tasks_with_a_run_each_have_their_own() -> None:
    async def train(number: int) -> list[Run | None]:
        found: list[Run | None] = []
        with stepwell.init(name=f"task {number}") as run:
            for _ in range(3):
                await asyncio.sleep(0)
                found.append(stepwell.active_run())
        return [other for other in found if other is not run]

    async def main() -> list[list[Run | None]]:
        return list(await asyncio.gather(*map(train, range(5))))

    with stepwell.init() as outer:
        assert asyncio.run(main()) == [[]] * 5
        assert stepwell.active_run() is outer


@pytest.mark.parametrize("front_end", ["plots", "terminal", "both"])
def test_trials_in_four_threads_are_eight_runs_with_their_own_points(
    front_end: str, rows: Rows, quiet_terminal: None
) -> None:
    together = threading.Barrier(4)

    def trial(number: int) -> None:
        together.wait(30)
        with stepwell.init(project="sweep", name=f"trial {number}", config={"x": number}):
            together.wait(30)
            plots = create_custom_visualizer({"loss": 0}, ["Loss"], (1, 1), window="none")
            terminal = RichTrainerVisualizer()
            for step in range(5):
                if front_end != "terminal":
                    plots.update_metrics({"loss": number + step / 10}, step)
                if front_end != "plots":
                    custom = {"loss": number + step / 10}
                    terminal.update(TrainingSnapshot(step, custom_metrics=custom))
            terminal.close()
            plots.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(trial, range(8)))

    found = rows(
        "select r.name, count(*), min(value), max(value), any_value(status)"
        " from points p join runs r using (run_id) group by all order by 1"
    )
    assert found == [
        (f"trial {number}", 5, number, number + 0.4, "finished") for number in range(8)
    ]


@pytest.fixture
def quiet_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is printed by the views; what is shown is no matter here."""
    monkeypatch.setattr("builtins.print", lambda *_, **__: None)


def test_a_left_behind_view_is_not_joined_when_its_cell_runs_again(rows: Rows) -> None:
    def cell(loss: float) -> RichTrainerVisualizer:
        view = RichTrainerVisualizer()
        view.update(TrainingSnapshot(0, train_loss=loss))
        return view

    first = cell(1.0)
    second = cell(2.0)  # the first is still there, as after an interrupt
    assert second.run is not first.run
    first.close()
    second.close()

    assert rows("select value from points order by value") == [(1.0,), (2.0,)]


def test_a_view_is_not_joined_to_plots_that_have_recorded_before() -> None:
    plots = create_loss_visualizer()
    plots.update_metrics({"train_loss": 1.0})
    view = RichTrainerVisualizer()
    assert view.run is not plots.run
    view.close()
    plots.close()


def test_plots_and_view_made_together_again_are_a_second_run() -> None:
    def cell() -> tuple[Any, RichTrainerVisualizer]:
        return create_loss_visualizer(), RichTrainerVisualizer()

    plots, view = cell()
    plots.update_metrics({"train_loss": 1.0})
    plots_again, view_again = cell()
    assert view.run is plots.run
    assert view_again.run is plots_again.run
    assert plots_again.run is not plots.run
    other_view = RichTrainerVisualizer()
    assert other_view.run is not plots_again.run  # it has its view

    for front_end in (other_view, view_again, plots_again, view, plots):
        front_end.close()


def test_a_view_joins_the_plots_of_its_own_thread() -> None:
    mine = create_loss_visualizer()

    def of_another_thread() -> bool:
        with create_loss_visualizer() as plots, RichTrainerVisualizer() as view:
            return view.run is plots.run

    def without_plots() -> bool:
        with RichTrainerVisualizer() as view:
            return view.run is mine.run

    assert in_a_thread(of_another_thread)
    assert not in_a_thread(without_plots)
    with RichTrainerVisualizer() as view:
        assert view.run is mine.run
    mine.close()


def test_a_view_joins_plots_that_were_given_their_run() -> None:
    with stepwell.start_run(name="given") as run:
        create_loss_visualizer(run=run)
        assert RichTrainerVisualizer().run is run


def by_variable(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("STEPWELL_STORE", str(folder / "other.duckdb"))


def by_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("change", [by_variable, by_folder])
@pytest.mark.parametrize("given", [True, False])
def test_a_run_left_open_takes_in_nothing_of_another_store(
    change: Callable[..., None],
    given: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("STEPWELL_STORE")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    left_open = stepwell.init(store=tmp_path / "given.duckdb" if given else None)
    change(monkeypatch, tmp_path / "two")

    with pytest.warns(StoreWarning, match=r"is open and not joined, .*two"):
        plots = create_loss_visualizer()
    plots.update_metrics({"train_loss": 1.0})
    assert plots.run.location.parent == tmp_path / "two"
    with pytest.warns(StoreWarning, match="is open and not joined"):
        assert RichTrainerVisualizer().run is not left_open
    plots.close()
    assert left_open.current_step == -1
    assert stepwell.active_run() is left_open  # who asks for it gets it

    with stepwell.init(), create_loss_visualizer() as here:
        assert here.run.location.parent == tmp_path / "two"
    left_open.finish()


def test_a_run_of_what_has_become_the_default_store_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "runs.duckdb"
    with stepwell.init(store=store) as run:
        monkeypatch.setenv("STEPWELL_STORE", str(store))
        with create_loss_visualizer() as visualizer:
            assert visualizer.run is run
