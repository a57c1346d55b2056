"""The lock that a writer holds on its journal for as long as it is the program it was.

A process id and its start stay the same where a program becomes another by `exec`; the
lock does not, as the file is closed then. It is seen from every container of the machine,
and it is a lock of the open file, so no other descriptor that is closed lets go of it.
"""

import fcntl
import os
import struct
import sys
from contextlib import ExitStack
from pathlib import Path

_HAS_LOCKS = sys.platform == "linux" and hasattr(fcntl, "F_OFD_SETLK")
_FLOCK = struct.Struct("hhqqi4x")  # type, whence, start, length, process id
_PLACE = 2**62  # far behind all bytes: some network file systems refuse to read locked ones


def hold_life_lock(file: int) -> bool:
    """Lock a journal that was just made, until its descriptor is closed.

    Returns:
        Whether it is locked; False where the system or the disk has no such locks.
    """
    if not _HAS_LOCKS:
        return False
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _request(fcntl.F_WRLCK))
    except OSError:
        return False
    return True


def has_life_lock(path: Path) -> bool | None:
    """Whether a process holds the lock of a journal; None where that can't be told."""
    if not _HAS_LOCKS:
        return None
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            # A question takes no lock, and closing this descriptor lets go of none: these
            # locks are the open file's, and not the process's as those of `lock_file`.
            answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _request(fcntl.F_RDLCK))
        finally:
            os.close(file)
    except OSError:
        return None
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def copy_life_lock(journal: Path, copy: Path, locks: ExitStack) -> None:
    """Hold, until *locks* ends, the lock of a journal's copy while its writer goes on."""
    if has_life_lock(journal):
        locks.callback(os.close, held := os.open(copy, os.O_WRONLY | os.O_CLOEXEC))
        hold_life_lock(held)


def _request(kind: int) -> bytes:
    # The system refuses a lock of this kind with a process id other than 0.
    return _FLOCK.pack(kind, os.SEEK_SET, _PLACE, 1, 0)
