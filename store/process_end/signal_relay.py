"""Telling the main thread of a signal that reached another one.

The system may give a signal to any thread. Python calls handlers in the main thread alone,
which does not know of it while it waits for a lock, such as the end of a thread.
"""

import os
import signal
import threading
from contextlib import suppress

_NONE = object()
_pipe: tuple[int, int] | None = None  # what was read from, and what Python writes to
_relayed: dict[int, object] = {}  # and the handler that is to be called


def relay(number: int) -> None:
    """Have a signal's present handler called soon, whichever thread it reaches.

    To be called in the main thread. A handler that takes its place is the program's, which
    may count its calls: Python alone calls it. Nothing is done where somebody else reads
    the numbers of signals, such as an event loop, or where there is no thread or descriptor
    left.
    """
    with suppress(OSError, RuntimeError, ValueError):
        if _pipe is None:
            _start()
        _relayed[number] = signal.getsignal(number)
        if _pipe is not None:
            _write_numbers_to(_pipe[1], instead_of=-1)


def stop_relaying(number: int) -> None:
    """Leave a signal to Python alone; to be called in the main thread."""
    _relayed.pop(number, None)
    if not _relayed and _pipe is not None:
        with suppress(OSError, ValueError):
            _write_numbers_to(-1, instead_of=_pipe[1])


def forget_relay() -> None:
    """After a fork, in the child: the pipe is the parent's, and so is its thread."""
    global _pipe
    # Before the pipe is closed: Python would go on writing numbers to its descriptor, which
    # may be some other file's by then.
    for number in tuple(_relayed):
        stop_relaying(number)
    inherited, _pipe = _pipe or (), None
    for descriptor in inherited:
        with suppress(OSError):
            os.close(descriptor)


def _start() -> None:
    global _pipe  # noqa: PLW0603
    ends = os.pipe()
    try:
        os.set_blocking(ends[1], False)  # Python demands it
        threading.Thread(
            target=_work, args=(ends[0],), name="stepwell signals", daemon=True
        ).start()
    except BaseException:
        for end in ends:
            os.close(end)
        raise
    _pipe = ends


def _write_numbers_to(descriptor: int, *, instead_of: int) -> None:
    found = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    if found not in (instead_of, descriptor):
        signal.set_wakeup_fd(found, warn_on_full_buffer=False)  # it is somebody else's


def _work(source: int) -> None:
    main = threading.main_thread().ident or 0
    sent: set[int] = set()
    while numbers := os.read(source, 64):
        for number in set(numbers):
            if number in sent:
                sent.remove(number)  # what this thread sent is told of, too
            elif signal.getsignal(number) is _relayed.get(number, _NONE):
                sent.add(number)
                signal.pthread_kill(main, number)
