"""A journal that is large, and folded, goes on in a new file, so that the old one can go.

Else a run that goes on for days would keep all that it ever recorded twice. The keeper's
thread looks, next to its other looks, whether the file has `LIMIT` bytes, and whether as
many are folded, which each fold notes in the folder (`note_folded`). A note that is wrong,
late or missing costs nothing but room: what a change of files needs to be right is not
that the old file is folded, but the order in which it is done, with the writer's lock held:

1. The new file is made, with a life lock, and its whole header in one write. The header
   has the run, rank and attempt of the old one, and says which file it continues.
2. From here on this process writes to the new file alone; it declares names anew.
3. CONTINUED is written to the old file, as its last record, and the file is closed.

A kill before 1 leaves the old file alone, or beside an empty one, which holds nothing and
is removed. Between 1 and 3 two files have no end: the process that wrote both is dead, and
whatever either holds is folded. After 3 the old file is at its end, and is removed when it
is folded whole; so it is when its process lives on. Each record is in one file alone, at a
place that one fold moves beyond: none is lost or doubled.

Whoever sees CONTINUED can see the new file, which was there before. A reader that listed
the folder earlier looks again. An old file never ends the run: the last one does. Where
the disk refuses CONTINUED, the old file stays open, and is told at the next look; where it
refuses the new file, or the old one was moved away, the journal grows as before.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from stepwell.store.base.ids import next_writer_id
from stepwell.store.base.run_clock import RunClock
from stepwell.store.files.location import Location
from stepwell.store.files.owners import open_ours
from stepwell.store.files.regular_files import open_anew

from .appender import Journal
from .format import CONTINUED, Header, PointsShape, withdraw

LIMIT = 16 * 2**20
"""Bytes from which on a journal is large.

A fold takes 8 MB at a time, so fewer would not be folded earlier; and a change of files,
which costs a fold a row or two, and one call a tenth of a millisecond, comes once in some
200,000 calls.
"""

NOTED = 2**14
"""Bytes from which on a fold notes how far an open journal is folded."""

_NOTE = ".folded"
_LONGEST_NOTE = 2**20


def note_folded(folder: Path, folded: Mapping[str, int]) -> None:
    """Note how far open journals are folded, for their writers; by whoever holds the store.

    Args:
        folder: The journals' folder.
        folded: Bytes of each journal, by its writer.
    """
    known = {writer: offset for writer, offset in folded.items() if offset >= NOTED}
    if known:
        new = folder / f"{_NOTE}.new"
        with suppress(OSError):  # a writer that isn't told goes on as it did
            with open_anew(new) as file:
                file.write(json.dumps(known).encode())
            # Writers read the note at any moment, and find a whole one.
            new.replace(folder / _NOTE)


def continue_if_folded(writer: "JournalWriter") -> None:
    """Let a writer go on in a new file, if its journal is large and folded."""
    journal = writer.journal
    if writer.chain.has_left:
        with writer.lock:
            writer.chain.leave()
    elif journal.size >= LIMIT and _folded(journal) >= LIMIT:
        writer.change_files()


def _folded(journal: Journal) -> int:
    try:
        with open_ours(journal.path.with_name(_NOTE)) as file:
            noted = json.loads(file.read(_LONGEST_NOTE))
        return int(noted.get(journal.header.writer, 0))
    except (OSError, ValueError, TypeError, OverflowError, AttributeError, RecursionError):
        return 0  # nobody folds, or not with this version, or it was tampered with


def change_files(writer: "JournalWriter") -> None:
    """Go on in a new file, where there can be one; the writer's lock is held."""
    old, known = writer.journal, writer.shapes
    new = writer.chain.next_file(old, writer.header, writer.clock.now())
    if new is not None:
        # No call comes between these two, not even a collector's.
        writer.journal, writer.shapes = new, {}
        withdraw(known)
        writer.chain.leave()


class Chain:
    """The files of one writer: the present one, and the one that was left."""

    def __init__(self) -> None:
        self._left: Journal | None = None
        self._next = ""

    @property
    def has_left(self) -> bool:
        """Whether a file was left that could not be told where it goes on."""
        return self._left is not None

    def next_file(self, journal: Journal, first: Header, started: int) -> Journal | None:
        """Make the file in which a journal goes on; None where there can be none now.

        Args:
            journal: The present one.
            first: The header of the writer's first one.
            started: Now, in nanoseconds.
        """
        # One that is not told yet is to be told first, as only one is remembered; and the
        # run of a journal that was moved away would go on in two places.
        if self.has_left or not journal.is_in_place():
            return None
        header = first._replace(
            writer=next_writer_id(journal.header.writer),
            continues=journal.header.writer,
            started=max(started, journal.header.started),
        )
        try:
            made = Journal(journal.path.parent, header, continues=journal)
        except OSError:  # no room, or no descriptor
            return None
        self._left, self._next = journal, header.writer
        return made

    def leave(self) -> None:
        """Tell the file that was left where it goes on, and close it."""
        left = self._left
        if left is not None and left.write_json(CONTINUED, {"writer": self._next}):
            self.close()

    def close(self) -> None:
        """Let go of the file that was left."""
        if self._left is not None:
            self._left.close()
            self._left = None


class JournalWriter(Protocol):
    """One process that writes one run, as far as its journal's files are concerned.

    Attributes:
        location: The store.
        header: What the first of its files begins with.
        journal: The file that it writes now.
        chain: That file, and the one before.
        shapes: The names that this file declares.
        clock: The run's clock.
        lock: Held by whoever writes; re-entrant.
    """

    location: Location
    header: Header
    journal: Journal
    chain: Chain
    shapes: dict[tuple[str, ...], PointsShape]
    clock: RunClock
    lock: Any  # what `threading.RLock` makes has no type of one name

    def change_files(self) -> None:
        """Go on in a new file, where there can be one."""
