"""Locks between processes, on side files: shared or exclusive, fair, with a time limit.

POSIX record locks (`fcntl.lockf`), since a lock by `flock` would live on in forked
children. A POSIX lock belongs to the process and falls when the process closes any
descriptor of its file: so there is one descriptor a file and process, and a thread lock
above (see `database.lease`).
"""

import errno
import fcntl
import os
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stepwell.store.base.errors import StoreBusyError, StoreLocationError, why_and_what

from .owners import our_descriptor
from .regular_files import UnsafeFileError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.0003, 0.004  # seconds between two tries
_NOTE_BYTES = 8
_FLOCK = struct.Struct("hhqqi4x")  # struct flock of 64-bit Linux


class LockFile:
    """One lock file of a store.

    Args:
        path: The file, in a store's journal folder.
        makes: Whether it is made when it is not there.

    Raises:
        StoreLocationError: If it can neither be made nor opened, or is a stranger's.
    """

    def __init__(self, path: Path, *, makes: bool = True) -> None:
        self.path = path
        self.writable = True
        try:
            self._file = self._open() if makes else our_descriptor(path, os.O_RDWR)
        except UnsafeFileError as error:
            raise StoreLocationError(
                f"the lock file {path} is not used: {error.strerror}; move it away"
            ) from error
        except OSError as first:
            try:
                # A store of somebody else, or on a disk that can only be read: a shared
                # lock takes no right to write.
                self._file = our_descriptor(path, os.O_RDONLY)
                self.writable = False
            except OSError:
                why = why_and_what(first, "check its owner and mode")
                raise StoreLocationError(
                    f"cannot open the store's lock file {path}: {why}"
                ) from first

    def _open(self) -> int:
        # Between the two tries the file may come, or go; then both are made again.
        while True:
            with suppress(FileNotFoundError):
                return our_descriptor(self.path, os.O_RDWR)
            with suppress(FileExistsError):  # another process was quicker
                return our_descriptor(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    def acquire(
        self,
        deadline: float,
        *,
        exclusive: bool,
        unless: Callable[[], bool] | None = None,
    ) -> bool:
        """Take the lock, waiting until *deadline* (of `time.monotonic`) at most.

        Args:
            deadline: Until when.
            exclusive: Whether nobody else may have it.
            unless: Asked while another process has it; true ends the waiting.

        Returns:
            Whether it was taken; false after *unless* alone.

        Raises:
            StoreBusyError: If another process holds it for longer.
        """
        operation = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB
        pause = _FIRST_PAUSE
        while True:
            try:
                # Without waiting in the system, which knows no deadline; most leases last
                # some milliseconds, and the pauses are of that length.
                fcntl.lockf(self._file, operation, 1)
            except OSError as error:
                # POSIX lets a system say either where another process has the lock.
                # Whatever else it says is of a disk that has no locks.
                if error.errno not in {errno.EACCES, errno.EAGAIN}:
                    raise StoreLocationError(
                        f"the folder {self.path.parent} cannot be locked"
                        f" ({error.strerror or error}); keep the store on a local disk"
                    ) from error
            else:
                return True
            if unless is not None and unless():
                return False
            if time.monotonic() + pause > deadline:
                raise StoreBusyError(self.say_holder())
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def release(self) -> None:
        """Give the lock back."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1)

    @property
    def is_in_place(self) -> bool:
        """Whether this is the file that others find, and not one that was removed."""
        try:
            there, own = self.path.lstat(), os.fstat(self._file)
        except OSError:
            return False
        return os.path.samestat(there, own)

    def forget(self) -> None:
        """Close the descriptor; in a forked child, whose parent keeps its lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def holder(self) -> int | None:
        """Process id of another process that holds the lock; None without one."""
        return self._holder_of(0)

    def sign(self, byte: int) -> None:
        """Give a sign to other processes, until `unsign` or the end of this one.

        Args:
            byte: Which; the lock itself is byte 0.
        """
        with suppress(OSError):
            # Shared, so that many can give one sign at a time; and a lock, so that the sign
            # of a process that is killed goes with it.
            fcntl.lockf(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, byte)

    def unsign(self, byte: int) -> None:
        """Take a sign back."""
        with suppress(OSError):
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)

    def is_signed(self, byte: int) -> bool:
        """Whether another process gives a sign."""
        return self._holder_of(byte) is not None

    def signer(self, byte: int) -> int | None:
        """Process id of another process that gives a sign; 0 for one of elsewhere."""
        return self._holder_of(byte)

    def _holder_of(self, byte: int) -> int | None:
        # Whether a lock to write would fit: any lock of another process is in its way, and
        # none of this one's own.
        question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        try:
            answer = fcntl.fcntl(self._file, fcntl.F_GETLK, question)
        except OSError:
            return None
        kind, _, _, _, pid = _FLOCK.unpack(answer)
        return None if kind == fcntl.F_UNLCK else pid

    def note(self, place: int = 0) -> int:
        """The number that was left in the file by whoever wrote there last; 0 for none.

        Args:
            place: Which of several numbers.
        """
        # Notes and signs have the same bytes of the file, and nothing to do with each
        # other: a lock of this kind keeps nobody from writing.
        data = os.pread(self._file, _NOTE_BYTES, place * _NOTE_BYTES)
        return int.from_bytes(data, "little")

    def leave_note(self, number: int, place: int = 0) -> None:
        """Leave a number in the file, which stays when this process is killed.

        On a full disk there may be none; whoever works there goes on without.
        """
        if self.writable:
            data = number.to_bytes(_NOTE_BYTES, "little")
            with suppress(OSError):
                os.pwrite(self._file, data, place * _NOTE_BYTES)

    def say_holder(self) -> str:
        """Who has the lock, in words."""
        pid = self.holder()
        who = f"process {pid}" if pid else "another process"
        return f"the store {self.path.parent} is in use by {who}; try again when it is done"
