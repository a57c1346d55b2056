"""The background thread of a process with open runs.

It gives idle journals a sign of life and asks the helper process to fold what is new, when
that is much, or some seconds old: the database then grows by whole row groups, instead of
rewriting its last one each second. Runs that end are folded soon, and those that end at
about the same time together. Readers fold by themselves. The thread holds Python's global
lock for some ten microseconds a second.
"""

import contextlib
import sys
import threading
import time
from _queue import Empty, SimpleQueue  # `queue` loads heapq too: 0.7 ms of an import
from collections.abc import Callable
from typing import TYPE_CHECKING

from stepwell.store.base.errors import StoreWarning
from stepwell.store.base.forks import starting_process
from stepwell.store.files.location import Location
from stepwell.store.ingest_helper.handle import FoldHelper, fold_in_helper, helpers
from stepwell.store.journal.continuation import continue_if_folded

from .ended_journals import EndedJournals

if TYPE_CHECKING:
    from stepwell.store.journal.continuation import JournalWriter

PERIOD = 1.0  # seconds between two looks at the journals
FAST_PERIOD = 0.04  # the same while a run is new, or records come fast
FAST_RATE = 6 * 2**20  # bytes a second from which on they do
FOLD_BYTES = 8 * 2**20  # bytes of new records that are folded at once
FIRST_FOLD_BYTES = 2**19  # the same for a fast run's first fold; each may be twice the last
FOLD_SECONDS = 10.0  # age at which fewer of them are folded, too
HEARTBEAT = 10.0  # seconds between two signs of life of an idle writer
SETTLE = 0.1  # seconds for which ends of runs are gathered, to be folded together
LINGER = 10.0  # seconds that the thread and the helper outlive the last run
_MOMENT = 0.002  # seconds that `init` has to return, before a helper is started
RESTART = 30.0  # seconds before a helper that has died is started anew


