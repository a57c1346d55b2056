"""Inserting what a fold took from one journal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from ._batch import make_batch, totals
from ._format import Header
from ._journal_files import JournalFile
from ._liveness import is_here
from ._recover import Piece

# DuckDB reads a NaN of a numpy column as NULL.
_NAMES_AT_A_TIME = 8192

# Lists go in as JSON text: DuckDB 1.5 takes 0.3 ms for each value of a list otherwise,
# looking for a pandas that is not installed.
_INSERT_POINTS = """
insert into points
select
    ?::uuid, from_json(?, '["VARCHAR"]')[code + 1], step, time,
    coalesce(value, 'nan'::double), ?::smallint, ?::smallint
from batch
"""
_MERGE_TOTALS = """
merge into totals_ t
using (
    select
        ?::uuid as run_id, from_json(?, '["VARCHAR"]')[code + 1] as metric,
        ?::smallint as rank, ?::smallint as attempt,
        code, count, non_finite, total, first_time, first_step, last_step, last_time,
        coalesce(last_value, 'nan'::double) as last_value,
        case when not isnan(minimum) then minimum end as minimum,
        case when not isnan(minimum) then minimum_step end as minimum_step,
        case when not isnan(maximum) then maximum end as maximum,
        case when not isnan(maximum) then maximum_step end as maximum_step
    from batch
) s
on t.run_id = s.run_id and t.metric = s.metric and t.rank = s.rank
    and t.attempt = s.attempt
when matched then update set
    count = t.count + s.count,
    non_finite = t.non_finite + s.non_finite,
    total = t.total + s.total,
    minimum = least(t.minimum, s.minimum),
    minimum_step = case
        when t.minimum is null or s.minimum < t.minimum then s.minimum_step
        when s.minimum = t.minimum then least(s.minimum_step, t.minimum_step)
        else t.minimum_step end,
    maximum = greatest(t.maximum, s.maximum),
    maximum_step = case
        when t.maximum is null or s.maximum > t.maximum then s.maximum_step
        when s.maximum = t.maximum then least(s.maximum_step, t.maximum_step)
        else t.maximum_step end,
    first_time = least(t.first_time, s.first_time),
    first_step = least(t.first_step, s.first_step),
    last_step = greatest(t.last_step, s.last_step),
    last_time = case when (s.last_step, s.last_time) >= (t.last_step, t.last_time)
        then s.last_time else t.last_time end,
    last_value = case when (s.last_step, s.last_time) >= (t.last_step, t.last_time)
        then s.last_value else t.last_value end
when not matched then insert values (
    s.run_id, s.metric, s.rank, s.attempt, s.code, s.count, s.non_finite, s.total,
    s.minimum, s.minimum_step, s.maximum, s.maximum_step, s.first_time, s.first_step,
    s.last_step, s.last_time, s.last_value
)
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
        gone = not self.alive and is_here(self.header)
        return "crashed" if gone and self.piece.is_last else None


def insert_stretch(connection: duckdb.DuckDBPyConnection, stretch: Stretch) -> None:
    """Insert points, totals and the new offset of one journal, within a transaction."""
    header, piece = stretch.header, stretch.piece
    if piece.blocks:
        batch = make_batch(piece, _declared(connection, stretch))
        piece.blocks.clear()  # the batch has it all; a fold must fit a small memory
        for part in batch.parts(_NAMES_AT_A_TIME):
            who = [header.run_id, json.dumps(part.names), header.rank, header.attempt]
            _execute_on(connection, _INSERT_POINTS, who, part.columns())
            _execute_on(connection, _MERGE_TOTALS, who, totals(part))
    _keep_names(connection, stretch)
    skipped = max(0, stretch.journal.size - piece.stop) if stretch.ended else 0
    signed = datetime.fromtimestamp(stretch.journal.heartbeat, UTC).replace(tzinfo=None)
    if stretch.known:
        connection.execute(
            "update journals_ set folded_bytes = ?, skipped_bytes = ?, ended = ?,"
            " last_sign = ? where writer = ?",
            [piece.stop, skipped, stretch.ended, signed, header.writer],
        )
    else:
        connection.execute(
            "insert into journals_ values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                header.writer,
                header.run_id,
                header.rank,
                header.attempt,
                header.primary,
                piece.stop,
                skipped,
                stretch.ended,
                signed,
            ],
        )


def _execute_on(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    parameters: list[object],
    columns: Mapping[str, object],
) -> None:
    connection.register("batch", columns)
    try:
        connection.execute(statement, parameters)
    finally:
        connection.unregister("batch")


def _declared(
    connection: duckdb.DuckDBPyConnection, stretch: Stretch
) -> dict[int, tuple[str, ...]]:
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
            connection.execute("delete from names_ where writer = ?", [writer])
    elif names:
        connection.execute(
            "insert into names_ select ?, unnest(from_json(?, '[\"BIGINT\"]')),"
            " unnest(from_json(?, '[[\"VARCHAR\"]]'))",
            [writer, json.dumps(list(names)), json.dumps(list(names.values()))],
        )
