"""Appending to one journal file, without ever raising into the training loop."""

import contextlib
import errno
import os
from pathlib import Path

from stepwell.store.base.errors import StoreWarning
from stepwell.store.base.signal_exceptions import is_of_handler, raise_if_of_handler
from stepwell.store.base.warn_caller import warn_caller

from .format import (
    Header,
    encode_header,
    encode_json,
    journal_name,
    unpack_frame,
    whole_record,
)
from .writer_lock import hold_life_lock


class Journal:
    """The journal that this process appends to for one run.

    A record is acknowledged when `write` has returned True: it then survives the death of
    the process. When the disk refuses, the file is cut back to its last whole record, the
    trouble is said once, and later records are tried again.

    Args:
        folder: The store's journal folder; it must exist.
        header: Who writes.
        first: The records that the file begins with, or none.
        synchronous: Also force each record to the disk, to survive a loss of power.
        continues: The journal that goes on in this one; see `continuation`.

    Raises:
        OSError: If the file cannot be made.

    Attributes:
        header: Who writes.
        path: The file.
        size: Bytes of the whole records appended so far.
        lost: Records that the disk refused; also to the files that it continues.
        is_moved: Whether the file was found to be in another place than it was.
    """

    def __init__(
        self,
        folder: Path,
        header: Header,
        first: bytes = b"",
        *,
        synchronous: bool = False,
        continues: "Journal | None" = None,
    ) -> None:
        self.header = header
        self.path = folder / journal_name(header)
        self.size = self._before = 0
        self.lost = 0
        self._synchronous = synchronous
        self._warned = False
        self.is_moved = False
        self._is_gone = False
        self._is_unsure = False  # whether the file may end otherwise than at `size`
        # A writer's id is drawn anew, so its file cannot be there. It is read, too, by
        # `_recover`; and no program that is started meanwhile keeps it open, and with it
        # the lock of the living.
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self.path, flags, 0o644)
        # Before there is a header: whoever can read that the file is locked finds the lock.
        header = header._replace(locked=hold_life_lock(self._file))
        start = encode_header(header) + first
        try:
            # In one write, so that no reader meets a run without its start, and a disk
            # without room refuses both.
            written = os.write(self._file, start)
        except BaseException:
            self._discard()
            raise
        # A disk that is nearly full writes a part, and gives no error.
        if written != len(start):
            self._discard()
            raise OSError(errno.ENOSPC, "no space left on the disk", str(self.path))
        self.size = written
        if continues is not None:
            self._go_on_from(continues)

    @property
    def total(self) -> int:
        """Bytes appended so far; also to the files that it continues."""
        return self._before + self.size

    def _go_on_from(self, other: "Journal") -> None:
        self._before = other.total - self.size
        self.lost = other.lost
        self._synchronous = other._synchronous  # noqa: SLF001 (another of its kind)
        self._warned = other._warned  # noqa: SLF001

    def write(self, record: bytes) -> bool:
        """Append one whole record.

        Returns:
            Whether it is safe; False when the disk refused it, and it is lost.
        """
        try:
            # What an exception cut short is looked at by the next call: that one was on its
            # way to the program, and within any call a signal may come again.
            if self._is_unsure:
                self._recover()
            written = os.write(self._file, record)
            if written == len(record):
                self.size += written
                if self._synchronous:
                    self._force()
                return True
            trouble = "no space is left on the disk"
            self._is_unsure = True
            self._recover()
        except BaseException as error:
            self._is_unsure = True  # before any call, within which a signal may come again
            # A time limit of the program's may be a TimeoutError, which is an OSError, too.
            if not isinstance(error, OSError) or is_of_handler(error):
                raise
            trouble = error.strerror or str(error)
        self.lost += 1
        self._say(trouble)
        return False

    def write_json(self, kind: int, value: object) -> bool:
        """Append a record whose payload is JSON; see `write`."""
        return self.write(encode_json(kind, value))

    def touch(self) -> None:
        """Set the modification time to now: the sign of life of an idle writer."""
        with contextlib.suppress(OSError):
            os.utime(self._file)

    def is_in_place(self) -> bool:
        """Whether the file is where it was made, and not moved or removed."""
        try:
            there, own = self.path.lstat(), os.fstat(self._file)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino)

    def say_if_removed(self) -> None:
        """Say, once, that somebody removed the file, or moved it: readers miss it then."""
        try:
            is_somewhere = os.fstat(self._file).st_nlink > 0
            if self._is_gone or self.path.exists():
                return
        except OSError:
            return  # closed, or not to be looked for
        self._is_gone = True
        self.is_moved = is_somewhere
        if self.is_moved:
            lacks = (
                f"moved to {self._present_path()} while its run goes on: calls are recorded"
                " there, and seen where the store is that it lies beside"
            )
        else:
            lacks = (
                "removed while its run goes on: calls that are not in the database are"
                " lost, and so are those to come; start a new run"
            )
        warn_caller(f"the journal {self.path} was {lacks}", StoreWarning)

    def _present_path(self) -> str:
        try:
            return os.readlink(f"/proc/self/fd/{self._file}")  # noqa: PTH115 (as text)
        except OSError:
            return "another place"

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            # A write after the end fails, and reaches no file that was given the same
            # number since.
            self._file = -1

    def _force(self) -> None:
        try:
            # Forces the file's length with its bytes, and leaves out its times, which
            # nobody needs after a loss of power.
            os.fdatasync(self._file)
        except OSError as error:
            raise_if_of_handler(error)
            # The record stays: it may be folded already, and survives the process.
            self._say(error.strerror or str(error))

    def _recover(self) -> None:
        """Cut off the part of a record that a full disk, or a signal's handler, left."""
        length = os.fstat(self._file).st_size
        data = memoryview(os.pread(self._file, max(0, length - self.size), self.size))
        whole = 0
        # The call that a signal interrupted may have come after the write: what is whole by
        # its checksum is in the journal, and counts.
        while whole_record(data, whole) is not None:
            whole += unpack_frame(data, whole)[0]
        if whole < len(data):
            os.ftruncate(self._file, self.size + whole)
        self.size += whole
        self._is_unsure = False

    def _say(self, trouble: str) -> None:
        if not self._warned:
            self._warned = True
            warn_caller(
                f"the journal {self.path} cannot be written: {trouble}; training goes on,"
                " and its metrics are not recorded until there is room again",
                StoreWarning,
            )

    def _discard(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)
