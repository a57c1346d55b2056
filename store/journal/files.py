"""The journals in a store's folder, and who writes them; not what they hold."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from stepwell.store.base.errors import StoreLocationError, why_and_what
from stepwell.store.files.location import require_journals
from stepwell.store.files.owners import Owners, list_ours, open_ours, owners_in

from .format import SUFFIX, Header, decode_header, journal_name

DAMAGED = ".damaged"
"""Suffix of a journal set aside for a repair."""

LOST = "lost"
"""End of a journal that vanished; should it come back, it is folded on."""

CRASHED = "crashed"
"""End of a journal whose writer never said one; a longer copy of it is folded on."""

ID_LENGTH = 36
"""Characters of a run's id, with which a journal's name begins."""

_HEADER_BYTES = 1 << 12  # what nearly every header fits into
_LONGEST_HEADER = 1 << 24
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]+" + SUFFIX)


class JournalFile(NamedTuple):
    """A journal as the folder shows it.

    Attributes:
        path: The file.
        size: Its length in bytes.
        heartbeat: Its modification time, seconds since 1970.
        writer: Id of the writer, from the file's name.
    """

    path: Path
    size: int
    heartbeat: float
    writer: str

    @classmethod
    def named(cls, path: Path, size: int, heartbeat: float) -> "JournalFile":
        """A journal, with the writer that its name tells."""
        writer = path.name.removesuffix(SUFFIX).rpartition("-")[2]
        return cls(path, size, heartbeat, writer)

    @property
    def run_id(self) -> str:
        """Id of the run, from the file's name."""
        return self.path.name[:ID_LENGTH]


def list_journals(folder: Path) -> list[JournalFile]:
    """The journals in a store's folder, oldest run first; none where there is no folder.

    What is not named as a journal is not looked at; what is no regular file, or a
    stranger's, is left out.

    Raises:
        StoreLocationError: If the folder cannot be read, or is a stranger's.
    """
    try:
        require_journals(folder)
        # The names of a writer's files end in numbers that grow, so a fold meets its
        # records in the order in which they were written.
        return sorted(_scan(folder), key=lambda journal: journal.path.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        is_in_the_way = isinstance(error, NotADirectoryError)
        advice = "move that away" if is_in_the_way else "check the folder's owner and mode"
        raise StoreLocationError(
            f"cannot read the journals in {folder}: {why_and_what(error, advice)}"
        ) from error


def follow(look: Callable[[], list[Path]]) -> Iterator[Path]:
    """The files that *look* lists, and then those that came meanwhile.

    So who has read that a journal goes on in another file is given that, too. Folds, which
    remove journals, are to be kept away.
    """
    known: set[Path] = set()
    while fresh := [path for path in look() if path not in known]:
        known.update(fresh)
        yield from fresh


def list_set_aside(folder: Path, run_id: str = "") -> list[Path]:
    """The journals, of a run or of all, that were set aside for a repair."""
    return [
        path
        for path in list_ours(folder)
        if path.name.startswith(run_id) and path.name.endswith(DAMAGED)
    ]


def is_named(name: str) -> bool:
    """Whether a file's name is that of a journal."""
    return _NAME.fullmatch(name) is not None


def short_name(path: Path) -> str:
    """The end of a journal's name, which is what tells it apart; or another's name."""
    if not is_named(path.name.removesuffix(DAMAGED)):
        return path.name
    run_id, _, rest = path.name.rpartition("-")
    return f"journal …{run_id[-8:]}-{rest}"


def _scan(folder: Path) -> Iterator[JournalFile]:
    owners = owners_in(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_named(entry.name):
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # folded and removed by another process just now
                if stat.S_ISREG(found.st_mode) and owners.objection(found) is None:
                    yield JournalFile.named(Path(entry.path), found.st_size, found.st_mtime)


def read_header(path: Path, owners: Owners | None = None) -> tuple[Header, int] | None:
    """A journal's header and the offset behind it; None where it is cut or damaged.

    Args:
        path: The file.
        owners: Whose files count in its folder; looked for when absent.

    Raises:
        OSError: If the file cannot be read.
        StoreNewerError: If its format is newer than this code.
    """
    for most in (_HEADER_BYTES, _LONGEST_HEADER):
        with open_ours(path, owners) as file:
            data = file.read(most)
        try:
            header, end = decode_header(data)
        except (ValueError, RecursionError):
            continue
        # What is folded is remembered by the header's writer and looked for by the name's.
        # A copy under another name would be folded a second time, and its points doubled.
        fits = path.name == journal_name(header)
        return (header, end) if fits else None
    return None
