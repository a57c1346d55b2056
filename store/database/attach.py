"""Opening a store's files without writing anything, not even a lock file."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb

from stepwell.store.base.errors import StoreLocationError
from stepwell.store.files.database_files import require_files
from stepwell.store.files.location import Location

from .duckdb_instance import new_memory, run_apart
from .file_guard import FileGuard
from .lease import Lease, lease_of


@contextmanager
def looking(location: Location, seconds: float) -> Iterator[None]:
    """Keep writers away from a store, beside readers.

    A store without lock files is in nobody's use, and none are made.

    Raises:
        StoreBusyError: If a writer stays for longer than *seconds*.
        StoreLocationError: If the lock cannot be asked for.
    """
    # A lease would make the folder and both files. Who only looks, such as `doctor`, is not
    # to write, and may not be able to.
    locks = [location.journals / name for name in (".gate", ".lock")]
    try:
        are_there = all(lock.exists() for lock in locks)
    except OSError as error:
        raise StoreLocationError(
            f"cannot look into {location.journals}: {error.strerror or error}; check its"
            " owner and mode"
        ) from error
    if are_there:
        with lease_of(location).locked(seconds, exclusive=False):
            yield
    else:
        with nullcontext():
            yield


@contextmanager
def attached_file(
    database: Path, mode: str = "READ_ONLY"
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own to a file; see `Lease.shared`.

    The caller keeps other processes away; `looking` is one way.

    Raises:
        duckdb.Error: If it cannot be opened.
    """
    connection, guard = new_memory(), FileGuard(database)
    try:
        # In the order of `Lease.attached`: the instance is confined before it opens a file
        # that may be anybody's, and the tables are looked at before views are over them.
        guard.before(connection)
        attach(connection, database, "store", mode)
        guard.look(connection)
        guard.make_views(connection)
        yield connection
        # Closing the connection would detach the file, too, but not apart from forks.
        run_apart(connection, "DETACH store")
    finally:
        connection.close()


@contextmanager
def reaching(lease: Lease, *paths: Path) -> Iterator[None]:
    """Let a lease's instances open further databases, or files in folders, meanwhile."""
    lease.renew(paths)
    try:
        yield
    finally:
        # What an instance may reach is locked once it is set, so this one is given up; the
        # next is confined to the store again.
        lease.renew()


def attach(
    connection: duckdb.DuckDBPyConnection, database: Path, name: str, mode: str
) -> None:
    """Attach one more file to a connection.

    Raises:
        StoreLocationError: If a file is not to be opened; see `require_files`.
        duckdb.Error: If it cannot be opened.
    """
    require_files(database)
    path = str(database).replace("'", "''")
    # Told the type, DuckDB does not guess it from the file or its name, and so looks for
    # no extension that would open it.
    run_apart(connection, f"ATTACH '{path}' AS {name} (TYPE duckdb, {mode})")
