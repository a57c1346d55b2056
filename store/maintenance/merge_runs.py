"""Merging what describes the runs: their rows, their journals' offsets, kept figures."""

import json
from dataclasses import dataclass
from typing import Any

import duckdb

from stepwell.store.files.location import Location
from stepwell.store.ingest.rank_ends import end_of_ranks, select_ends
from stepwell.store.ingest.run_rows import ATTEMPT_MAX, RunRows, read_rows
from stepwell.store.journal.files import LOST

from .merge_attempts import MergedAttempts, merge_attempts
from .snapshot import running_elsewhere

_OPEN = ("running", "crashed")  # by a later look it may go on, or have ended
_END = ("status", "exit_message", "finished_at")
_STANDING = (*_END, "layout")

_NEW_JOURNALS = """
insert into store.main.journals_
select
    o.writer, o.run_id, o.rank, o.attempt, o.is_primary, o.folded_bytes, o.skipped_bytes,
    coalesce(o.ended, ?), o.last_sign, o.message
from other.main.journals_ o anti join journals_ h on h.writer = o.writer
"""
# What was lost to this store may have been folded further there, or to its end.
_LONGER_JOURNALS = """
update store.main.journals_ set
    folded_bytes = o.folded_bytes, skipped_bytes = o.skipped_bytes,
    ended = coalesce(o.ended, ?), message = o.message, last_sign = o.last_sign
from other.main.journals_ o
where o.writer = journals_.writer and journals_.ended = ?
    and (o.folded_bytes > journals_.folded_bytes
        or (o.folded_bytes = journals_.folded_bytes
            and (o.ended <> journals_.ended or o.last_sign > journals_.last_sign)))
"""
# Of runs that both stores have: whether they know a writer in common.
_WRITERS = """
select o.run_id::varchar, bool_or(h.writer is not null)
from other.main.journals_ o left join store.main.journals_ h on h.writer = o.writer
where o.run_id in (select unnest(from_json(?, '["UUID"]'))) group by o.run_id
"""
_NAMES = """
insert into store.main.names_
select o.writer, o.number, o.names from other.main.names_ o
join journals_ h on h.writer = o.writer and h.ended = ?
anti join names_ n on n.writer = o.writer and n.number = o.number
"""


@dataclass(frozen=True, slots=True)
class MergedRuns:
    """Runs of another store, as they came into this one.

    Attributes:
        count: How many there are.
        known: Ids of those that were here.
        added: Ids of those that were not here.
        updated: Ids of those that were here, and stand otherwise now.
    """

    count: int
    known: frozenset[str]
    added: frozenset[str]
    updated: frozenset[str]


def merge_runs(
    connection: duckdb.DuckDBPyConnection, more: set[str], source: Location
) -> MergedRuns:
    """Insert runs of `other` that are new, and update those that went on there.

    Args:
        connection: This store, with the other attached as `other`, in a transaction.
        more: Ids of runs that have points there and not here.
        source: Where the other store is, for what a run says that goes on there.
    """
    there, here = (read_rows(connection, None, name) for name in ("other", "store"))
    query = "select distinct run_id from journals_ where ended is null"
    live = {str(row[0]) for row in connection.execute(query).fetchall()}
    rows = RunRows(connection)
    both = here.keys() & there.keys()
    rows.load(both)
    attempts = merge_attempts(connection, both)
    ends = select_ends(connection, both, ("store", "other"))
    lost = _lost_calls(connection, here, there)
    added, updated = set(), set()
    for run_id, row in there.items():
        if row["status"] == "running":
            row["exit_message"] = row["exit_message"] or running_elsewhere(source)
        known = here.get(run_id)
        if known is None:
            added.add(run_id)
            rows.put(row)
            continue
        found = attempts[run_id]
        joined: dict[str, Any] = known
        is_live = run_id in live
        if _has_gone_on(row, known, found, is_live=is_live, has_more=run_id in more):
            joined = _joined(known, row, is_later=True)
        elif found.is_new:  # earlier than the last one here
            joined = _joined(known, row, is_later=False)
        joined = joined | {"attempt": min(found.latest, ATTEMPT_MAX)}
        own = joined["status"], joined["exit_message"], joined["finished_at"]
        end = end_of_ranks(own, ends[run_id])
        joined |= dict(zip(_END, end, strict=True))
        joined["lost_calls"] = lost.get(run_id, joined["lost_calls"])
        if joined != known:
            updated.add(run_id)
            rows.put(joined)
    rows.write()
    return MergedRuns(len(there), frozenset(both), frozenset(added), frozenset(updated))


def _lost_calls(
    connection: duckdb.DuckDBPyConnection,
    here: dict[str, dict[str, Any]],
    there: dict[str, dict[str, Any]],
) -> dict[str, int]:
    """How many calls of runs of both stores were lost: the sum over their writers.

    A store knows the sum over those of its own. Where the other one has some of these, as
    after a merge, it is the greater of both, which may be too few, but not too many.
    """
    numbers = {
        run_id: (here[run_id]["lost_calls"], there[run_id]["lost_calls"])
        for run_id in here.keys() & there.keys()
        if there[run_id]["lost_calls"]
    }
    if not numbers:
        return {}
    known = connection.execute(_WRITERS, [json.dumps([*numbers])]).fetchall()
    apart = {run_id for run_id, is_common in known if not is_common}
    return {
        run_id: sum(both) if run_id in apart else max(both)
        for run_id, both in numbers.items()
    }


def _has_gone_on(
    there: dict[str, Any],
    here: dict[str, Any],
    found: MergedAttempts,
    *,
    is_live: bool,
    has_more: bool,
) -> bool:
    """Whether another store knows better how a run stands."""
    if not (found.is_here and found.is_there):
        return found.is_there
    if is_live or here["status"] not in _OPEN:
        return False
    if there["status"] not in _OPEN or has_more:
        return True
    return bool(here["status"] == "running" and there["status"] == "crashed")


def _joined(
    here: dict[str, Any], there: dict[str, Any], *, is_later: bool
) -> dict[str, Any]:
    """A row that stands as in the later store; what was edited here stays.

    Args:
        here: The row in this store.
        there: The row in the other one.
        is_later: Whether that is the later.
    """
    first, last = (here, there) if is_later else (there, here)
    row = {
        column: there[column] if value is None or value == [] else value
        for column, value in here.items()
    }
    row |= {column: last[column] for column in _STANDING}
    begins = [row["created_at"] for row in (here, there) if row["created_at"]]
    row["created_at"] = min(begins, default=None)
    row["config"] = {**(first["config"] or {}), **(last["config"] or {})}
    return row


def merge_journals(connection: duckdb.DuckDBPyConnection) -> None:
    """Take over how far the other store's journals were folded.

    Should one of them come here, it is folded on from there. To be done last, when all of
    its points are here.
    """
    connection.execute(_NEW_JOURNALS, [LOST])
    connection.execute(_LONGER_JOURNALS, [LOST, LOST])
    connection.execute(_NAMES, [LOST])


def merge_figures(connection: duckdb.DuckDBPyConnection) -> int:
    """Take kept figures whose names are not in use here; gives how many."""
    found = connection.execute(
        "insert into store.main.figures from other.main.figures o"
        " anti join figures h using (name) returning name"
    ).fetchall()
    return len(found)
