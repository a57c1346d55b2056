"""Keeping the end of the program apart from what daemon threads do with DuckDB.

A daemon thread ends where it asks for Python's lock after the interpreter has begun to go.
Within DuckDB's code that aborts the process, whose exit code then says so. So the end of
the program waits a little for such threads to come out, and none goes in any more.
"""

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LAST_SECONDS = 5.0  # that the end of the program waits for threads within

_changed = threading.Condition()
_within = 0
_is_over = False


@contextmanager
def keeping_end_off() -> Iterator[None]:
    """Keep the program from ending within a block, for a moment.

    After its end a daemon thread ends here, as by `sys.exit`.
    """
    global _within  # noqa: PLW0603 (one a process, by nature)
    thread = threading.current_thread()
    if not thread.daemon or thread is threading.main_thread():  # of a forked child, too
        yield
        return
    with _changed:
        if _is_over:
            # In a thread that is not the main one this ends that thread alone, and prints
            # nothing.
            raise SystemExit
        _within += 1
    try:
        yield
    finally:
        with _changed:
            _within -= 1
            _changed.notify_all()


def end_before_duckdb() -> None:
    """Have it done before DuckDB 2.0's own end, which refuses what needs Python."""
    atexit.register(_at_exit)


def _at_exit() -> None:
    global _is_over  # noqa: PLW0603
    with _changed:
        _is_over = True
        # A thread may be within a query for minutes: a program that aborts at its end is
        # bad, and one that does not end is worse.
        _changed.wait_for(lambda: _within <= 0, _LAST_SECONDS)


def _after_fork() -> None:
    global _changed, _within, _is_over
    # The parent's threads are not in the child: nobody would ever count them out again, or
    # let go of a lock that one of them had.
    _changed, _within, _is_over = threading.Condition(), 0, False


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)  # on import: what is registered later is called earlier
