"""Bringing a store's schema to what this code expects."""

from pathlib import Path

import duckdb

from stepwell import migrations

from ._database_files import require_database
from ._directory import keep_directory
from ._errors import StoreDamagedError, StoreLocationError, StoreNewerError, why_and_what
from ._explain import explain
from ._hidden_folder import NEW, hidden_folder, remove_left
from ._lease import SECONDS, STORAGE_VERSION, Lease

_KNOWN = ("0001", "0002", "0003")
"""All revisions, oldest first; a test compares them with the migrations."""

_OURS = frozenset({"runs", "points", "journals_", "totals_"})
"""Tables of every revision, by which a store is known that has lost its version."""


def prepare(lease: Lease, seconds: float = SECONDS) -> None:
    """Make the database, or migrate it, where that is needed.

    Any number of processes may do so at once: one does the work, the others find it done.

    Raises:
        StoreNewerError: If a newer Stepwell wrote the store.
        StoreDamagedError: If the file is no store.
        StoreBusyError: If the store stays in use for longer than *seconds*.
    """
    if lease.prepared and not _is_absent(lease.location.database):
        return
    if not _is_absent(lease.location.database):
        with lease.shared(seconds) as connection:  # beside other readers
            revision = read_revision(connection, lease)
        if revision == migrations.HEAD:
            lease.prepared = True
            return
    with lease.locked(seconds) as deadline:
        if _is_absent(lease.location.database):
            _create(lease)
        else:
            with lease.attached(deadline, "READ_ONLY") as connection:
                revision = read_revision(connection, lease)
                keep_directory(lease.location, connection)
            if revision != migrations.HEAD:
                with lease.writing():
                    _upgrade(lease, lease.location.database)
    lease.prepared = True


def _is_absent(database: Path) -> bool:
    require_database(database)
    try:
        return database.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        return True


def _create(lease: Lease) -> None:
    # In another folder first, so that no kill can leave half a database behind.
    database = lease.location.database
    try:
        remove_left(database, NEW)
        with hidden_folder(database, NEW) as folder:
            new = folder / database.name
            _upgrade(lease, new)
            new.replace(database)
    except OSError as error:
        raise StoreLocationError(
            f"cannot make the database {database}: {why_and_what(error, 'make room')}"
        ) from error
    lease.folded.clear()  # of a database that was here before


def _upgrade(lease: Lease, database: Path) -> None:
    try:
        migrations.upgrade(database, STORAGE_VERSION)
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
        StoreDamagedError: If the database is somebody else's, or has lost its version.
    """
    try:
        rows = connection.execute("select version_num from alembic_version").fetchall()
    except duckdb.CatalogException:
        rows = None
    if not rows:
        query = "select table_name from duckdb_tables() where database_name = 'store'"
        tables = {str(row[0]) for row in connection.execute(query).fetchall()}
        if tables >= _OURS:
            raise StoreDamagedError(
                f"the store {lease.location} lacks its version, in the table"
                " alembic_version; `stepwell repair NEW` makes it anew in a new store"
            )
        if tables and rows is None:
            raise StoreDamagedError(
                f"{lease.location} is a DuckDB database, but not a Stepwell store;"
                " choose another path"
            )
        return None
    revision = str(rows[0][0])
    if revision not in _KNOWN:
        raise StoreNewerError(
            f"the store {lease.location} was written by a newer Stepwell (schema"
            f" {revision}; this one knows up to {migrations.HEAD}); update stepwell"
        )
    return revision
