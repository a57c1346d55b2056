"""Rewriting the database: sorted by run, metric and step, smaller and faster to read.

The new file grows beside the old one. The points that are there at the beginning are
copied in pieces, each under a shared lease of its own, so that others have their turn
between. Under one exclusive lease follows what came meanwhile, everything is counted, and
the new file takes the old one's name. A kill at any instant leaves the old file or the new
one, whole; nobody else notices, since every process attaches the file by its name.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from stepwell import migrations
from stepwell.store.base.errors import StoreBusyError, StoreDamagedError, StoreLocationError
from stepwell.store.database.attach import attach, reaching
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.duckdb_instance import roll_back, run_apart
from stepwell.store.database.lease import SECONDS, STORAGE_VERSION, Lease, lease_of
from stepwell.store.database.schema_upgrade import read_revision
from stepwell.store.files.hidden_folder import COMPACT, hidden_folder, remove_left
from stepwell.store.files.location import Location, existing
from stepwell.store.files.lock_file import LockFile
from stepwell.store.ingest.ingest import fold
from stepwell.store.schema.contents import quoted

from .point_chunks import Counts, copy_points, count_groups, delete_points, in_pieces
from .snapshot import force_to_disk

_POINTS = '"main"."points"'
_within = threading.Lock()  # the lock file keeps other processes away, not threads


@dataclass(frozen=True, slots=True)
class CompactedStore:
    """What a compaction came to.

    Attributes:
        location: The database file.
        points: How many points it has.
        before: Bytes of the file before.
        after: Bytes of the file now.
        seconds: How long it took.
        held: For how much of that nobody else could read or fold.
    """

    location: Path
    points: int
    before: int
    after: int
    seconds: float
    held: float


def compact_store(
    location: Location | Path | str | None = None, *, seconds: float = SECONDS
) -> CompactedStore:
    """Rewrite a store's database, beside live writers and readers.

    Args:
        location: Where the store is; see `open_store`.
        seconds: How long other processes are waited for, each time.

    Raises:
        StoreLocationError: If there is no store, or no room for the new file.
        StoreDamagedError: If the database cannot be read as a whole.
        StoreBusyError: If it stays in use, or somebody else compacts it.
    """
    where = existing(location)
    lease = lease_of(where)
    begun = time.monotonic()
    fold(lease, seconds)
    with (
        _alone(where),
        hidden_folder(where.database, COMPACT) as folder,
        reaching(lease, folder),
    ):
        new = folder / where.database.name
        before = where.database.stat().st_size
        try:
            last = _begin(lease, new, seconds)
            _copy_first(lease, new, last, seconds)
            points, held = _finish(lease, new, last, seconds)
            with lease.exclusive(seconds):
                pass  # at its end, a copy of the new file's directory is kept
        except duckdb.Error as error:
            raise explain(error, where) from error
        except OSError as error:
            raise StoreLocationError(
                f"cannot write {new}: {error.strerror or error}"
            ) from error
    after = where.database.stat().st_size
    taken = time.monotonic() - begun
    return CompactedStore(where.database, points, before, after, taken, held)


@contextmanager
def _alone(location: Location) -> Iterator[None]:
    busy = StoreBusyError(f"{location} is being compacted by another command; let it end")
    if not _within.acquire(blocking=False):
        raise busy
    try:
        lock = LockFile(location.journals / COMPACT)
        try:
            lock.acquire(0.0, exclusive=True)
        except StoreBusyError:
            raise busy from None
        try:
            remove_left(location.database, COMPACT)
            yield
        finally:
            lock.release()
            lock.forget()
    finally:
        _within.release()


@contextmanager
def _with_new(connection: duckdb.DuckDBPyConnection, new: Path) -> Iterator[None]:
    attach(connection, new, "compact", migrations.writing_mode(new, STORAGE_VERSION))
    try:
        yield
    except BaseException:
        roll_back(connection)
        with suppress(duckdb.Error):
            run_apart(connection, "DETACH compact")
        raise
    run_apart(connection, "DETACH compact")


def _begin(lease: Lease, new: Path, seconds: float) -> int:
    """Make the tables; gives the row id of the last point that is there now."""
    with lease.shared(seconds) as connection, _with_new(connection, new):
        read_revision(connection, lease)  # refuses what is no store
        # Tables alone: all rows at once would keep writers away for as long as the file is
        # large.
        connection.execute("COPY FROM DATABASE store TO compact (SCHEMA)")
        # Points that come later have greater row ids, unless some are deleted meanwhile:
        # see `_copy_rest`.
        (last,) = _column(
            connection, "select coalesce(max(rowid), -1) from store.main.points"
        )
    return int(str(last))


def _copy_first(lease: Lease, new: Path, last: int, seconds: float) -> None:
    with lease.shared(seconds) as connection:
        wanted = count_groups(connection, "store", f"rowid <= {last}")
    for piece in in_pieces(wanted):
        with lease.shared(seconds) as connection, _with_new(connection, new):
            copy_points(connection, piece, "store", "compact", f"p.rowid <= {last}")


def _finish(lease: Lease, new: Path, last: int, seconds: float) -> tuple[int, float]:
    with lease.exclusive(seconds) as connection:
        begun = time.monotonic()
        with _with_new(connection, new):
            _check_schema(connection, lease.location)
            points = _copy_rest(connection, last)
            for table in _tables(connection, "store"):
                if table != _POINTS:
                    query = f"insert into compact.{table} from store.{table}"
                    connection.execute(query)
            _check_counts(connection, lease.location)
        _take_place(lease.location.database, new)
        return points, time.monotonic() - begun


def _copy_rest(connection: duckdb.DuckDBPyConnection, last: int) -> int:
    """Copy what came since the beginning.

    Where points were deleted meanwhile, row ids may have moved: groups that are not as
    large as they ought to be are copied anew, whole.
    """
    wanted = count_groups(connection, "store")
    connection.execute(
        f"insert into compact.main.points from store.main.points where rowid > {last}"
        " order by run_id, metric, step, time"
    )
    there = count_groups(connection, "compact")
    stale: Counts = {group: n for group, n in there.items() if wanted.get(group) != n}
    for piece in in_pieces(stale):
        delete_points(connection, piece, "compact")
    rest = {group: n for group, n in wanted.items() if there.get(group) != n}
    for piece in in_pieces(rest):
        copy_points(connection, piece, "store", "compact")
    return sum(wanted.values())


def _check_schema(connection: duckdb.DuckDBPyConnection, location: Location) -> None:
    query = "select table_name, sql from duckdb_tables() where database_name = ?"
    old, made = (
        sorted(connection.execute(query, [name]).fetchall())
        for name in ("store", "compact")
    )
    if old != made:
        raise StoreBusyError(f"{location} was upgraded meanwhile; compact it once more")


def _check_counts(connection: duckdb.DuckDBPyConnection, location: Location) -> None:
    for table in _tables(connection, "store"):
        old, made = (
            _column(connection, f"select count(*) from {database}.{table}")[0]  # noqa: S608
            for database in ("store", "compact")
        )
        if old != made:
            raise StoreDamagedError(
                f"the table {table} of {location} has {old:,} rows, and {made:,} could be"
                " copied; nothing was changed. `stepwell doctor` says more"
            )


def _take_place(database: Path, new: Path) -> None:
    # The old file is still attached, so that no other program can come in between.
    status = database.stat()
    new.chmod(status.st_mode & 0o7777)
    with suppress(OSError):  # where it is another user's, it becomes ours
        os.chown(new, status.st_uid, status.st_gid)
    # The content before the name: after a loss of power the store's name must not lead to a
    # file whose blocks never came to the disk.
    force_to_disk(new)
    new.replace(database)
    force_to_disk(database.parent)


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    query = "select schema_name, table_name from duckdb_tables() where database_name = ?"
    names = connection.execute(query, [database]).fetchall()
    return sorted(".".join(map(quoted, name)) for name in names)


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> list[object]:
    return [row[0] for row in connection.execute(query).fetchall()]
