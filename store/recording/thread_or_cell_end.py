"""What ended a part of the process: a thread, a notebook's cell, a task of an executor.

Whatever ends the run later says so, unless the run was logged to since then.
"""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from stepwell.store.base.watch_calls import tell_of_calls
from stepwell.store.process_end.end_status import End, concerns, describe_end
from stepwell.store.process_end.exit_code import shell

from .run_writer import RunWriter

_HOOK = "_invoke_excepthook"
_SEND = "_sendback_result"


class _Noted(NamedTuple):
    """How a part of the process ended.

    Attributes:
        end: What that means for the run.
        size: Bytes of its points by then.
    """

    end: End
    size: int


_noted: dict[RunWriter, _Noted] = {}
_sizes: dict[RunWriter, int] = {}  # bytes of points at the end of the latest part
_by_thread: "WeakKeyDictionary[threading.Thread, list[RunWriter]]" = WeakKeyDictionary()
_put_back: list[Callable[[], None]] = []


def watch_parts(writer: RunWriter) -> None:
    """Mind what ends the parts of this process that a run may belong to."""
    _sizes[writer] = -1  # the part that begins a run has to do with it
    _watch_thread(writer)
    if not _put_back:
        _watch_cells()
        _watch_tasks()


def unwatch_parts(writer: RunWriter, *, is_last: bool) -> None:
    """Mind the run no longer, and with the last one nothing."""
    _noted.pop(writer, None)
    _sizes.pop(writer, None)
    while is_last and _put_back:
        _put_back.pop()()


def noted_end(writer: RunWriter) -> End | None:
    """How the part of the process ended that logged to a run last, if by an exception."""
    noted = _noted.get(writer)
    return noted.end if noted is not None and noted.size == writer.points_size else None


def _end_part(error: BaseException | None) -> None:
    for writer, size in tuple(_sizes.items()):
        if size == writer.points_size:
            continue  # it was another part's matter
        _sizes[writer] = writer.points_size
        _note(writer, error)


def _note(writer: RunWriter, error: BaseException | None) -> None:
    if error is None or not concerns(error, writer.header.writer):
        _noted.pop(writer, None)
    else:
        _noted[writer] = _Noted(describe_end(error), writer.points_size)


def _watch_thread(writer: RunWriter) -> None:
    thread = threading.current_thread()
    known = _by_thread.get(thread)
    if known is not None:
        known[:] = [one for one in known if one.is_open] + [writer]
    # The thread's own hook: that of all threads may be anybody's at any time.
    elif thread is not threading.main_thread() and hasattr(thread, _HOOK):
        _by_thread[thread] = [writer]
        tell_of_calls(thread, _HOOK, _end_thread)


def _end_thread(thread: threading.Thread) -> None:
    for writer in _by_thread.pop(thread, ()):
        if writer.is_open:
            _note(writer, sys.exception())


def _watch_cells() -> None:
    ipython = shell()
    if ipython is None:
        return

    def end_cell(result: Any) -> None:
        _end_part(result.error_in_exec or result.error_before_exec)

    def put_back() -> None:
        with suppress(ValueError):
            ipython.events.unregister("post_run_cell", end_cell)

    ipython.events.register("post_run_cell", end_cell)
    _put_back.append(put_back)


def _watch_tasks() -> None:
    """Mind the tasks of a `ProcessPoolExecutor` whose worker this process may be."""
    module: Any = sys.modules.get("concurrent.futures.process")
    if hasattr(module, _SEND):
        _put_back.append(tell_of_calls(module, _SEND, _end_task))


def _end_task(*_: Any, **__: Any) -> None:
    _end_part(sys.exception())
