"""Whose turn it is among the threads of this process to work on a store."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from stepwell.store.base.busy_threads import busy_threads, is_busy_here
from stepwell.store.base.errors import StoreBusyError
from stepwell.store.process_end.daemon_threads import end_before_duckdb, keeping_end_off


class NestedTurnError(StoreBusyError):
    """This very thread has the turn, and is in the midst of it."""


class ThreadTurn:
    """The turn of one thread at a time.

    Args:
        store: What it is a turn at, for messages.
    """

    def __init__(self, store: object) -> None:
        self._store = store
        # Locks on files are the process's: a second thread would be given one at once. And
        # not an RLock, with which a signal's handler would work on in the midst of a
        # transaction of the thread that it interrupts.
        self._lock = threading.Lock()
        self._thread = 0

    @contextmanager
    def taken(self, seconds: float) -> Iterator[None]:
        """Have the turn, within a block.

        Args:
            seconds: How long to wait for it.

        Raises:
            NestedTurnError: If this thread has it: the handler of a signal asks again.
            StoreBusyError: If another thread has it for longer.
        """
        if self._thread == threading.get_ident():
            raise NestedTurnError(
                f"{self._store} is in use by this very thread, which a signal's handler or"
                " a collected object has interrupted; ask again when that has returned"
            )
        was_busy = is_busy_here()  # with another store
        # A daemon thread that is within DuckDB when the interpreter goes aborts the
        # process, whose exit code is then 134. So the end waits for it a little.
        with keeping_end_off():
            if not self._lock.acquire(timeout=seconds):
                raise StoreBusyError(
                    f"another thread of this process has used {self._store} for"
                    f" {seconds:g} s"
                )
            try:
                self._thread = threading.get_ident()
                busy_threads.add(self._thread)
                yield
            finally:
                if not was_busy:
                    busy_threads.discard(self._thread)
                self._thread = 0
                self._lock.release()


end_before_duckdb()  # who imports this has loaded it
