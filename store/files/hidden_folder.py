"""Folders of our own beside a database, where files grow until they take their place.

Only who made one may enter it, so nobody else can put a link in the way of what DuckDB
opens there by its name.
"""

import fcntl
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from zlib import crc32

from stepwell.store.base.errors import StoreLocationError

from .regular_files import open_descriptor

NEW = ".new"
"""Behind a database's name: a folder in which it is made."""

COMPACT = ".compact"
"""Behind a database's name: a folder in which it is rewritten."""


COPY, RESCUE, FILE = ".copy", ".repair", ".part"
"""Behind the name of what is to be: folders that are held by whoever uses them."""

_HELD = ".held"
_SECONDS = 60.0  # after which a folder that nobody holds yet will not be held any more


@contextmanager
def hidden_folder(beside: Path, what: str) -> Iterator[Path]:
    """A new folder beside a file, on the same disk; gone afterwards.

    What earlier ones for the same left that were killed is removed.

    Args:
        beside: The file.
        what: What the folder is for, by which it is found after a kill.

    Raises:
        StoreLocationError: If it cannot be made.
    """
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        prefix = f"{_prefix(beside, what)}-"
        for left in left_folders(beside, what):
            # These two are removed by `remove_left`, by whoever has the lock without which
            # nobody makes one, and so needs no look at who uses them.
            if what not in {NEW, COMPACT} and is_left(left):
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=beside.parent))
        held = open_descriptor(folder / _HELD, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    except OSError as error:
        raise StoreLocationError(
            f"cannot write {beside}: {error.strerror or error}"
        ) from error
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(held, fcntl.LOCK_EX)
        yield folder
    finally:
        # The folder goes before its lock: nobody else is to find it left meanwhile.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def is_left(folder: Path) -> bool:
    """Whether a hidden folder is this user's, and nobody uses it any more."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    try:
        # Anybody can give a link, or a folder of his, such a name where all may write.
        if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
            return False
        held = open_descriptor(folder / _HELD, os.O_RDWR)
    except FileNotFoundError:
        return time.time() - found.st_mtime > _SECONDS
    except OSError:
        return False
    try:
        # Not lockf, which a process that has it itself is given again.
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(held)
    return True


def folders_left_in(parent: Path, what: str) -> list[Path]:
    """The folders for *what*, of any file there, that nobody uses any more."""
    pattern = re.compile(rf"\..+-[0-9a-f]{{8}}{re.escape(what)}-\w+")
    with suppress(OSError):
        named = (path for path in parent.iterdir() if pattern.fullmatch(path.name))
        return sorted(path for path in named if is_left(path))
    return []


def left_folders(beside: Path, what: str) -> list[Path]:
    """The hidden folders for *what* that are there, whoever uses them."""
    with suppress(OSError):
        prefix = f"{_prefix(beside, what)}-"
        names = os.listdir(beside.parent)  # noqa: PTH208 (there may be many)
        return [beside.with_name(name) for name in sorted(names) if name.startswith(prefix)]
    return []


def remove_left_folders(beside: Path, what: str) -> None:
    """Remove folders of a process that was killed; no other uses any for *what* now."""
    for folder in left_folders(beside, what):
        shutil.rmtree(folder, ignore_errors=True)


def remove_left(beside: Path, what: str) -> None:
    """The same, and what was left under the names of earlier versions."""
    remove_left_folders(beside, what)
    for suffix in ("", ".wal"):  # as they were named before
        with suppress(OSError):
            beside.with_name(f"{beside.name}{what}{suffix}").unlink(missing_ok=True)


def _prefix(beside: Path, what: str) -> str:
    # The sum is of the whole name, since long names may begin alike.
    begin = f".{beside.name[:32]}"  # a name may be as long as names can be
    return f"{begin}-{crc32(beside.name.encode()):08x}{what}"
