"""Regular files, opened so that nothing else of that name can block or mislead.

Anything may lie in a folder that others can write to: a pipe would wait for its other end
for ever, a device may act when it is opened, and a link leads who knows where. See
`owners` for whose files they may be.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

# Something else may take a file's place between the look and the opening: a link is refused
# then, a pipe is not waited for, and a terminal does not become this process's.
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}
NO_FILE = "it is no regular file"


class UnsafeFileError(OSError):
    """A file that is not to be opened; `strerror` says why."""

    def __init__(self, why: str, path: Path) -> None:
        super().__init__(errno.EINVAL, why, str(path))


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read it, and nothing else; never waits.

    Raises:
        OSError: If it cannot be opened, or is anything else.
    """
    return os.fdopen(open_descriptor(path), "rb")


def open_descriptor(path: Path, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
    """Open a regular file, and nothing else; never waits.

    Args:
        path: The file; the way to its folder is the caller's choice.
        flags: As of `os.open`; who makes a file adds `O_EXCL`.
        mode: Of a new file, less the umask.

    Raises:
        UnsafeFileError: If it is anything else.
        OSError: If it cannot be opened.
    """
    with suppress(FileNotFoundError):  # a device may act when it is opened
        require_file(path.lstat(), path)
    descriptor = os.open(path, flags | _FLAGS, mode)
    try:
        require_regular(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_anew(path: Path, mode: int = 0o666) -> BinaryIO:
    """Make a file in place of whatever has its name, to write to it.

    Raises:
        OSError: If that cannot be removed, or somebody else was quicker.
    """
    # Not emptied, but removed: through a link, or a second name, it would be another file
    # that gets what is written.
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    return os.fdopen(open_descriptor(path, flags, mode), "wb")


def require_regular(descriptor: int, path: Path) -> None:
    """Look at what was opened: it may have taken the place of what was seen before.

    Raises:
        UnsafeFileError: If it is no regular file.
    """
    require_file(os.fstat(descriptor), path)


def require_file(found: os.stat_result, path: Path) -> None:
    """Refuse what is no regular file.

    Raises:
        UnsafeFileError: If it is something else.
    """
    if other_kind(found) is not None:
        raise UnsafeFileError(NO_FILE, path)


def is_there(path: Path) -> bool:
    """Whether anything has this name, as far as can be told."""
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True


def other_kind(found: os.stat_result) -> str | None:
    """What something is that is no regular file; None for one."""
    if stat.S_ISREG(found.st_mode):
        return None
    return _KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