class Keeper:
    """Looks after the open runs of this process, and after the helpers that fold them."""

    def __init__(self, helpers: dict[Location, FoldHelper] | None = None) -> None:
        self._lock = threading.RLock()  # a signal's handler may end a run; held for no time
        self._left: SimpleQueue[JournalWriter | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._writers: list[JournalWriter] = []
        self._sizes: dict[str, int] = {}
        self._asked: dict[Location, tuple[float, int]] = {}
        self._touched: dict[str, float] = {}
        self._helpers = {} if helpers is None else helpers
        self._errands: list[Callable[[], None]] = []
        self._ended = EndedJournals()
        self._due: dict[Location, float] = {}  # when ended journals are looked at next
        self._is_over = False

    def add(
        self, writer: "JournalWriter", errand: Callable[[], None] | None = None
    ) -> None:
        """Look after a run; do *errand* soon, on the background thread."""
        with self._lock:
            self._writers.append(writer)
            if errand:
                self._errands.append(errand)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="stepwell-keeper", daemon=True
                )
                # Without a thread (a limit of the system) the end of the run folds.
                try:
                    self._thread.start()
                except RuntimeError:
                    self._thread = None
        self._left.put(None)

    def remove(self, writer: "JournalWriter") -> None:
        """Look no longer after a run that has ended."""
        with self._lock:
            if writer in self._writers:
                self._writers.remove(writer)
                if writer.header.primary and writer.location in self._asked:
                    asked, known = self._asked[writer.location]
                    # The place in `_asked` is a sum over the store's open runs. With the
                    # bytes of one that has ended in it, the others would not be folded
                    # until they had as many.
                    left = max(0, known - writer.journal.total)
                    self._asked[writer.location] = asked, left
            self._sizes.pop(writer.header.writer, None)
            self._touched.pop(writer.header.writer, None)

    def leave(self, writer: "JournalWriter") -> None:
        """Look no longer after a run that was left behind; callable by a collector.

        Takes no lock: the thread that is collecting may hold any of them.
        """
        if writer.header.primary and not writer.journal.is_moved:
            self._ended.add(writer.location, writer.journal.path)
        self._left.put(writer)

    def fold_soon(self, writer: "JournalWriter") -> bool:
        """Have the journal of a run that has ended folded on the background thread.

        Returns:
            Whether that will be; False where the caller has to see to it: there is no
            thread, or more journals wait than is good.
        """
        self._ended.add(writer.location, writer.journal.path)
        with self._lock:
            if self._thread is None or self._is_over or self._ended.are_too_many():
                return False
            if self._look_by(writer.location, time.monotonic() + SETTLE):
                self._left.put(None)
        return True

    def unfolded(self) -> set[Location]:
        """The stores of runs that have ended here and are not folded yet."""
        return self._ended.locations()

    def fold(self, location: Location, seconds: float, *, start: bool) -> bool:
        """Have the helper fold a store now; starts one, where that is asked for.

        Returns:
            Whether it was done within *seconds*.
        """
        return fold_in_helper(self._helpers, location, seconds, start=start)

    def stop(self, *, for_good: bool = False) -> None:
        """End the helpers: they fold what is left, then exit."""
        with starting_process:
            self._is_over = for_good
            helpers = dict(self._helpers)
            self._helpers.clear()
        left = self.unfolded()
        for location, helper in helpers.items():
            # A query of others may keep it from the store for as long as it likes.
            helper.stop(is_awaited=location in left)

    def forget(self) -> None:
        """After a fork, in the child: thread, writers and helpers are the parent's."""
        helpers = list(self._helpers.values())
        self._helpers.clear()
        # The dictionary stays the same one: `handle.helpers`, which readers look into, is
        # it.
        self.__init__(self._helpers)  # type: ignore[misc]
        for helper in helpers:
            helper.forget()

    def _work(self) -> None:
        time.sleep(_MOMENT)
        idle_since: float | None = None
        period = PERIOD
        began = time.monotonic()
        while True:
            with self._lock:
                errands, self._errands = self._errands, []
                writers = list(self._writers)
            for errand in errands:
                with contextlib.suppress(Exception):  # nothing may end this thread
                    errand()
            now = time.monotonic()
            if writers:
                idle_since = None
                period = self._look_after(writers, now, period, now - began)
            elif idle_since is None:
                idle_since = now
            elif now - idle_since > LINGER and self._end():
                return
            self._wait(min(period, self._fold_ended(now)))

    def _wait(self, period: float) -> None:
        try:
            left = self._left.get(timeout=period)
        except Empty:
            return
        if left is not None:
            self.remove(left)
            with self._lock:
                self._look_by(left.location, time.monotonic() + SETTLE)

    def _look_by(self, location: Location, when: float) -> bool:
        """Look for ended journals then; false where that is to be done before."""
        if when >= self._due.get(location, float("inf")):
            return False
        self._due[location] = when
        return True

    def _fold_ended(self, now: float) -> float:
        """Ask for folds of what has ended, where they are due; gives seconds to wait."""
        with self._lock:
            due = [location for location, when in self._due.items() if when <= now]
            for location in due:
                del self._due[location]  # by a run that ends from here on it is set anew
        for location in due:
            seconds = FOLD_SECONDS  # after which it is looked at once more
            with contextlib.suppress(Exception):  # nothing may end this thread
                seconds = self._ask_for_ended(location, now)
            with self._lock:
                self._look_by(location, now + seconds)
        with self._lock:
            return max(0.0, min(self._due.values(), default=now + PERIOD) - now)

    def _ask_for_ended(self, location: Location, now: float) -> float:
        """Have a store's ended journals folded; gives the seconds to the next look."""
        helper = self._helpers.get(location)
        if helper is not None and helper.is_busy:
            return SETTLE
        if location not in self.unfolded():
            return float("inf")
        return FOLD_SECONDS if self._ask(location, now) else PERIOD

    def _end(self) -> bool:
        with self._lock:
            # Within the lock, so that `add` finds either this thread at work, or none.
            if self._writers or self._errands:
                return False
            self._thread = None
        self.stop()
        return True

    def _look_after(
        self, writers: list["JournalWriter"], now: float, period: float, age: float
    ) -> float:
        """Look at the journals once; gives the seconds to the next look."""
        try:
            is_fast = self._tick(writers, now, period, started=age >= PERIOD)
        except Exception:  # noqa: BLE001 (the next look may go well; nobody else would look)
            is_fast = False
        return FAST_PERIOD if is_fast else PERIOD

    def _tick(
        self, writers: list["JournalWriter"], now: float, period: float, *, started: bool
    ) -> bool:
        is_fast = False
        grown: dict[Location, int] = {}
        for writer in writers:
            name, size = writer.header.writer, writer.journal.total
            known = self._sizes.get(name)
            is_fast |= known is None or size - known >= FAST_RATE * period
            if size != known:
                self._sizes[name] = size
                self._touched[name] = now
            elif now - self._touched.get(name, now) >= HEARTBEAT:
                self._touched[name] = now
                writer.journal.touch()
            # The warning is an error, if the program says so.
            with writer.lock, contextlib.suppress(StoreWarning):
                writer.clock.settle()
                writer.journal.say_if_removed()
            with contextlib.suppress(StoreWarning):
                continue_if_folded(writer)
            if writer.header.primary and not writer.journal.is_moved:
                grown[writer.location] = grown.get(writer.location, 0) + size
        for location, size in grown.items():
            if started:
                self._ask_when_due(location, size, now, is_fast=is_fast)
            elif "duckdb" not in sys.modules:
                self._helper(location, now)  # it loads DuckDB meanwhile; the end needs it
        return is_fast

    def _ask_when_due(
        self, location: Location, size: int, now: float, *, is_fast: bool
    ) -> None:
        asked, known = self._asked.get(location, (-FOLD_SECONDS, 0))
        new = size - known
        # The sooner the first is folded, the less is left when a short, fast run ends.
        much = min(FOLD_BYTES, max(FIRST_FOLD_BYTES, known)) if is_fast else FOLD_BYTES
        if new >= much or (new and now - asked >= FOLD_SECONDS):
            self._asked[location] = now, size
            self._ask(location, now)

    def _ask(self, location: Location, now: float) -> bool:
        helper = self._helper(location, now)
        return helper is not None and helper.ask()

    def _helper(self, location: Location, now: float) -> FoldHelper | None:
        with starting_process:
            helper = self._helpers.get(location)
            if self._is_over:
                return None
            if helper is None or (not helper.is_running and now - helper.born > RESTART):
                if helper is not None:
                    helper.stop()
                helper = self._helpers[location] = FoldHelper(location, now)
            return helper


keeper = Keeper(helpers)
"""This process's one."""
