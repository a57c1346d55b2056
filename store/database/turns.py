"""Whose turn it is at a store: two locks, and signs that processes give each other.

Who works on the database holds the lock, alone or beside other readers. Who waits for it
holds the gate, so that nobody overtakes; but not while a user's query has the lock, which
may take long, and beside which others can read.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from pathlib import Path

from stepwell.store.base.errors import StoreBusyError
from stepwell.store.files.lock_file import LockFile

QUERY, WISH = 1, 2
"""Signs at the gate: a user's query has the lock; somebody asks queries to make way."""

QUERY_SECONDS = 0.5
"""How long anybody waits for a user's query before doing something about it."""

_HOLD_SECONDS = 0.25  # that a query which is asked to make way takes at most
_PAUSE = 0.02


class Turn(Enum):
    """How somebody works on the database."""

    SHARED = "beside other readers"
    ALONE = "alone; a user's query in the way is stopped, and run again afterwards"
    POLITE = "alone, unless a user's query is in the way for long"


class QueryRunsError(StoreBusyError):
    """The store is not to be had alone, since somebody's query reads it."""


class Turns:
    """The locks of one store.

    Args:
        folder: Where the lock files are; they are made when they are not there.

    Raises:
        StoreLocationError: If they can neither be made nor opened.
    """

    def __init__(self, folder: Path) -> None:
        self._gate = LockFile(folder / ".gate")
        self.lock = LockFile(folder / ".lock")

    def taken(
        self, turn: Turn, deadline: float, begun: float
    ) -> AbstractContextManager[None]:
        """Have one's turn, within a block.

        Args:
            turn: How.
            deadline: Until when to wait for it, by `time.monotonic`.
            begun: Since when the caller has waited.

        Raises:
            StoreBusyError: If it is not to be had until *deadline*.
            QueryRunsError: If a query is in the way for long, and is not to be stopped.
        """
        if turn is Turn.SHARED:
            return self._shared(deadline)
        return self._alone(deadline, begun, stops_queries=turn is Turn.ALONE)

    @contextmanager
    def _shared(self, deadline: float) -> Iterator[None]:
        try:
            try:
                # An exclusive POSIX lock takes a descriptor that may write. Who may only
                # read the store passes the gate beside others of that kind.
                self._gate.acquire(deadline, exclusive=self._gate.writable)
                self.lock.acquire(deadline, exclusive=False)
            finally:
                # For those who wait alone: kept on, it would keep out other readers.
                self._gate.release()
            yield
        finally:
            # Also where it was never had: a POSIX lock that is not there is given back
            # without an error, and no other thread of this process can have it meanwhile;
            # see `ThreadTurn`.
            self.lock.release()

    @contextmanager
    def _alone(
        self, deadline: float, begun: float, *, stops_queries: bool
    ) -> Iterator[None]:
        # From when the caller began to wait, also for other threads of its process.
        patience, hold, is_asked = begun + QUERY_SECONDS, 0.0, False
        try:
            while not self._take(deadline, hold):
                hold, now = 0.0, time.monotonic()
                if now > deadline:
                    raise StoreBusyError(self.lock.say_holder())
                if now < patience or is_asked:
                    time.sleep(_PAUSE)
                elif not stops_queries:
                    raise QueryRunsError(self.lock.say_holder())
                else:
                    self._gate.sign(WISH)
                    # So long the gate is held although a query has the lock: nobody is to
                    # slip in between the end of that query and our own turn. Held on, it
                    # would keep readers out for a query that does not listen.
                    is_asked, hold = True, now + _HOLD_SECONDS
            # What was wished for is here; the wish would stop the next query, too.
            if is_asked:
                self._gate.unsign(WISH)
            yield
        finally:
            if is_asked:
                self._gate.unsign(WISH)
            self.lock.release()

    def _take(self, deadline: float, hold: float) -> bool:
        """Wait for the lock at the gate; from *hold* on, not while a query has it."""

        def is_for_later() -> bool:
            return time.monotonic() >= hold and self._gate.is_signed(QUERY)

        try:
            # The gate is kept while the lock is waited for. Without it readers who overlap
            # never leave the lock free: under a full load one write of a hundred waited for
            # 0.8 seconds, and for 0.3 with it.
            self._gate.acquire(deadline, exclusive=True)
            return self.lock.acquire(deadline, exclusive=True, unless=is_for_later)
        finally:
            self._gate.release()

    @contextmanager
    def querying(self) -> Iterator[None]:
        """Give the sign of a query, within `shared`."""
        self._gate.sign(QUERY)
        try:
            yield
        finally:
            self._gate.unsign(QUERY)

    def forget_removed(self) -> bool:
        """Let go of files that somebody removed; whether there were such.

        Whoever removes a store may make it anew, in a notebook's next cell: locks on the
        files of before would keep nobody out.
        """
        if self._gate.is_in_place and self.lock.is_in_place:
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """Close the files; in a forked child, whose parent keeps its locks."""
        self._gate.forget()
        self.lock.forget()
