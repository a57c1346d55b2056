"""Other processes of this machine: what they are called, and what they hold."""

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

_FLOCK = struct.Struct("hhqqi4x")  # struct flock of 64-bit Linux
_LONGEST = 60  # characters of a command line


def name_process(pid: int) -> str:
    """A process as a person would look it up: its id, and its command."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        text = " ".join(word.decode(errors="replace") for word in words if word)
        text = " ".join(text.split())
    except OSError:
        text = ""
    if not text:
        return f"process {pid}"
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return f"process {pid} ({shown})"


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped, as by Ctrl-Z, and holds what it holds for long."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in {
            b"T",
            b"t",
        }
    except (OSError, IndexError):
        return False


def lock_holder(path: Path) -> int | None:
    """Process id of another process that has a POSIX lock on a file; None without one.

    This process must have no lock of its own on the file: it would fall.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, question))
    except OSError:
        return None
    finally:
        os.close(file)
    return None if kind == fcntl.F_UNLCK else pid


def has_open(pid: int, path: Path) -> bool | None:
    """Whether a process has a file open; None where that is hidden from us."""
    try:
        links = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    for link in links:
        with suppress(OSError):
            if link.readlink() == path:
                return True
    return False
