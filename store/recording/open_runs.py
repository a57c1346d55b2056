"""The open runs of this process, and how they end when it does."""

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from stepwell.store.base.errors import StoreWarning
from stepwell.store.base.signal_exceptions import raise_if_of_handler
from stepwell.store.base.warn_caller import warn_caller
from stepwell.store.files.location import Location
from stepwell.store.process_end.daemon_threads import keeping_end_off
from stepwell.store.process_end.end_status import (
    FINISHED,
    INTERRUPT,
    End,
    concerns,
    describe_end,
    end_in_flight,
    mark_in_flight,
)
from stepwell.store.process_end.exit_code import (
    forget_exit,
    how_process_ended,
    unwatch_exits,
    watch_exits,
)
from stepwell.store.process_end.multiprocessing_child import (
    before_child_ends,
    is_idle_worker,
)
from stepwell.store.process_end.sigterm import before_termination

from .background import keeper
from .run_writer import RunWriter
from .thread_or_cell_end import noted_end, unwatch_parts, watch_parts

if TYPE_CHECKING:

    class _OpenRun(Protocol):
        """What is asked of a run here."""

        _writer: RunWriter

        @property
        def is_disabled(self) -> bool: ...


FOLD_SECONDS = 20.0
"""How long an end waits for its last fold; the journal keeps what was not."""


class Begun(NamedTuple):
    """A run of `init`.

    Attributes:
        run: The run; this process holds it until it ends.
        default: The store that was the default one when it began.
    """

    run: Any
    default: Location | None


begun: dict[int, Begun] = {}  # by the run's id(), oldest first; each step is atomic
_writers: list[RunWriter] = []
_prepared = False
_masks = threading.local()
_process = 0  # whose the open runs are
_forget_termination: Callable[[], None] | None = None


def open_run(
    run: "_OpenRun", writer: RunWriter, errand: Callable[[], None] | None = None
) -> None:
    """Take note of a run that has begun; it is finished when it is left behind."""
    global _forget_termination  # noqa: PLW0603
    _prepare()
    if _forget_termination is None:
        _forget_termination = before_termination(_interrupt)
    mark_in_flight(writer.header.writer)
    watch_exits()
    watch_parts(writer)
    before_child_ends(_at_child_end)
    _writers.append(writer)
    keeper.add(writer, errand)
    # Else it would be called at exit, too, perhaps before `_at_exit`, and call a run
    # finished that an exception has ended.
    weakref.finalize(run, _leave, writer).atexit = False


def end_by_now(run: "_OpenRun") -> End:
    """How a run ends when it is said to end now, and nothing else is said."""
    if run.is_disabled:
        return FINISHED
    writer = run._writer  # noqa: SLF001 (nobody's business but the store's)
    return end_in_flight(writer.header.writer) or noted_end(writer) or FINISHED


def close_run(writer: RunWriter, end: End, *, wait: bool = False) -> None:
    """End a run, and have it folded soon; never raises.

    Args:
        writer: The run's.
        end: How it ends.
        wait: Whether to wait until it is folded, also where it has ended before.
    """
    _be_this_process()
    if writer.is_open:
        _end(writer, end)
        # Whoever reads folds first, so nothing is missed until then.
        if writer.header.primary and not writer.journal.is_moved:
            wait = not keeper.fold_soon(writer) or wait
    if wait and writer.journal.path.exists():
        fold_now(writer.location)
        keeper.unfolded()  # what has just been folded counts no more


def fold_now(location: Location) -> None:
    """Fold a store here or in the helper; trouble is said once, the journal stays."""
    deadline = time.monotonic() + FOLD_SECONDS
    # A process that has not loaded DuckDB need not do so now, perhaps at its very end.
    if keeper.fold(location, FOLD_SECONDS, start="duckdb" not in sys.modules):
        return
    try:
        with keeping_end_off():
            from stepwell.store.database.lease import lease_of  # noqa: PLC0415
            from stepwell.store.ingest.ingest import fold  # noqa: PLC0415 (loads DuckDB)

            fold(lease_of(location), seconds=max(0.1, deadline - time.monotonic()))
    except Exception as error:  # noqa: BLE001 (the end of a run never raises)
        raise_if_of_handler(error)
        with contextlib.suppress(StoreWarning):
            warn_caller(
                f"the journals of {location} were not folded yet, and stay: {error}",
                StoreWarning,
            )


