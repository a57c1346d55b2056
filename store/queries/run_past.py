"""A run's past, read at once: how it stands, how far it came, and who wrote it."""

import duckdb

from stepwell import migrations
from stepwell.store.attempts.rows import Writer, select_writers
from stepwell.store.base.sql_literals import literal
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.lease import lease_of
from stepwell.store.database.schema_upgrade import prepare, read_revision
from stepwell.store.files.location import Location
from stepwell.store.values.run_info import RunInfo

from .fresh_read import reading
from .runs import find_run
from .summary import select_summary

_KNOWN = "select 1 from store.main.runs where run_id ="
_LATEST = "select coalesce(epoch_us(max(last_time)), 0) from totals_ where run_id = ?"


def is_in_database(location: Location, run_id: str) -> bool:
    """Whether the database may have a run, without folding what is new.

    A fold per question would make each `init` with an id as slow as one.

    Raises:
        StoreError: If the store cannot be read.
    """
    lease = lease_of(location)
    if lease.writable:
        prepare(lease)
    with lease.shared(bare=True) as connection:
        try:
            if read_revision(connection, lease) != migrations.HEAD:
                return True  # whoever asks for its past says what is wrong
            found = connection.execute(f"{_KNOWN} {literal(run_id)}::uuid").fetchall()
            return bool(found)
        except duckdb.Error as error:
            raise explain(error, location) from error


def select_past(
    location: Location, run_id: str
) -> tuple[RunInfo, int, int, list[Writer]] | None:
    """A run, its greatest step and latest time, and its writers; None without such a run.

    The step is -1 before the first; the time, in microseconds, is then 0.

    Raises:
        StoreError: If the store cannot be read.
    """
    with reading(lease_of(location)) as connection:
        try:
            info = find_run(connection, run_id)
            if info is None:
                return None
            summary = select_summary(connection, info)
            ((latest,),) = connection.execute(_LATEST, [info.run_id]).fetchall()
            writers = select_writers(connection, [info.run_id])[info.run_id]
        except duckdb.Error as error:
            raise explain(error, location) from error
    step = max((metric.last_step for metric in summary.values()), default=-1)
    return info, step, int(latest), writers
