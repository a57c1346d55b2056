"""Merging attempts: the writers of both stores, in the order in which they began."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from stepwell.store.attempts.numbering import number_attempts
from stepwell.store.attempts.rows import Writer, mark_superseded, renumber, select_writers

_WRITERS = "select run_id::varchar, writer from {}.attempts_"
_INSERT = """
insert into store.main.attempts_
select o.* from other.main.attempts_ o
anti join attempts_ h on h.run_id = o.run_id and h.attempt = o.attempt
    and h.rank = o.rank and h.writer = o.writer
"""


@dataclass(frozen=True, slots=True)
class MergedAttempts:
    """The attempts of a run that is in both stores.

    Attributes:
        latest: The number of its last attempt.
        is_here: Whether this store knows the last writer that can end it.
        is_there: Whether the other store does.
        is_new: Whether some writers were not known here.
    """

    latest: int
    is_here: bool
    is_there: bool
    is_new: bool


def merge_attempts(
    connection: duckdb.DuckDBPyConnection, run_ids: Iterable[str]
) -> dict[str, MergedAttempts]:
    """Take over the other store's writers, and number the attempts of runs in both.

    To be done first, so that no point comes whose attempt is not known.

    Args:
        connection: This store, with the other attached as `other`, in a transaction.
        run_ids: The runs that are in both.
    """
    here, there = (_known(connection, name) for name in ("store", "other"))
    connection.execute(_INSERT)
    wanted = sorted(run_ids)
    writers = select_writers(connection, wanted, both=True)
    numberings = {
        run: number_attempts(writer.part for writer in known)
        for run, known in writers.items()
    }
    renumber(connection, writers, numberings)
    mark_superseded(
        connection,
        {run: numberings[run] for run in wanted if numberings[run].latest > 1},
    )
    merged = {}
    for run, known in writers.items():
        last = _last(known, numberings[run].numbers)
        merged[run] = MergedAttempts(
            max(1, numberings[run].latest),
            last in here.get(run, set()),
            last in there.get(run, set()),
            not there.get(run, set()) <= here.get(run, set()),
        )
    return merged


def _known(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for run_id, writer in connection.execute(_WRITERS.format(database)).fetchall():
        found.setdefault(run_id, set()).add(writer)
    return found


def _last(known: list[Writer], numbers: dict[int, int]) -> str | None:
    """The last writer of a run that can end it."""
    order = {
        (numbers[writer.part.attempt], writer.part.started, writer.writer): writer.writer
        for writer in known
        if writer.part.primary
    }
    return order[max(order)] if order else None
