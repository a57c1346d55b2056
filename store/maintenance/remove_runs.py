"""Removing runs: all their rows, and whatever is left of their journals."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import duckdb

from stepwell.store.base.errors import RunGoesOnError, StoreLocationError, StoreNewerError
from stepwell.store.database.lease import Lease
from stepwell.store.files.owners import list_others
from stepwell.store.journal.files import (
    JournalFile,
    list_journals,
    list_set_aside,
    read_header,
)
from stepwell.store.journal.writer_alive import is_alive
from stepwell.store.values.run_info import RunInfo

_TABLES = ("points", "params_", "totals_", "attempts_", "journals_", "runs")
_CHOSEN = "run_id in (select unnest(from_json(?, '[\"UUID\"]')))"


@dataclass(frozen=True, slots=True)
class RemovedRuns:
    """Runs that were removed, or would be.

    Attributes:
        runs: The runs, newest first.
        points: How many points they have.
    """

    runs: tuple[RunInfo, ...]
    points: int

    def __len__(self) -> int:
        return len(self.runs)


def survey(
    connection: duckdb.DuckDBPyConnection, lease: Lease, runs: Iterable[RunInfo]
) -> RemovedRuns:
    """What a removal of *runs* takes away.

    Raises:
        RunGoesOnError: If a run still goes on.
    """
    chosen = tuple(runs)
    for run in chosen:
        _require_ended(lease, run)
    query = f"select coalesce(sum(count), 0)::bigint from totals_ where {_CHOSEN}"  # noqa: S608
    row = connection.execute(query, [_listed(chosen)]).fetchone()
    return RemovedRuns(chosen, int(row[0]) if row else 0)


def delete_runs(
    connection: duckdb.DuckDBPyConnection, lease: Lease, runs: tuple[RunInfo, ...]
) -> None:
    """Delete every row of *runs*, and their journals, within an exclusive transaction.

    What is left of their journals goes before the transaction is committed: a journal that
    stayed behind would be folded again, and the run be back. A kill between the two leaves
    the rows, which hold what the journals did.

    Raises:
        RunGoesOnError: If a run still goes on.
        StoreLocationError: If a journal cannot be removed.
    """
    for run in runs:
        _require_ended(lease, run)
    listed = [_listed(runs)]
    writers = f"select writer from journals_ where {_CHOSEN}"  # noqa: S608
    # Before `journals_`, which says whose names they are.
    connection.execute(f"delete from store.main.names_ where writer in ({writers})", listed)  # noqa: S608
    for table in _TABLES:
        connection.execute(f"delete from store.main.{table} where {_CHOSEN}", listed)  # noqa: S608
    for journal in _journals(lease, runs):
        try:
            journal.path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreLocationError(
                f"cannot remove the journal {journal.path}: {error.strerror or error}"
            ) from error
        for known in _memories(lease):
            known.pop(journal.writer, None)


def delete_damaged(lease: Lease, runs: tuple[RunInfo, ...]) -> None:
    """Remove the journals of *runs* that were set aside; name what is no file of ours."""
    others = list_others(lease.location.journals)
    for run in runs:
        for path, kind in others:
            if path.name.startswith(run.run_id):
                lease.say_once(f"{path} was not removed: it is {kind}; see to it yourself")
        for path in list_set_aside(lease.location.journals, run.run_id):
            with suppress(OSError):  # it is never folded
                path.unlink()


def _require_ended(lease: Lease, run: RunInfo) -> None:
    if any(_may_go_on(journal) for journal in _journals(lease, [run])):
        raise RunGoesOnError(run.name, run.host, run.pid)


def _may_go_on(journal: JournalFile) -> bool:
    try:
        found = read_header(journal.path)
    except FileNotFoundError:
        return False
    except (OSError, StoreNewerError):
        return True  # who writes it cannot be told
    return found is not None and is_alive(found[0], journal)


def _journals(lease: Lease, runs: Iterable[RunInfo]) -> Iterator[JournalFile]:
    run_ids = {run.run_id for run in runs}
    for journal in list_journals(lease.location.journals):
        if journal.run_id in run_ids:
            yield journal


def _memories(lease: Lease) -> tuple[dict[str, Any], ...]:
    return lease.folded, lease.alive, lease.headers, lease.header_ends, lease.passed


def _listed(runs: Iterable[RunInfo]) -> str:
    return json.dumps([run.run_id for run in runs])
