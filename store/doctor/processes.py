"""Other processes of this machine: what they are called, and what they hold."""

import os
from contextlib import suppress
from pathlib import Path

_PLACE = 4  # of the process id in a line of /proc/locks; the file follows
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
        # Behind the last bracket: a program's name stands in brackets, and may have some
        # itself.
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in {
            b"T",
            b"t",
        }
    except (OSError, IndexError):
        return False


def lock_holders(path: Path) -> list[int]:
    """Process ids of other processes that have a POSIX lock on a file.

    The file is not opened: closing it would let go of this process's own locks on it.

    Source: `/proc/locks`, proc(5); nothing is found where there is none.
    """
    try:
        status = path.stat()
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return []
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    wanted = f"{device}:{status.st_ino}"
    found = []
    for line in lines:
        fields = line.split()
        # A line with an arrow is of a process that waits for the lock.
        if "->" not in fields and fields[_PLACE : _PLACE + 2][-1:] == [wanted]:
            pid = int(fields[_PLACE])
            if pid > 0 and pid != os.getpid():
                found.append(pid)
    return found


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
