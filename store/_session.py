"""The open runs of this process, and how they end when it does."""

import atexit
import contextlib
import os
import sys
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from ._active_run import release_ended
from ._caller import warn_caller
from ._errors import StoreWarning
from ._keeper import keeper
from ._location import Location
from ._signals import raise_if_of_handler
from ._termination import before_termination, unwatch_termination
from ._writer import RunWriter

if TYPE_CHECKING:
    from ._run import Run

ENDS = ("finished", "failed", "interrupted")
"""How a run can end."""

_INTERRUPT = "KeyboardInterrupt"

FOLD_SECONDS = 20.0
"""How long the end of a run waits for its last fold; the journal keeps what was not."""

_writers: list[RunWriter] = []
_prepared = False
_forget_termination: Callable[[], None] | None = None


def open_run(
    run: "Run", writer: RunWriter, errand: Callable[[], None] | None = None
) -> None:
    """Take note of a run that has begun; it is finished when it is left behind."""
    global _forget_termination  # noqa: PLW0603
    _prepare()
    if _forget_termination is None:
        _forget_termination = before_termination(_interrupt)
    _writers.append(writer)
    keeper.add(writer, errand)
    weakref.finalize(run, _leave, writer).atexit = False


def close_run(writer: RunWriter, status: str, message: str | None) -> None:
    """End a run and fold it; never raises."""
    if writer.is_open:
        _end(writer, status, message)
        if writer.header.primary:
            fold_now(writer.location)


def fold_now(location: Location) -> None:
    """Fold a store here or in the helper; trouble is said once, the journal stays."""
    deadline = time.monotonic() + FOLD_SECONDS
    # A process that has not loaded DuckDB need not do so now, perhaps at its very end.
    if keeper.fold(location, FOLD_SECONDS, start="duckdb" not in sys.modules):
        return
    try:
        from ._fold import fold  # noqa: PLC0415 (loads DuckDB)
        from ._lease import lease_of  # noqa: PLC0415

        fold(lease_of(location), seconds=max(0.1, deadline - time.monotonic()))
    except Exception as error:  # noqa: BLE001 (the end of a run never raises)
        raise_if_of_handler(error)
        with contextlib.suppress(StoreWarning):
            warn_caller(
                f"the journals of {location} were not folded yet, and stay: {error}",
                StoreWarning,
            )


def _end(writer: RunWriter, status: str, message: str | None) -> None:
    writer.finish(status, message)
    release_ended()
    keeper.remove(writer)
    _strike_off(writer)


def _strike_off(writer: RunWriter) -> None:
    global _forget_termination  # noqa: PLW0603
    with contextlib.suppress(ValueError):  # another thread may be ending it, too
        _writers.remove(writer)
    if not _writers and _forget_termination is not None:
        _forget_termination()
        _forget_termination = None


def _leave(writer: RunWriter) -> None:
    # Called by the garbage collector, anywhere: one small write, no waiting, no lock of
    # the keeper's, which the interrupted code may hold.
    if writer.is_open:
        writer.finish("finished", None)
        _strike_off(writer)
        keeper.leave(writer)


def _prepare() -> None:
    global _prepared  # noqa: PLW0603
    if _prepared:
        return
    _prepared = True
    atexit.register(_at_exit)
    os.register_at_fork(after_in_child=_after_fork)


def _interrupt() -> None:
    for writer in tuple(_writers):
        writer.finish("interrupted", "SIGTERM")


def _at_exit() -> None:
    status, message = _how_it_ended()
    locations = {w.location for w in _writers if w.header.primary}
    for writer in tuple(_writers):
        _end(writer, status, message)
    for location in locations:
        fold_now(location)
    keeper.stop(for_good=True)
    if message == _INTERRUPT:
        _keep_exit_code()


def _keep_exit_code() -> None:
    # Python ends by SIGINT after a KeyboardInterrupt, unless text was executed since then,
    # as modules with dataclasses do when a fold loads them. This makes it remember.
    with contextlib.suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")


def _how_it_ended() -> tuple[str, str | None]:
    # The interpreter sets `last_value` when it prints an exception that ends the program.
    error = getattr(sys, "last_value", None)
    interactive = hasattr(sys, "ps1") or "IPython" in sys.modules
    return ("finished", None) if error is None or interactive else describe_end(error)


def describe_end(error: BaseException) -> tuple[str, str | None]:
    """The status and message of a run that an exception ended."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", _INTERRUPT
    if isinstance(error, SystemExit) and error.code in {None, 0}:
        return "finished", None
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return "failed", text[:2000]


def _after_fork() -> None:
    unwatch_termination()  # until the child records something
    keeper.forget()
    for writer in _writers:
        writer.leave_to_parent()
