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
from types import FrameType

from .main_thread import do_in_main_thread
from .signal_relay import forget_relay, relay, stop_relaying

_acts: list[Callable[[FrameType | None], None]] = []
_is_wanted = False
_masks = threading.local()


def before_termination(
    act: Callable[[FrameType | None], None],
) -> Callable[[], None]:
    """Have *act* called when the process is told to end by SIGTERM.

    Only where nobody else minds that signal.

    Args:
        act: Called with the frame in which the signal found the main thread.

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
    _want(watching=True)


def unwatch_termination() -> None:
    """Mind the signal no longer; callable anywhere."""
    _want(watching=False)


def _want(*, watching: bool) -> None:
    global _is_wanted  # noqa: PLW0603 (one a process, by nature)
    # Other threads ask only for a change, as each asking is a signal. The main thread
    # always settles, since what others asked for may not have been possible.
    if watching != _is_wanted or threading.current_thread() is threading.main_thread():
        _is_wanted = watching
        do_in_main_thread(_settle)


def _settle() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with contextlib.suppress(ValueError):  # a sub-interpreter may mind no signal
        if _is_wanted and handler is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _terminated)
            relay(signal.SIGTERM)
        elif not _is_wanted:
            stop_relaying(signal.SIGTERM)
            if handler is _terminated:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _before_fork() -> None:
    # A child is forked with the handler of its parent: a signal that reaches it before it
    # is a child's own would end the parent's runs, or be forgotten by Python. It waits.
    if signal.getsignal(signal.SIGTERM) is _terminated:
        _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _after_fork() -> None:
    mask = _masks.__dict__.pop("before", None)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _after_fork_in_child() -> None:
    forget_relay()
    unwatch_termination()  # until the child records something
    _after_fork()


def _terminated(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # what is begun here is not begun twice
    for act in tuple(_acts):
        with contextlib.suppress(Exception):  # the process ends in any case
            act(frame)
    signal.signal(number, signal.SIG_DFL)
    # By the signal itself, so that the parent sees the end that it would see without us.
    os.kill(os.getpid(), number)
    if os.getpid() == 1:  # of a container, whom no signal ends by itself
        os._exit(128 + number)


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork,
    after_in_child=_after_fork_in_child,
)
