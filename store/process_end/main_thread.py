"""Acts that Python allows in the main thread alone, asked for by another thread.

They are called by a signal that means nothing to nearly all programs, since signals alone
reach a thread that waits: for a lock, for input, or for time to pass.
"""

import signal
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_acts: deque[Callable[[], None]] = deque(maxlen=1000)


def do_in_main_thread(act: Callable[[], None]) -> None:
    """Do *act* in the main thread: at once there, else soon.

    Not at all where this module was loaded by another thread, or the program minds the
    signal itself.
    """
    main = threading.main_thread()
    if threading.current_thread() is main:
        act()
    elif signal.getsignal(signal.SIGURG) is _do and main.ident is not None:
        # Before the signal, whose handler may run at once.
        _acts.append(act)
        with suppress(OSError):  # it has ended
            signal.pthread_kill(main.ident, signal.SIGURG)


def _do(number: int, frame: FrameType | None) -> None:
    del number, frame
    while _acts:
        with suppress(IndexError):
            _acts.popleft()()


# On import, which is mostly done by the main thread: no other one may set a handler, and
# those who need this one are other threads.
if signal.getsignal(signal.SIGURG) is signal.SIG_DFL:
    with suppress(ValueError):  # not in the main thread, or not in the main interpreter
        signal.signal(signal.SIGURG, _do)
