"""Which helper folds a store, so that DuckDB is loaded once for many trainings.

The one that holds a lock does; the others wish for folds, and wait. It ends with its
process, in whatever way, and another one has it next. No process is told anything by its
number, which means another one in another container: a wish is a number in the lock's file.
"""

import os
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stepwell.store.base.errors import StoreBusyError, StoreLocationError
from stepwell.store.files.location import Location
from stepwell.store.files.lock_file import LockFile
from stepwell.store.journal.writer_alive import is_stopped, machine

NAME = ".fold"
_AWAITED, _WORKING = 1, 2  # bytes that are locked as signs
_DONE, _WISH = 0, 1  # places of numbers in the file
# Of a place's 64 bits the lower half counts, and the upper half says what kind of process
# does: one write tells both, and no reader sees a number with another's kind.
_COUNTED = 2**32
_NUMBERS = 2**64  # that a place holds
_IN_MODIFY = 2  # of inotify(7)
_PATIENCE, _SHORT_PATIENCE = 0.5, 0.05


class FoldTurn:
    """The turn to fold a store, of this process or another.

    Args:
        location: The store.

    Attributes:
        alarm: A descriptor that can be read from when somebody may have wished for a fold;
            None where there is none.
    """

    def __init__(self, location: Location) -> None:
        self.alarm: int | None = None
        self._path = location.journals / NAME
        self._kind = _kind()
        self._is_ours = False
        self._has_waited = False
        self._lock: LockFile | None = None
        with suppress(StoreLocationError):  # where there is no folder, or a stranger's file
            self._lock = LockFile(self._path)
        self._seen = self._wish()

    @property
    def patience(self) -> float:
        """How many seconds may pass between two looks at what is wished for."""
        return _SHORT_PATIENCE if self._is_ours and self.alarm is None else _PATIENCE

    def take(self) -> bool:
        """Have the turn, unless another process has it."""
        if self._is_ours or self._lock is None:
            return self._is_ours
        try:
            self._lock.acquire(0.0, exclusive=True)
        except (StoreBusyError, StoreLocationError, OSError):
            self._has_waited = True
            return False
        self._is_ours = True
        if self._has_waited:
            self._seen = -1  # who had it before may not have come to what was wished for
        self.alarm = _watch(self._path)
        # The number stays as it is; what changes is whose it is, so that those who wait can
        # see whether they may rely on this process.
        self._say_done(self.done)
        return True

    @property
    def is_of_a_stranger(self) -> bool:
        """Whether who has it is of another version, user or container."""
        if self._lock is None or not self._lock.writable:
            return True
        return self._lock.note(_DONE) // _COUNTED not in {0, self._kind}

    @property
    def done(self) -> int:
        """A number that changes with each fold that is done."""
        return self._lock.note(_DONE) % _COUNTED if self._lock else 0

    @property
    def is_working(self) -> bool:
        """Whether another process is at a fold, or begins to be able to, and runs."""
        worker = self._lock.signer(_WORKING) if self._lock else None
        # A stopped process keeps its locks, and with them the sign that it is at work.
        return worker is not None and not is_stopped(worker)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let the others know that this process is at it."""
        if self._lock is None or not self._is_ours:
            yield
            return
        self._lock.sign(_WORKING)
        try:
            yield
        finally:
            self._lock.unsign(_WORKING)

    def say_done(self) -> None:
        """Let the others know that a fold is done."""
        if self._is_ours:
            self._say_done(self.done + 1)

    def wish(self, *, is_awaited: bool) -> None:
        """Ask whoever has the turn for a fold that begins from now on."""
        if self._lock is not None:
            # The sign first: who is woken by the note looks for the sign at once.
            if is_awaited:
                self._lock.sign(_AWAITED)
            # Any number that was not there before: readers only look whether it has
            # changed.
            self._lock.leave_note(time.time_ns() % _NUMBERS, _WISH)

    def end_wish(self) -> None:
        """Wait for no fold any more."""
        if self._lock is not None:
            self._lock.unsign(_AWAITED)

    def is_wished(self) -> bool:
        """Whether another process has wished for a fold since this was asked last."""
        # The alarm is reset before the note is read: a wish that comes in between sets it
        # again, and wakes the next wait. In the other order it would be slept through.
        if self.alarm is not None:
            with suppress(OSError):
                os.read(self.alarm, 4096)
        seen, self._seen = self._seen, self._wish()
        return self._is_ours and seen != self._seen

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for a fold that is wished for."""
        return self._lock is not None and self._lock.is_signed(_AWAITED)

    def _wish(self) -> int:
        return self._lock.note(_WISH) if self._lock else 0

    def _say_done(self, done: int) -> None:
        if self._lock is not None:
            self._lock.leave_note(self._kind * _COUNTED + done % _COUNTED, _DONE)


def _kind() -> int:
    """A number of which code this is, whose process, and in which container; never 0."""
    parts: list[object] = [os.geteuid(), sys.version, machine(), __file__]
    with suppress(OSError):
        found = Path(__file__).stat()
        parts += [found.st_dev, found.st_ino, found.st_mtime_ns]
    return zlib.crc32(repr(parts).encode()) or 1


def _watch(path: Path) -> int | None:
    """A descriptor that can be read from when a file was written to; Linux has them."""
    try:
        import ctypes  # noqa: PLC0415 (whoever folds has loaded it)

        system = ctypes.CDLL(None)
        alarm = system.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if alarm < 0:
            return None
        if system.inotify_add_watch(alarm, os.fsencode(path), _IN_MODIFY) >= 0:
            return int(alarm)
        os.close(alarm)
    except (AttributeError, ImportError, OSError):
        pass
    return None
