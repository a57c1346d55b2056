"""Folders of our own beside a database, where files grow until they take their place.

Only who made one may enter it, so nobody else can put a link in the way of what DuckDB
opens there by its name.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from zlib import crc32

from ._errors import StoreLocationError

NEW = ".new"
"""Behind a database's name: a folder in which it is made."""

COMPACT = ".compact"
"""Behind a database's name: a folder in which it is rewritten."""


@contextmanager
def hidden_folder(beside: Path, what: str = "") -> Iterator[Path]:
    """A new folder beside a file, on the same disk; gone afterwards.

    Args:
        beside: The file.
        what: What the folder is for, by which `left_folders` finds it after a kill.

    Raises:
        StoreLocationError: If it cannot be made.
    """
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        prefix = f"{_prefix(beside, what)}-"
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=beside.parent))
    except OSError as error:
        raise StoreLocationError(
            f"cannot write to {beside.parent}: {error.strerror or error}"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def left_folders(beside: Path, what: str) -> list[Path]:
    """The hidden folders for *what* that are there, whoever uses them."""
    with suppress(OSError):
        prefix = f"{_prefix(beside, what)}-"
        return sorted(p for p in beside.parent.iterdir() if p.name.startswith(prefix))
    return []


def remove_left(beside: Path, what: str) -> None:
    """Remove what a process left that was killed; no other uses any for *what* now."""
    for folder in left_folders(beside, what):
        shutil.rmtree(folder, ignore_errors=True)
    for suffix in ("", ".wal"):  # as they were named before
        with suppress(OSError):
            beside.with_name(f"{beside.name}{what}{suffix}").unlink(missing_ok=True)


def _prefix(beside: Path, what: str) -> str:
    begin = f".{beside.name[:32]}"  # a name may be as long as names can be
    return f"{begin}-{crc32(beside.name.encode()):08x}{what}" if what else begin
