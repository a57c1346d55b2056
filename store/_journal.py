"""Appending to one journal file, without ever raising into the training loop."""

import contextlib
import os
import warnings
from pathlib import Path

from ._errors import StoreWarning
from ._format import SUFFIX, Header, encode_header, encode_json


def journal_path(folder: Path, header: Header) -> Path:
    """Where a writer's journal stands."""
    return folder / f"{header.run_id}-{header.writer}{SUFFIX}"


class Journal:
    """The journal that this process appends to for one run.

    A record is acknowledged when `write` has returned True: it then survives the death of
    the process. When the disk refuses, the file is cut back to its last whole record, the
    trouble is said once, and later records are tried again.

    Args:
        folder: The store's journal folder; it must exist.
        header: Who writes.
        synchronous: Also force each record to the disk, to survive a loss of power.

    Raises:
        OSError: If the file cannot be made.

    Attributes:
        path: The file.
        size: Bytes appended so far.
        lost: Records that the disk refused.
    """

    def __init__(self, folder: Path, header: Header, *, synchronous: bool = False) -> None:
        self.path = journal_path(folder, header)
        self.size = 0
        self.lost = 0
        self._synchronous = synchronous
        self._warned = False
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self.path, flags, 0o644)
        start = encode_header(header)
        try:
            written = os.write(self._file, start)
        except OSError:
            self._discard()
            raise
        if written != len(start):
            self._discard()
            raise OSError(28, "no space left on the disk", str(self.path))
        self.size = written

    def write(self, record: bytes) -> bool:
        """Append one whole record.

        Returns:
            Whether it is safe; False when the disk refused it, and it is lost.
        """
        try:
            if os.write(self._file, record) == len(record):
                self.size += len(record)
                if self._synchronous:
                    os.fdatasync(self._file)
                return True
            trouble = "no space is left on the disk"
        except OSError as error:
            trouble = error.strerror or str(error)
        self._cut_back(trouble)
        return False

    def write_json(self, kind: int, value: object) -> bool:
        """Append a record whose payload is JSON; see `write`."""
        return self.write(encode_json(kind, value))

    def touch(self) -> None:
        """Set the modification time to now: the sign of life of an idle writer."""
        with contextlib.suppress(OSError):
            os.utime(self._file)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _cut_back(self, trouble: str) -> None:
        self.lost += 1
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self.size)
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"the journal {self.path} cannot be written: {trouble}; training goes on,"
                " and its metrics are not recorded until there is room again",
                StoreWarning,
                stacklevel=4,
            )

    def _discard(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)
