"""What becomes of the journals when a fold of them is committed."""

import contextlib
from pathlib import Path
from typing import NamedTuple

from stepwell.store.database.lease import Lease
from stepwell.store.files.owners import Owners, open_ours, owners_if_any
from stepwell.store.journal.files import DAMAGED, JournalFile
from stepwell.store.journal.reader import is_cut_record

from .segment import Stretch


class Folded(NamedTuple):
    """What one fold takes.

    Attributes:
        stretches: What was read.
        leftover: Journals that were folded whole before, and how far.
        headless: Journals that have no header, and never will.
        more: Whether there is more to read.
    """

    stretches: list[Stretch]
    leftover: list[tuple[JournalFile, int]]
    headless: list[JournalFile]
    more: bool


def settle(lease: Lease, folded: Folded) -> list[Path]:
    """Remember what was committed, and put away what was folded whole.

    Returns:
        What was set aside.
    """
    leftover = folded.leftover
    for stretch in folded.stretches:
        lease.passed.pop(stretch.journal.writer, None)
        journal, stop = stretch.journal, stretch.piece.stop
        lease.folded[journal.writer] = stop
        lease.alive[journal.writer] = stretch.alive
        lease.torn.pop(journal.writer, None)
        if stretch.ended is None and stretch.piece.is_last and stop < journal.size:
            lease.torn[journal.writer] = (journal.size, journal.heartbeat)
        if stretch.ended is not None:
            leftover.append((journal, stop))
    aside: list[Path] = []
    owners = owners_if_any(lease.location.journals)
    # What cannot be moved now is so the next time.
    for journal, stop in leftover:
        lease.folded.pop(journal.writer, None)
        with contextlib.suppress(OSError):
            aside += _put_away(journal.path, stop, owners)
    for journal in folded.headless:
        with contextlib.suppress(OSError):
            aside += _put_away_headless(journal)
    return aside


def _put_away(path: Path, folded: int, owners: Owners | None) -> list[Path]:
    """Remove what was folded whole, or else set it aside, which is given."""
    found = path.lstat()
    # Nearly always the size says that all was folded, and the file need not be opened.
    # `lstat` and the check of its owner see to it that it is a file of ours, and no link.
    if owners is not None and found.st_size == folded:
        owners.require_file(found, path)
        path.unlink()
        return []
    with open_ours(path, owners) as file:
        file.seek(folded)
        rest = file.read()
    if is_cut_record(rest):
        path.unlink(missing_ok=True)  # never acknowledged: the last write of its process
        return []
    return [_set_aside(path)]


def _put_away_headless(journal: JournalFile) -> list[Path]:
    if journal.size:
        return [_set_aside(journal.path)]
    journal.path.unlink(missing_ok=True)  # its process was killed when it had made it
    return []


def _set_aside(path: Path) -> Path:
    # Renamed, never deleted: behind the damage may stand whole records, which repair reads.
    return path.replace(path.with_name(path.name + DAMAGED))
