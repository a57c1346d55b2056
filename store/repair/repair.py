"""Saving what can be read of a damaged store into a new one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from stepwell.store.attempts.rebuild import complete_attempts
from stepwell.store.base.errors import StoreLocationError
from stepwell.store.database.attach import looking
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.duckdb_instance import roll_back, run_apart
from stepwell.store.database.lease import SECONDS, Lease
from stepwell.store.database.schema_upgrade import prepare
from stepwell.store.files.hidden_folder import RESCUE, hidden_folder
from stepwell.store.files.location import Location, existing, resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.ingest.run_rows import RunRows, read_rows
from stepwell.store.ingest.totals import recount
from stepwell.store.journal.files import LOST
from stepwell.store.maintenance.copy import require_free
from stepwell.store.maintenance.merge import merge_from
from stepwell.store.maintenance.snapshot import (
    end_journals,
    force_to_disk,
    move_journals,
    remove_locks,
    running_elsewhere,
)

from .salvage_database import BY_COPY, RescuedTable, attach_damaged, rescue_table
from .salvage_journals import Known, RescuedJournal, rescue_journals

_BY_COPY = f"read {BY_COPY}"
_FOREIGN = "it is a DuckDB database, but not a Stepwell store"
_ALL_LOST = "update store.main.journals_ set ended = ? where ended is null"
_MADE_UP = """
insert into store.main.runs
    (run_id, name, status, created_at, finished_at, exit_message, attempt, lost_calls)
select run_id, 'recovered-' || right(run_id::varchar, 8), 'crashed', min(time), max(time),
    'its description was lost', 1, 0
from points anti join runs using (run_id) group by run_id returning run_id
"""


@dataclass(frozen=True, slots=True)
class RepairedStore:
    """What a repair came to.

    Attributes:
        location: The new store's database file.
        runs: How many runs it has.
        points: How many points it has.
        tables: What was read of the old database, table by table.
        journals: What was read of each journal.
        trouble: Why the old database could not be opened, or what had to be done for it;
            empty where it was opened as it is.
        nameless: How many runs have points and no description.
    """

    location: Path
    runs: int
    points: int
    tables: tuple[RescuedTable, ...]
    journals: tuple[RescuedJournal, ...]
    trouble: str
    nameless: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing was lost but calls that had not returned."""
        return (
            self.trouble in {"", _BY_COPY}
            and all(table.is_complete for table in self.tables)
            and not any(found.damaged or found.trouble for found in self.journals)
        )


def repair_store(
    location: Location | Path | str | None,
    target: Path | str,
    *,
    seconds: float = SECONDS,
) -> RepairedStore:
    """Save what can be read of a store into a new one; the damaged one stays as it is.

    From the database comes each table, or else each part of it that can be read; from the
    journals each whole record, behind damage too. A point that is in both comes once.

    Args:
        location: The damaged store; see `open_store`.
        target: Path of the new store; nothing may be there.
        seconds: How long its writers are waited for.

    Raises:
        StoreLocationError: If there is no store, or something is at *target*.
        StoreBusyError: If the damaged one stays in use for longer than *seconds*.
    """
    source, made = existing(location), resolve(target)
    require_free(made)
    with hidden_folder(made.database, RESCUE) as folder:
        # The offsets in a damaged database cannot be relied on. So the journals are folded
        # from their beginnings into a store of their own, `tail`, and a merge leaves out
        # what is there.
        base = _new_store(folder, "base", source, source.database, folder)
        tail = _new_store(folder, "tail", source)
        try:
            with ExitStack() as locks:
                with looking(source, seconds):
                    tables, trouble = _rescue_database(base, source, folder, seconds)
                    known = _known_journals(base, seconds)
                    journals = rescue_journals(source, tail.location, known, locks)
                fold(tail, seconds)
            with tail.exclusive(seconds) as connection:
                _restore_offsets(connection, journals, tail)
                end_journals(connection, source, tail)
        finally:
            tail.close()
        remove_locks(tail.location)
        try:
            merge_from(base, source, tail.location, seconds)
            counts = _complete(base, tables, source, seconds)
        finally:
            base.close()
        force_to_disk(base.location.database)
        require_free(made)
        move_journals(tail.location, made)
        base.location.database.replace(made.database)
        force_to_disk(made.database.parent)
    runs, points, nameless = counts
    return RepairedStore(
        made.database, runs, points, tables, tuple(journals), trouble, nameless
    )


def _new_store(folder: Path, name: str, called: Location, *reach: Path) -> Lease:
    lease = Lease(Location(folder / f"{name}.duckdb"), reach)
    lease.called = called
    prepare(lease)
    return lease


def _rescue_database(
    base: Lease, source: Location, folder: Path, seconds: float
) -> tuple[tuple[RescuedTable, ...], str]:
    if not source.database.exists():
        return (), "there is no database"
    with base.exclusive(seconds) as connection:
        try:
            how = attach_damaged(connection, source, folder)
        except duckdb.Error as error:
            return (), " ".join(str(explain(error, source)).rpartition("; ")[0].split())
        except OSError as error:
            return (), f"{error.filename}: {error.strerror}"
        query = "select table_name from duckdb_tables() where database_name = 'store'"
        names = sorted(str(row[0]) for row in connection.execute(query).fetchall())
        tried = [rescue_table(connection, n) for n in names if n != "alembic_version"]
        run_apart(connection, "DETACH damaged")
        connection.execute(_ALL_LOST, [LOST])  # before a fold misses the journals
        complete_attempts(connection)
    found = tuple(table for table in tried if table)
    return found, f"read {how}" if how else "" if found else _FOREIGN


def _known_journals(base: Lease, seconds: float) -> Known:
    query = "select writer, rank, attempt, is_primary from journals_"
    with base.shared(seconds) as connection:
        rows = connection.execute(query).fetchall()
    return {str(row[0]): (int(row[1]), int(row[2]), bool(row[3])) for row in rows}


def _restore_offsets(
    connection: duckdb.DuckDBPyConnection, journals: list[RescuedJournal], tail: Lease
) -> None:
    """Say of each journal how far the damaged store's file was read, not the rewritten."""
    for journal in journals:
        if journal.writer in tail.passed:
            continue  # the rewritten one goes along
        connection.execute(
            "update store.main.journals_ set folded_bytes = ?, skipped_bytes = ?"
            " where writer = ?",
            [journal.stop, journal.damaged + journal.cut, journal.writer],
        )


def _complete(
    base: Lease, tables: tuple[RescuedTable, ...], source: Location, seconds: float
) -> tuple[int, int, int]:
    """Make the saved tables agree with each other; gives runs, points, nameless runs."""
    with _writing(base, seconds) as connection:
        connection.execute(
            "update store.main.runs set exit_message = ? where status = 'running'"
            " and exit_message is null",
            [running_elsewhere(source)],
        )
        nameless = len(connection.execute(_MADE_UP).fetchall())
        recount(connection)
        complete_attempts(connection)
        if any(table.lost for table in tables if table.name == "params_"):
            rows = RunRows(connection)
            found = read_rows(connection)
            rows.load(found)
            for row in found.values():
                rows.put(row)
            rows.write()
        counted = "select (select count(*) from runs), (select count(*) from points)"
        ((runs, points),) = connection.execute(counted).fetchall()
    return int(runs), int(points), nameless


@contextmanager
def _writing(base: Lease, seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
    with base.exclusive(seconds) as connection:
        try:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except duckdb.Error as error:
            roll_back(connection)
            raise StoreLocationError(
                f"the repaired store cannot be written: {' '.join(str(error).split())}"
            ) from error
