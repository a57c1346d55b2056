"""What a fold took from one journal, and how far it came."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb

from stepwell.store.journal.files import CRASHED, JournalFile
from stepwell.store.journal.format import Header
from stepwell.store.journal.reader import Piece
from stepwell.store.journal.writer_alive import how_it_crashed, is_here
from stepwell.store.schema.small_rows import delete_rows, insert_rows, update_rows

from .batch import distinct
from .run_rows import from_nanoseconds

CONTINUED = "continued"
"""End of a journal that goes on in another file."""

_TICK = 20_000_000  # nanoseconds; more than any system's takes
GONE = "its journal was removed, or moved away"
"""What is said of a run whose journal is there no more, and had not ended."""

_NAMES = """
select writer, number, names from names_
where (writer, number) in (
    select unnest(from_json(?, '["VARCHAR"]')), unnest(from_json(?, '["BIGINT"]')))
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one fold takes from one journal.

    Attributes:
        journal: The file.
        header: Who writes it.
        known: Whether an earlier fold has met it.
        piece: The records.
        alive: Whether its writer lives.
        is_continued: Whether another file says that it goes on there.
        next_is_lost: Whether it goes on in a file that is not there.
    """

    journal: JournalFile
    header: Header
    known: bool
    piece: Piece
    alive: bool
    is_continued: bool = False
    next_is_lost: bool = False

    @property
    def ended(self) -> str | None:
        """How the writer ended; None while more may come."""
        if self.piece.finished is not None and self.piece.is_last:
            return str(self.piece.finished.get("status", "finished"))
        if self.piece.continued is not None and self.piece.is_last:
            return CONTINUED
        # Silence of another machine is no proof of death: it may be cut off from this file
        # system. Its run is shown as crashed, but the journal stays, for more may come.
        if self.alive or not is_here(self.header) or not self.piece.is_last:
            return None
        return CONTINUED if self.is_continued else CRASHED

    @property
    def has_no_more(self) -> bool:
        """Whether nothing was read that says an end, and nothing new of one who lives."""
        piece = self.piece
        if not piece.is_last or piece.finished is not None or piece.continued is not None:
            return False
        return not self.alive or (self.known and not piece.blocks and not piece.changes)

    @property
    def goes_on_elsewhere(self) -> bool:
        """Whether another file, that was or will be folded, says how the writer ended."""
        return self.is_continued or self.ended == CONTINUED

    @property
    def message(self) -> str | None:
        """What is said of how the writer ended; None where nothing is."""
        if self.ended == CRASHED and self.piece.finished is None:
            return how_it_crashed(self.header)
        said = (self.piece.finished or {}).get("message")
        return None if self.ended is None or said is None else str(said)

    @property
    def last_sign(self) -> int:
        """When the writer was last heard of, in nanoseconds since 1970.

        The system gives a file the time of its last tick, which is some milliseconds late.
        A writer that said its end said when, and may have begun after that tick.
        """
        touched = int(self.journal.heartbeat * 1e9)
        end = (self.piece.finished or {}).get("time")
        return max(touched, min(end, touched + _TICK)) if isinstance(end, int) else touched


def keep_offsets(
    connection: duckdb.DuckDBPyConnection, stretches: Iterable[Stretch]
) -> None:
    """Write how far each journal is folded, within a transaction."""
    new: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    for stretch in stretches:
        header, piece = stretch.header, stretch.piece
        offset = {
            "writer": header.writer,
            "folded_bytes": piece.stop,
            # Bytes behind the last whole record are lost only when the writer has ended:
            # before, they may be a record that is being written.
            "skipped_bytes": (
                max(0, stretch.journal.size - piece.stop) if stretch.ended else 0
            ),
            "ended": stretch.ended,
            "message": stretch.message,
            "last_sign": from_nanoseconds(stretch.last_sign),
        }
        if stretch.known:
            known.append(offset)
            continue
        who = {
            "run_id": header.run_id,
            "rank": header.rank,
            "attempt": header.attempt,
            "is_primary": header.primary,
        }
        new.append(offset | who)
    insert_rows(connection, "journals_", new)
    update_rows(connection, "journals_", "writer", known)


def keep_names(connection: duckdb.DuckDBPyConnection, stretches: list[Stretch]) -> None:
    """Keep the names that later records of journals may mean, within a transaction."""
    # No record behind an end can mean them. Should a longer copy of the journal come after
    # all, its names are read from the file again (`names_between`).
    over = [s.header.writer for s in stretches if s.known and s.ended is not None]
    delete_rows(connection, "names_", "writer", over)
    rows = (
        {"writer": stretch.header.writer, "number": number, "names": names}
        for stretch in stretches
        if stretch.ended is None
        for number, names in stretch.piece.names.items()
    )
    insert_rows(connection, "names_", rows)


def declared_names(
    connection: duckdb.DuckDBPyConnection, stretches: Iterable[Stretch]
) -> dict[str, dict[int, tuple[str, ...]]]:
    """The tuples of names that points use and earlier folds have met.

    Returns:
        By writer: the names by number.
    """
    missing = [
        (stretch.header.writer, number)
        for stretch in stretches
        if stretch.known
        for number in sorted(_numbers_in(stretch.piece) - stretch.piece.names.keys())
    ]
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    if missing:
        rows = connection.execute(
            _NAMES, [json.dumps(list(one)) for one in zip(*missing, strict=True)]
        )
        for writer, number, names in rows.fetchall():
            found.setdefault(writer, {})[number] = tuple(names)
    return found


def _numbers_in(piece: Piece) -> set[int]:
    return {number for block in piece.blocks for number in distinct(block.numbers)}
