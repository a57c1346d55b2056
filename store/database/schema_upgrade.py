"""Bringing a store's schema to what this code expects."""

from pathlib import Path

import duckdb

from stepwell import migrations
from stepwell.store.base.errors import (
    StoreDamagedError,
    StoreLocationError,
    StoreNewerError,
    why_and_what,
)
from stepwell.store.base.forks import attaching
from stepwell.store.files.database_files import require_database
from stepwell.store.files.hidden_folder import (
    NEW,
    hidden_folder,
    remove_left,
    remove_left_folders,
)
from stepwell.store.files.location import Location
from stepwell.store.schema.contents import (
    macros_and_types,
    require_tables,
    views_in,
    wrong_tables,
)
from stepwell.store.schema.tables import TABLES

from .duckdb_errors import explain
from .lease import SECONDS, STORAGE_VERSION, Lease
from .table_directory_backup import keep_directory

_KNOWN = ("0001", "0002", "0003")
"""All revisions, oldest first; a test compares them with the migrations."""

_VERSION = "alembic_version"

_OURS = frozenset({"runs", "points", "journals_", "totals_"})
"""Tables of every revision, by which a store is known that has lost its version."""


def prepare(lease: Lease, seconds: float = SECONDS, *, anew: bool = False) -> None:
    """Make the database, or migrate it, where that is needed.

    Any number of processes may do so at once: one does the work, the others find it done.

    Args:
        lease: The store's.
        seconds: How long to wait for it.
        anew: Whether to look at the database, though it was found in order before.

    Raises:
        StoreNewerError: If a newer Stepwell wrote the store.
        StoreDamagedError: If the file is no store.
        StoreBusyError: If the store stays in use for longer than *seconds*.
    """
    # A look at the file each time: somebody may have removed it since it was prepared.
    if lease.prepared and not anew and not _is_absent(lease.location.database):
        return
    if not _is_absent(lease.location.database):
        with lease.shared(seconds, bare=True) as connection:  # beside other readers
            revision = read_revision(connection, lease)
            # Of whoever was killed when it had made the file; nobody makes it now.
            remove_left_folders(lease.location.database, NEW)
        if revision == migrations.HEAD:
            lease.prepared = True
            return
    # Only a database that is not as it should be takes the lock alone; else every process
    # that opens a store would wait for all readers.
    with lease.locked(seconds) as deadline:
        # Asked again behind the lock: of eight processes that open a new store at once, all
        # but one find here that it is made.
        if _is_absent(lease.location.database):
            _create(lease)
        else:
            with lease.attached(deadline, "READ_ONLY") as connection:
                revision = read_revision(connection, lease)
                if revision != migrations.HEAD:
                    _require_upgradable(connection, lease)
                # The migration, on a connection of SQLAlchemy's, makes no copy itself.
                keep_directory(lease.location, connection)
            # Detached by now: DuckDB refuses a file that another instance of the same
            # process has open.
            if revision != migrations.HEAD:
                _upgrade(lease)
    lease.prepared = True


def _is_absent(database: Path) -> bool:
    require_database(database)
    try:
        # An empty file has nothing to lose, and a program that reserves a name leaves one.
        return database.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        return True


def _create(lease: Lease) -> None:
    # In another folder first, so that no kill can leave half a database behind.
    database = lease.location.database
    try:
        # Whoever made these was killed: making one takes the lock, which is ours alone now.
        remove_left(database, NEW)
        with hidden_folder(database, NEW) as folder:
            new = folder / database.name
            # `create` attaches and detaches by its own statements, not by `run_apart`.
            with attaching, lease.unconfined() as connection:
                migrations.create(connection, new, STORAGE_VERSION)
            new.replace(database)
    except OSError as error:
        raise StoreLocationError(
            f"cannot make the database {database}: {why_and_what(error, 'make room')}"
        ) from error
    except duckdb.Error as error:
        raise explain(error, lease.location) from error
    lease.folded.clear()  # of a database that was here before


def _upgrade(lease: Lease) -> None:
    try:
        with lease.writing():
            migrations.upgrade(lease.location.database, STORAGE_VERSION)
    except duckdb.Error as error:
        raise explain(error, lease.location) from error


def is_outdated(connection: duckdb.DuckDBPyConnection, lease: Lease) -> bool:
    """Whether an attached store has an older schema: an older file was put in its place.

    Raises:
        StoreNewerError: If another process has migrated it to one unknown here.
        StoreDamagedError: If it is somebody else's, or has lost its version.
    """
    if read_revision(connection, lease) == migrations.HEAD:
        return False
    lease.prepared = False
    return True


def read_revision(connection: duckdb.DuckDBPyConnection, lease: Lease) -> str | None:
    """The revision of an attached store; None for a database without any table.

    Raises:
        StoreNewerError: If it is unknown here.
        StoreDamagedError: If the database is somebody else's, has lost its version, or is
            not as its version says.
    """
    read = lease.guard.read
    # What was read of a file counts as long as its size and times stay; see `FileGuard`.
    if read.get(_VERSION) == migrations.HEAD:
        return migrations.HEAD
    tables = lease.guard.tables(connection)
    revision = find_revision(connection, tables, lease.location)
    if revision == migrations.HEAD:
        require_tables(wrong_tables(tables), lease.location)
    read[_VERSION] = revision
    return revision


def find_revision(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, str], location: Location
) -> str | None:
    """As `read_revision`, of a database whose tables may be any.

    Args:
        connection: Has it attached as `store`.
        tables: Its tables; see `tables_in`.
        location: Where it is.
    """
    rows = None
    # A view of that name could read any file, and a column of another type hold anything.
    # So it is asked only when it is seen to be a table as ours is.
    if tables.get(_VERSION) == TABLES[_VERSION]:
        query = f"select version_num from store.main.{_VERSION}"  # noqa: S608
        rows = connection.execute(query).fetchall()
    if not rows:
        if tables.keys() >= _OURS:
            raise StoreDamagedError(
                f"the store {location} lacks its version, in the table {_VERSION};"
                " `stepwell repair NEW` makes it anew in a new store"
            )
        if rows is None and (tables or views_in(connection)):
            raise StoreDamagedError(
                f"{location} is a DuckDB database, but not a Stepwell store;"
                " choose another path"
            )
        return None
    revision = str(rows[0][0])
    if revision not in _KNOWN:
        raise StoreNewerError(
            f"the store {location} was written by a newer Stepwell (schema"
            f" {revision}; this one knows up to {migrations.HEAD}); update stepwell"
        )
    return revision


def _require_upgradable(connection: duckdb.DuckDBPyConnection, lease: Lease) -> None:
    """Refuse to migrate a file that brings what a migration could take for DuckDB's own."""
    tables = lease.guard.tables(connection)
    lacking = sorted(_OURS - tables.keys()) if tables else []
    if lacking:
        raise StoreDamagedError(
            f"{lease.location} is no store as Stepwell makes it: it has no table"
            f" {', '.join(lacking)}; choose another path"
        )
    strange = macros_and_types(connection)
    if strange:
        raise StoreDamagedError(
            f"{lease.location} is not upgraded while it has what is not Stepwell's:"
            f" {', '.join(strange)}; drop that first, or `stepwell repair NEW`"
        )
