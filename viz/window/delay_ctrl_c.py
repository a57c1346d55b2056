"""Ctrl-C while something is drawn: kept, and passed on as soon as it is done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from breaking into the block, and hand it over at its end.

    Qt and Tk swallow an exception that comes while they call us, and DuckDB makes an
    error of its own of it. A frame takes a tenth of a second at the most.
    """
    usual = signal.getsignal(signal.SIGINT)
    # Python sets handlers in the main thread alone. What can't be called, such as SIG_IGN
    # or a handler of C code's, is nothing to hand a signal over to.
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield
        return
    held: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if held:
            # Last, when the handler is restored: it raises KeyboardInterrupt, as a rule.
            usual(*held[0])
