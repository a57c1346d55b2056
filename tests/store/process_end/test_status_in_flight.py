"""What ends a run while an exception is on its way says so, unless it is told otherwise."""

import contextlib
import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stepwell
from m.rich_trainer_viz import RichTrainerVisualizer
from m.training_viz import create_loss_visualizer
from stepwell import DualVisualizationSystem
from stepwell.store import Run, Store, StoreWarning, start_run

FAILED = ("failed", "ValueError: no gradient")


@pytest.fixture(autouse=True)
def here(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))


def ends() -> list[tuple[str, str | None]]:
    return [(run.status, run.exit_message) for run in reversed(Store().runs())]


def begun() -> Run:
    run = start_run()
    run.log({"loss": 1.0})
    return run


def with_run(finish: Callable[[Run], None]) -> Callable[[], Callable[[], None]]:
    def make() -> Callable[[], None]:
        run = begun()
        return lambda: finish(run)

    return make


def visualizer() -> Callable[[], None]:
    made = create_loss_visualizer()
    made.update_metrics({"train_loss": 1.0})
    return made.close


def terminal() -> Callable[[], None]:
    made = RichTrainerVisualizer()
    made.start()
    return made.close


def dual() -> Callable[[], None]:
    made = DualVisualizationSystem(10)
    made.initialize()
    return made.cleanup


WAYS = [with_run(Run.finish), visualizer, terminal, dual]


@pytest.mark.parametrize("way", WAYS, ids=["finish", "visualizer", "terminal", "dual"])
@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ValueError("no gradient"), FAILED),
        (KeyboardInterrupt(), ("interrupted", "KeyboardInterrupt")),
        (SystemExit(3), ("failed", "SystemExit: 3")),
        (SystemExit(0), ("finished", None)),
        (None, ("finished", None)),
    ],
    ids=["error", "interrupt", "exit", "exit 0", "nothing"],
)
def test_what_is_closed_in_a_finally_says_why(
    way: Callable[[], Callable[[], None]],
    error: BaseException | None,
    end: tuple[str, str | None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    finish = way()
    with contextlib.suppress(ValueError, KeyboardInterrupt, SystemExit):
        try:
            if error is not None:
                raise error
        finally:
            finish()
    assert ends() == [end]
    assert len(capsys.readouterr().out) >= 0


def test_what_is_finished_while_it_is_handled_failed() -> None:
    run = begun()
    try:
        raise ValueError("no gradient")
    except ValueError:
        run.finish()
    assert ends() == [FAILED]


def test_what_has_been_handled_is_past() -> None:
    run = begun()
    with contextlib.suppress(ValueError):
        raise ValueError("no gradient")
    run.finish()
    assert ends() == [("finished", None)]


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_that_began_while_another_trouble_was_handled(fails: bool) -> None:
    """As in a second attempt with a smaller batch."""
    try:
        raise MemoryError("out of memory")
    except MemoryError:
        run = begun()
        with contextlib.suppress(ValueError):
            try:
                if fails:
                    raise ValueError("no gradient") from None
            finally:
                run.finish()
    assert ends() == [FAILED if fails else ("finished", None)]


def test_the_same_exception_ends_the_outer_run_and_not_the_inner_one() -> None:
    outer = begun()
    try:
        raise ValueError("no gradient")
    except ValueError:
        with start_run():
            pass
        begun().finish()
        outer.finish()
    assert ends() == [FAILED, ("finished", None), ("finished", None)]


def test_a_generator_that_is_closed_early_has_not_failed() -> None:
    def steps() -> Iterator[int]:
        run = begun()
        try:
            yield from range(10)
        finally:
            run.finish()

    numbers = steps()
    next(numbers)
    numbers.close()  # type: ignore[attr-defined]
    with start_run():
        pass
    assert ends() == [("finished", None)] * 2


@pytest.mark.parametrize(
    ("arguments", "keywords", "end"),
    [
        (("finished",), {}, ("finished", None)),
        (("interrupted",), {}, ("interrupted", None)),
        (("failed", "by hand"), {}, ("failed", "by hand")),
        ((0,), {}, ("finished", None)),
        ((1,), {}, ("failed", "exit code 1")),
        ((137, "killed"), {}, ("failed", "killed")),
        ((), {"exit_code": 1}, ("failed", "exit code 1")),
        ((), {"exit_code": 0}, ("finished", None)),
        ((), {"message": "said"}, ("failed", "said")),
        ((), {}, FAILED),
    ],
)
def test_what_is_said_counts_more(
    arguments: tuple[Any, ...], keywords: dict[str, Any], end: tuple[str, str | None]
) -> None:
    run = begun()
    try:
        raise ValueError("no gradient")
    except ValueError:
        run.finish(*arguments, **keywords)
    assert ends() == [end]


@pytest.mark.parametrize("status", [True, "done", 1.0, ("failed",)])
def test_a_status_that_is_none_is_warned_about(status: Any) -> None:
    run = begun()
    with pytest.warns(StoreWarning, match="is unknown; recorded as finished"):
        run.finish(status)
    assert ends() == [("finished", str(status))]


def test_an_exit_code_of_one_is_a_failure_of_a_run_that_went_well() -> None:
    begun().finish(1)
    begun().finish(exit_code=2)
    begun().finish("failed")
    assert ends() == [
        ("failed", "exit code 1"),
        ("failed", "exit code 2"),
        ("failed", None),
    ]


def test_an_exception_without_a_text_of_its_own_ends_a_run() -> None:
    class RefusesError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    with contextlib.suppress(RefusesError), begun():
        raise RefusesError
    assert ends() == [("failed", "RefusesError")]


def test_a_disabled_run_is_closed_as_any_other() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = stepwell.init(mode="disabled")
        try:
            raise ValueError("no gradient")
        except ValueError:
            run.finish()
        assert not run.is_open


def test_nothing_holds_a_run_that_is_left_behind() -> None:
    gc.collect()
    gc.disable()
    try:
        begun()  # the first of this process, and one that began in another thread
        thread = threading.Thread(target=begun)
        thread.start()
        thread.join()
        assert ends() == [("finished", None)] * 2
    finally:
        gc.enable()
