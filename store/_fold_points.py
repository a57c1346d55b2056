"""What a fold took from one journal, and how far it came."""

import json
from dataclasses import dataclass

import duckdb

from ._format import Header
from ._journal_files import JournalFile
from ._liveness import how_it_crashed, is_here
from ._recover import Piece
from ._run_rows import from_nanoseconds

CONTINUED = "continued"
"""End of a journal whose run goes on in another."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one fold takes from one journal.

    Attributes:
        journal: The file.
        header: Who writes it.
        known: Whether an earlier fold has met it.
        piece: The records.
        alive: Whether its writer lives.
    """

    journal: JournalFile
    header: Header
    known: bool
    piece: Piece
    alive: bool

    @property
    def ended(self) -> str | None:
        """How the writer ended; None while more may come."""
        if self.piece.finished is not None and self.piece.is_last:
            return str(self.piece.finished.get("status", "finished"))
        if self.piece.continued is not None and self.piece.is_last:
            return CONTINUED
        gone = not self.alive and is_here(self.header)
        return "crashed" if gone and self.piece.is_last else None

    @property
    def message(self) -> str | None:
        """What is said of how the writer ended; None where nothing is."""
        if self.ended == "crashed" and self.piece.finished is None:
            return how_it_crashed(self.header)
        said = (self.piece.finished or {}).get("message")
        return None if self.ended is None or said is None else str(said)


def insert_stretch(connection: duckdb.DuckDBPyConnection, stretch: Stretch) -> None:
    """Insert names and the new offset of one journal, within a transaction."""
    header, piece = stretch.header, stretch.piece
    _keep_names(connection, stretch)
    skipped = max(0, stretch.journal.size - piece.stop) if stretch.ended else 0
    signed = from_nanoseconds(int(stretch.journal.heartbeat * 1e9))
    end = stretch.ended, stretch.message
    if stretch.known:
        connection.execute(
            "update store.main.journals_ set folded_bytes = ?, skipped_bytes = ?,"
            " ended = ?, message = ?, last_sign = ? where writer = ?",
            [piece.stop, skipped, *end, signed, header.writer],
        )
    else:
        connection.execute(
            "insert into store.main.journals_ values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                header.writer,
                header.run_id,
                header.rank,
                header.attempt,
                header.primary,
                piece.stop,
                skipped,
                end[0],
                signed,
                end[1],
            ],
        )


def declared_names(
    connection: duckdb.DuckDBPyConnection, stretch: Stretch
) -> dict[int, tuple[str, ...]]:
    """The tuples of names that a stretch's points use, by number."""
    declared = dict(stretch.piece.names)
    needed = {
        number for block in stretch.piece.blocks for number in set(block.numbers.tolist())
    }
    missing = sorted(needed - declared.keys())
    if missing:
        query = (
            "select number, names from names_ where writer = ?"
            " and number in (select unnest(from_json(?, '[\"BIGINT\"]')))"
        )
        who = [stretch.header.writer, json.dumps(missing)]
        found = connection.execute(query, who).fetchall()
        declared.update({number: tuple(names) for number, names in found})
    return declared


def _keep_names(connection: duckdb.DuckDBPyConnection, stretch: Stretch) -> None:
    names, writer = stretch.piece.names, stretch.header.writer
    if stretch.ended is not None:
        if stretch.known:
            connection.execute("delete from store.main.names_ where writer = ?", [writer])
    elif names:
        connection.execute(
            "insert into store.main.names_ select ?, unnest(from_json(?, '[\"BIGINT\"]')),"
            " unnest(from_json(?, '[[\"VARCHAR\"]]'))",
            [writer, json.dumps(list(names)), json.dumps(list(names.values()))],
        )
