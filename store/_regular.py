"""Files of the journal folder, opened so that nothing else of that name can block.

Anything may lie in a folder that others can write to: a pipe would wait for its other end
for ever, a device may act when it is opened, and a link leads who knows where.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}
NO_FILE = "it is no regular file"


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read it, and nothing else; never waits.

    Raises:
        OSError: If it cannot be opened, or is anything else.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        require_regular(descriptor, path)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def require_regular(descriptor: int, path: Path) -> None:
    """Look at what was opened: it may have taken the place of what was seen before.

    Raises:
        OSError: If it is no regular file.
    """
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, NO_FILE, str(path))


def list_regular(folder: Path) -> list[Path]:
    """The regular files of a folder, sorted; none where it cannot be read."""
    return [path for path, kind in _entries(folder) if kind is None]


def list_others(folder: Path) -> list[tuple[Path, str]]:
    """What else is in a folder, sorted, and what each is; none where it cannot be read."""
    return [(path, kind) for path, kind in _entries(folder) if kind is not None]


def _entries(folder: Path) -> list[tuple[Path, str | None]]:
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                try:
                    mode = entry.stat(follow_symlinks=False).st_mode
                except OSError:
                    continue  # removed just now
                kind = _KINDS.get(stat.S_IFMT(mode))
                found.append((Path(entry.path), kind))
    except OSError:
        pass
    return found
