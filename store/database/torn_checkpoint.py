"""What a process leaves that is killed while it writes to the database, put right.

Whoever is about to write leaves the file's number in the lock file, and takes it back at
the end. Who finds one there, with the lock, knows that a writer has died, and puts back
what its last checkpoint may have half written of the directory; see
`table_directory_backup`. The checkpoint's transaction is then as if it had never been:
what it folded is in the journals still.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from stepwell.store.base.errors import StoreBusyError
from stepwell.store.files.location import Location
from stepwell.store.files.lock_file import LockFile
from stepwell.store.files.regular_files import open_descriptor, open_regular

from .table_directory_backup import file_number, is_open_here, restorable_blocks


@contextmanager
def noted(lock: LockFile, location: Location) -> Iterator[None]:
    """Leave a note while the block writes to the database; the lock is held for writing.

    The note stays where the block fails, unless it could not begin.
    """
    # Before the file is attached, and as its number, so that a file which somebody puts in
    # its place is never taken for the one that was written to.
    lock.leave_note(file_number(location.database))
    try:
        yield
    except StoreBusyError:
        # Another program has the file, so nothing was written. Whatever else ends the block
        # may have come in the midst of a write; a note too many costs a comparison.
        lock.leave_note(0)
        raise
    lock.leave_note(0)


def is_half_written(lock: LockFile, location: Location) -> bool:
    """Whether there is something to put right; the lock is held."""
    number = lock.note()
    # Closing a descriptor of ours would let go of the lock that DuckDB has on the file by
    # another one, and a second writer could come in.
    if not number or is_open_here(location.database):
        return False
    with suppress(OSError), open_regular(location.database) as file:
        return bool(restorable_blocks(location, number, file.fileno()))
    return False


def put_right(lock: LockFile, location: Location) -> None:
    """Take back what a dead process has half written; the lock is held.

    Several readers may do so at once. Where the file may not be written to, it stays as it
    is; so it does where this very process has it open by other means, since closing it
    would let go of the lock on it.

    Raises:
        StoreBusyError: If another process has the file open.
    """
    number = lock.note()
    if not number or is_open_here(location.database):
        return
    if is_half_written(lock, location):
        try:
            _restore(location, number)
        except OSError:
            # The note stays, for one who may write to the file.
            return
    lock.leave_note(0)


def _restore(location: Location, number: int) -> None:
    database = open_descriptor(location.database, os.O_RDWR)
    with os.fdopen(database, "r+b", buffering=0) as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as DuckDB does
        except OSError:
            # Also of two readers that come here at once one is refused. It tries again, as
            # with any program that has the file open, and finds it put right.
            raise StoreBusyError(
                f"the database {location} is held open by another process; close it there."
                " Journals go on meanwhile"
            ) from None
        # Compared anew, now that the file is locked: another reader may have been quicker.
        for offset, data in restorable_blocks(location, number, file.fileno()).items():
            os.pwrite(file.fileno(), data, offset)
        # Forced before the note is taken back. Else a loss of power in between could leave
        # the half of a block, and nobody who knows of it.
        os.fsync(file.fileno())