def _end(writer: RunWriter, end: End) -> None:
    writer.finish(*end)
    _release_ended()
    keeper.remove(writer)
    _strike_off(writer)


def _release_ended() -> None:
    """Hold those runs no longer that have ended."""
    for number, known in tuple(begun.items()):
        if not known.run.is_open:
            begun.pop(number, None)


def _strike_off(writer: RunWriter) -> None:
    global _forget_termination  # noqa: PLW0603
    with contextlib.suppress(ValueError):  # another thread may be ending it, too
        _writers.remove(writer)
    unwatch_parts(writer, is_last=not _writers)
    if not _writers and _forget_termination is not None:
        _forget_termination()
        _forget_termination = None
        unwatch_exits()


def _leave(writer: RunWriter) -> None:
    # Called by the garbage collector, anywhere: one small write, no waiting, no lock of
    # the keeper's, which the interrupted code may hold.
    if writer.is_open:
        writer.finish(*(noted_end(writer) or FINISHED))
        _strike_off(writer)
        keeper.leave(writer)


def _prepare() -> None:
    global _prepared, _process
    if _prepared:
        return
    _prepared, _process = True, os.getpid()
    atexit.register(_at_exit)
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork,
        after_in_child=_after_fork_in_child,
    )


def _interrupt(frame: FrameType | None) -> None:
    is_idle = is_idle_worker(frame)
    # One record each and no fold: after SIGTERM a SIGKILL may follow soon. Readers fold.
    for writer in tuple(_writers):
        end = FINISHED if is_idle else End("interrupted", "SIGTERM")
        writer.finish(*(noted_end(writer) or end))


def _at_exit() -> None:
    _be_this_process()
    # Both before any run is ended: with the last one `sys.exit` is watched no more, what it
    # was given is forgotten, and a writer that has ended is in no list.
    end = how_process_ended()
    primary = [writer for writer in _writers if writer.header.primary]
    for writer in tuple(_writers):
        _end(writer, noted_end(writer) or end)
    ended_now = {w.location for w in primary if not w.journal.is_moved}
    for location in ended_now | keeper.unfolded():
        fold_now(location)
    keeper.stop(for_good=True)
    if end.message == INTERRUPT:
        _keep_exit_code()


def _at_child_end(error: BaseException | None) -> None:
    # What ends now is folded by readers: the child's parent may wait. It has waited for
    # what was finished before.
    finished = keeper.unfolded()
    for writer in tuple(_writers):
        is_its = error is not None and concerns(error, writer.header.writer)
        _end(writer, (describe_end(error) if is_its else noted_end(writer)) or FINISHED)
    for location in finished:
        fold_now(location)


def _keep_exit_code() -> None:
    # Python ends by SIGINT after a KeyboardInterrupt, unless text was executed since then,
    # as modules with dataclasses do when a fold loads them. This makes it remember.
    with contextlib.suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")


def _before_fork() -> None:
    # Ctrl-C waits until a child is one: a lock that another thread holds stays locked in
    # it until the hook has made a new one.
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _after_fork() -> None:
    mask = _masks.__dict__.pop("before", None)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _after_fork_in_child() -> None:
    _leave_to_parent()
    _after_fork()


def _leave_to_parent() -> None:
    global _process  # noqa: PLW0603
    for writer in _writers:
        writer.leave_to_parent()
    forget_exit()
    keeper.forget()
    _process = os.getpid()


def _be_this_process() -> None:
    # Ctrl-C just before the fork may have ended the first hook, and another one the last.
    if _process != os.getpid():
        _leave_to_parent()
