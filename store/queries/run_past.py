"""A run's past, read at once: how it stands, how far it came, and who wrote it."""

import duckdb

from stepwell.store.attempts.rows import Writer, select_writers
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import Location
from stepwell.store.values.run_info import RunInfo

from .fresh_read import reading
from .runs import find_run
from .summary import select_summary

_LATEST = "select coalesce(epoch_us(max(last_time)), 0) from totals_ where run_id = ?"


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
