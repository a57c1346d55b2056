"""What a program's signal handler raises within a call reaches it; no record is torn."""

import contextlib
import functools
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest

from stepwell.store import Run, Store, raise_if_of_handler, start_run
from stepwell.store.inputs.json_values import plain_config
from stepwell.viz import create_custom_visualizer

KINDS = [TimeoutError, RuntimeError, ValueError, TypeError]


@contextlib.contextmanager
def raising(kind: type[Exception], number: int = signal.SIGUSR1) -> Iterator[None]:
    """A handler that raises stands meanwhile."""

    def handle(number: int, frame: object) -> NoReturn:
        raise kind("time is over")

    before = signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.fixture
def run(store_path: Path) -> Iterator[Run]:
    with start_run(store=store_path) as run:
        run.log({"loss": 0.0})
        yield run


def strike(*_: object) -> Any:
    os.kill(os.getpid(), signal.SIGUSR1)
    return 1


class Striking:
    """A value in whose code the signal arrives."""

    __float__ = __int__ = item = strike
    shape = (2,)


class StrikingText:
    def __repr__(self) -> str:
        strike()
        return ""


class StrikingMapping(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        strike()

    def __iter__(self) -> Iterator[str]:
        strike()
        return iter("a")

    def __len__(self) -> int:
        return 1


CALLS: dict[str, Callable[[Run], object]] = {
    "value": lambda run: run.log({"loss": Striking()}),
    "step": lambda run: run.log({"loss": 1.0}, step=Striking()),  # type: ignore[arg-type]
    "step's text": lambda run: run.log({"loss": 1}, StrikingText()),  # type: ignore[arg-type]
    "name": lambda run: run.log({StrikingText(): 1}),  # type: ignore[dict-item]
    "metrics": lambda run: run.log(StrikingMapping()),
    "nested metrics": lambda run: run.log({"a": StrikingMapping()}),
    "config": lambda run: run.config.update({"a": Striking()}),
    "config's part": lambda run: run.config.update({"a": [StrikingText()]}),
    "config's mapping": lambda run: run.config.update({"a": StrikingMapping()}),
    "whole config": lambda run: run.config.update(StrikingMapping()),
    "tag": lambda run: run.add_tags(StrikingText()),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_an_exception_of_a_handler_reaches_the_program(
    run: Run, call: Callable[[Run], object]
) -> None:
    for kind in KINDS:
        with raising(kind), pytest.raises(kind, match="time is over"):
            call(run)
    run.log({"loss": 1.0}, step=7)
    assert run.series("loss").steps.tolist() == [0, 7]


@pytest.mark.parametrize("place", ["write", "fdatasync"])
@pytest.mark.parametrize("when", ["before", "after", "half"])
def test_a_record_is_whole_or_absent(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, when: str
) -> None:
    kind = OSError if when == "half" else RuntimeError
    real = getattr(os, place)

    def struck(file: int, *data: bytes) -> Any:
        if threading.current_thread() is not threading.main_thread():
            return real(file, *data)
        monkeypatch.undo()
        if when == "after":
            real(file, *data)
        elif when == "half" and data:
            real(file, data[0][: len(data[0]) // 2])
        return strike()

    with start_run(store=store_path, durability="fsync") as run:
        run.log({"loss": 0.0}, step=0)
        monkeypatch.setattr(os, place, struck)
        with raising(kind), pytest.raises(kind, match="time is over"):
            run.log({"loss": 1.0}, step=1)
        run.log({"loss": 2.0}, step=2)
        is_there = place == "fdatasync" or when == "after"
        expected = [0, 1, 2] if is_there else [0, 2]
        assert run.series("loss").steps.tolist() == expected
        writer = run._writer
        assert writer.journal.size == os.fstat(writer.journal._file).st_size
        assert not writer.journal.lost


def test_a_storm_of_signals_leaves_whole_records_and_free_locks(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is raised while an object is collected reaches nobody.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    raised, made, recorded = 0, 0, 0
    is_over = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal raised
        if is_over:
            return  # else the next one would end the process
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 4e-4))
        while frame is not None:
            if frame.f_code is Run.log.__code__:
                raised += 1
                raise TimeoutError("time is over")
            frame = frame.f_back

    run = start_run(store=store_path)
    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-4)
        while raised < 600:
            with contextlib.suppress(TimeoutError):
                for _ in range(100):
                    made += 1
                    run.log({f"m{made % 50}": 1.0, "loss": float(made)}, step=made)
                    recorded += 1
    finally:
        is_over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    free = threading.Thread(target=run.log, args=({"end": 1.0}, made + 1))
    free.start()
    free.join(60)
    assert not free.is_alive()
    run.finish()
    found = Store(store_path).series(run.id, "loss")
    steps = found.steps.tolist()
    assert steps == sorted(set(steps)) == [int(value) for value in found.values]
    assert recorded <= len(steps) <= made
    assert len(Store(store_path).series(run.id, "end").steps) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_raised_while_a_call_waits_for_another_thread(
    run: Run, kind: type[Exception]
) -> None:
    taken, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with run._writer.lock:
            taken.set()
            enough.wait(5)
        run.log({"loss": 1.0})

    other = threading.Thread(target=hold)
    other.start()
    taken.wait(60)
    with raising(kind, signal.SIGALRM), pytest.raises(kind, match="time is over"):
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        run.log({"loss": 9.0})
    enough.set()
    other.join(60)
    assert not other.is_alive()
    run.log({"loss": 2.0})
    assert run.series("loss").values.tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_that_logs_and_raises_within_a_call_leaves_the_lock_free(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    write = os.write

    def handle(*_: object) -> NoReturn:
        monkeypatch.setattr(os, "write", write)
        run.log({"loss": 1.0})
        raise kind("time is over")

    def struck(file: int, data: bytes) -> int:
        strike()
        return write(file, data)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        monkeypatch.setattr(os, "write", struck)
        with pytest.raises(kind, match="time is over"):
            run.log({"loss": 9.0})
    finally:
        signal.signal(signal.SIGUSR1, before)
    other = threading.Thread(target=run.log, args=({"loss": 2.0},))
    other.start()
    other.join(60)
    assert not other.is_alive()
    assert run.series("loss").values.tolist() == [0, 1, 2]


HANDLERS: dict[str, Callable[[type[Exception]], Any]] = {}


def handler(make: Callable[[type[Exception]], Any]) -> Callable[[type[Exception]], Any]:
    HANDLERS[make.__name__] = make
    return make


@handler
def method(kind: type[Exception]) -> Any:
    class Limit:
        def handle(self, *_: object) -> NoReturn:
            raise kind("time is over")

    return Limit().handle


@handler
def callable_object(kind: type[Exception]) -> Any:
    class Limit:
        def __call__(self, number: int, frame: object) -> NoReturn:
            raise kind("time is over")

    return Limit()


@handler
def partial(kind: type[Exception]) -> Any:
    def handle(why: str, number: int, frame: object) -> NoReturn:
        raise kind(why)

    return functools.partial(handle, "time is over")


@handler
def one_that_ends_itself(kind: type[Exception]) -> Any:
    def handle(*arguments: object) -> NoReturn:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        raise kind("time is over")

    return handle


@handler
def one_that_calls_others(kind: type[Exception]) -> Any:
    def fail() -> NoReturn:
        raise kind("time is over")

    def handle(number: int, frame: object) -> None:
        del frame
        try:
            fail()
        except kind as error:
            raise kind("time is over") from error

    return handle


@pytest.mark.parametrize("make", HANDLERS.values(), ids=HANDLERS.keys())
@pytest.mark.parametrize("call", ["value", "config's part"])
def test_any_kind_of_handler_is_known(
    run: Run, make: Callable[[type[Exception]], Any], call: str
) -> None:
    before = signal.signal(signal.SIGUSR1, make(TimeoutError))
    try:
        with pytest.raises(TimeoutError, match="time is over"):
            CALLS[call](run)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("kind", [TimeoutError, ValueError])
def test_an_exception_of_a_value_itself_is_told_apart(
    run: Run, kind: type[Exception]
) -> None:
    class Bad:
        def __float__(self) -> float:
            raise kind("its own")

        __str__ = __float__  # type: ignore[assignment]

    try:
        with raising(kind):
            strike()
    except kind:  # one that is over is no reason
        with pytest.warns(match="its own"):
            run.log({"bad": Bad(), "loss": 2.0})
        with pytest.warns(match="has no text"):
            assert plain_config({"a": Bad(), "b": 1}) == {"a": "<Bad>", "b": 1}
    assert len(run.series("loss").steps) == 2


def test_a_visualizer_passes_it_on(store_path: Path) -> None:
    with start_run(store=store_path) as run:
        visualizer = create_custom_visualizer({"loss": 0}, ["Loss"], (1, 1), run=run)
        with raising(OSError), pytest.raises(OSError, match="time is over"):
            visualizer.update_metrics({"loss": Striking()}, step=0)
        visualizer.close()


def test_what_nobody_raised_is_not_of_a_handler() -> None:
    raise_if_of_handler(ValueError("never raised"))
