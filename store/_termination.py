"""What a process does first when it is told to end by SIGTERM.

The handler stands only while there is something to do: a process whose runs have ended
ends by the signal itself. (A handler written in Python is not called while C code waits
for a lock, if the signal arrives just before that wait; a worker of a pool could live on.)
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

_acts: list[Callable[[], None]] = []


def before_termination(act: Callable[[], None]) -> Callable[[], None]:
    """Have *act* called when the process is told to end by SIGTERM.

    Only where nobody else minds that signal.

    Returns:
        What undoes it; harmless when it was undone.
    """
    _acts.append(act)
    watch_termination()

    def forget() -> None:
        with contextlib.suppress(ValueError):
            _acts.remove(act)
        if not _acts:
            unwatch_termination()

    return forget


def watch_termination() -> None:
    """Mind the signal, where nobody else does: no program behaves otherwise than before."""
    if _is_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def unwatch_termination() -> None:
    """Mind the signal no longer; callable anywhere."""
    if _is_main_thread() and signal.getsignal(signal.SIGTERM) is _terminated:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _terminated(number: int, frame: Any) -> None:
    del frame
    for act in tuple(_acts):
        with contextlib.suppress(Exception):  # the process ends in any case
            act()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
