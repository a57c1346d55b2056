"""How a run ended by the ends of all its ranks: the worst of them counts.

A rank's end is that of its first writer in the last attempt that had the rank; what joins
a rank later, as its children do, ends nothing.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

import duckdb

from stepwell.store.base.ids import first_writer_id
from stepwell.store.journal.files import CRASHED, LOST
from stepwell.store.journal.writer_alive import SILENT

from .run_rows import RunRows
from .segment import CONTINUED, Stretch

_ENDS = """
select
    a.run_id::varchar, a.writer, a.rank, a.number, epoch_us(a.started_at),
    coalesce(j.is_primary, true), j.ended, j.message, j.last_sign
from attempts_ a left join {journals} j on j.writer = a.writer
where a.run_id in (select unnest(from_json(?, '["UUID"]')))
"""
_LAST_TIMES = """
select run_id::varchar, max(last_time) from totals_
where run_id in (select unnest(from_json(?, '["UUID"]')))
    and last_time between timestamp '1677-01-01' and timestamp '2263-01-01'
group by run_id
"""
_UNKNOWN = (None, LOST, CONTINUED)
_BADNESS = {"finished": 0, "interrupted": 1, "crashed": 2, "failed": 3}


class RankEnd(NamedTuple):
    """How one writer of a run ended.

    Attributes:
        writer: The writer's id.
        rank: Its rank.
        number: The number of its attempt.
        started: When it began, in microseconds.
        primary: Whether it began the run, or its attempt.
        ended: How it ended; None while it goes on.
        message: What it said then.
        last_sign: When it was last heard of, where that is known.
    """

    writer: str
    rank: int
    number: int
    started: int
    primary: bool
    ended: str | None
    message: str | None
    last_sign: datetime | None


def select_ends(
    connection: duckdb.DuckDBPyConnection,
    run_ids: Iterable[str],
    databases: Iterable[str] = ("store",),
) -> dict[str, list[RankEnd]]:
    """The ends of the writers of runs, by run.

    Args:
        connection: The store.
        run_ids: The runs.
        databases: The attached stores that may know how a writer ended.
    """
    found: dict[str, dict[str, RankEnd]] = {run_id: {} for run_id in run_ids}
    for database in databases:
        query = _ENDS.format(journals=f"{database}.main.journals_")
        rows = connection.execute(query, [json.dumps(list(found))]).fetchall()
        for run_id, *values in rows:
            end = RankEnd(*values)
            known = found[run_id].get(end.writer)
            # The store that is asked first counts, unless it does not know: a journal that
            # is lost to it may have been folded to its end in the other one.
            if known is None or known.ended in _UNKNOWN:
                found[run_id][end.writer] = end
    return {run_id: list(ends.values()) for run_id, ends in found.items()}


def settle_ends(
    connection: duckdb.DuckDBPyConnection,
    rows: RunRows,
    stretches: list[Stretch],
    alive: Collection[str],
    vanished: Iterable[str] = (),
) -> None:
    """Let the worst end of a run's ranks count, where a fold has met an end.

    Args:
        connection: The store, when all ends are in its table of journals.
        rows: The rows of the runs, as their primary writers say.
        stretches: What the fold has read.
        alive: Ids of writers that live.
        vanished: Ids of runs of which a journal has vanished.
    """
    counts: dict[str, int] = {}
    for stretch in stretches:
        counts[stretch.header.run_id] = counts.get(stretch.header.run_id, 0) + 1
    ended = {s.header.run_id for s in stretches if s.ended is not None or not s.alive}
    # A run that began and ended in this fold, with one writer, needs no question.
    several = {run for run in ended if counts[run] > 1 or not rows.is_new(run)}
    wanted = sorted(several.union(vanished))
    if wanted:
        for run_id, ends in select_ends(connection, wanted).items():
            if len(ends) > 1:
                rows.stand_as(run_id, *end_of_ranks(rows.end_of(run_id), ends, alive))
    found = sorted(ended.union(vanished))
    _end_behind_points(connection, rows, [r for r in found if rows.end_of(r)[0] == CRASHED])


def _end_behind_points(
    connection: duckdb.DuckDBPyConnection, rows: RunRows, run_ids: list[str]
) -> None:
    """End no run before its points: its last sign of life is by a clock that may jump."""
    crashed = [run_id for run_id in run_ids if rows.end_of(run_id)[0] == CRASHED]
    if not crashed:
        return
    found = connection.execute(_LAST_TIMES, [json.dumps(crashed)]).fetchall()
    for run_id, last in found:
        status, message, time = rows.end_of(run_id)
        rows.stand_as(run_id, status, message, max(time or last, last))


def settle_merged(connection: duckdb.DuckDBPyConnection, run_ids: Iterable[str]) -> None:
    """The same for runs that were merged, when the journals of both stores are known.

    A fold in between knew nothing of those of the other store.
    """
    rows = RunRows(connection)
    known = list(run_ids)
    rows.load(known)
    for run_id, ends in select_ends(connection, known).items():
        rows.stand_as(run_id, *end_of_ranks(rows.end_of(run_id), ends))
    rows.write()


def end_of_ranks(
    own: tuple[str, str | None, datetime | None],
    ends: list[RankEnd],
    alive: Collection[str] = (),
) -> tuple[str, str | None, datetime | None]:
    """How a run stands: status, message and time of its end.

    Args:
        own: The same by the writer that began it, which was heard of last.
        ends: The ends of its writers.
        alive: Ids of writers that live.
    """
    if own[0] not in _BADNESS:
        return own
    deciding = _deciding(ends)
    # One rank's failure does not end a run that another one still writes: that one may have
    # more to log, and says its own end.
    if any(e.primary and e.ended is None and e.writer in alive for e in deciding):
        return "running", None, None
    status, message, time = own = _of_primary(own, deciding, ends)
    if len(deciding) == 1:
        return own
    known = [(e.last_sign, e) for e in deciding if e.last_sign and e.ended in _BADNESS]
    primaries = sorted((end for end in deciding if end.primary), key=lambda e: e.started)
    for sign, end in sorted(known):  # the first is the cause
        if _BADNESS[str(end.ended)] > _BADNESS[status]:
            status = str(end.ended)
            message = _told(end)
        if end not in primaries[-1:]:  # which has said itself when it ended
            time = max(sign, time or sign)
    return status, message, time


def _of_primary(
    own: tuple[str, str | None, datetime | None],
    deciding: list[RankEnd],
    ends: list[RankEnd],
) -> tuple[str, str | None, datetime | None]:
    """The same by itself: the row may tell of a rank that is of no last attempt now."""
    status, message, time = own
    for end in sorted((e for e in deciding if e.primary), key=lambda e: e.started):
        if end.ended in _BADNESS:
            if end.message is not None or end.ended != status:
                message = end.message
            status = str(end.ended)
        elif message in {_told(e) for e in ends if e not in deciding}:
            status, message, time = "crashed", SILENT, end.last_sign
    return status, message, time


def _deciding(ends: list[RankEnd]) -> list[RankEnd]:
    # Ranks that only earlier attempts had say nothing of how the run stands now.
    last = max((end.number for end in ends if end.primary), default=0)
    ranks: dict[int, RankEnd] = {}
    ends = [end for end in _of_last_files(ends) if end.ended != CONTINUED]
    # The order puts the last attempt first, in it who began the rank, and then who came
    # first: `setdefault` keeps that one, and leaves out children that joined later.
    for end in sorted(ends, key=lambda e: (-e.number, not e.primary, e.started, e.writer)):
        if end.number >= last:
            ranks.setdefault(end.rank, end)
    first = list(ranks.values())
    return first + [e for e in ends if e.primary and e.number == last and e not in first]


def _of_last_files(ends: list[RankEnd]) -> list[RankEnd]:
    """Without those of files that could not be told where their writer went on."""
    last: dict[str, str] = {}
    for end in ends:
        first = first_writer_id(end.writer)
        last[first] = max(end.writer, last.get(first, ""))
    return [end for end in ends if end.writer == last[first_writer_id(end.writer)]]


def _told(end: RankEnd) -> str:
    return f"rank {end.rank}: {end.message or end.ended}"
