"""Examining whether each journal could be folded, by doing so in memory."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from stepwell.store.base.errors import StoreError
from stepwell.store.database.attach import attach
from stepwell.store.database.duckdb_instance import new_memory, roll_back
from stepwell.store.database.file_guard import confine
from stepwell.store.database.lease import Lease
from stepwell.store.files.location import Location
from stepwell.store.ingest.ingest import insert_journals, insert_stretches
from stepwell.store.ingest.sample_journal import sample_stretches
from stepwell.store.ingest.skip_damaged import said
from stepwell.store.journal.files import JournalFile, read_header, short_name
from stepwell.store.schema.contents import make_table_views, tables_in
from stepwell.store.values.finding import FAULT, Finding

from .check_database import DatabaseFacts


def examine_fold(
    location: Location, facts: DatabaseFacts, journals: list[JournalFile]
) -> list[Finding]:
    """Fold each journal into tables in memory, and say of which that fails.

    Args:
        location: The store; its folds are kept away by the caller.
        facts: What the database says.
        journals: The journals in its folder.
    """
    lease = Lease(location)  # another one, whose memory of journals is its own
    journals = [journal for journal in journals if _has_head(lease, journal)]
    found: list[Finding] = []
    if not journals:
        return found
    with _tables(location, facts, lease, journals) as connection:
        if connection is None:
            return found  # the trouble is the database's, and found there
        for journal in journals:
            trouble = _trouble(connection, lease, journal, journals)
            if trouble:
                text = f"{short_name(journal.path)} cannot be folded: {trouble}"
                advice = (
                    "it is passed over, and all others are read; try a newer Stepwell, or"
                    f" remove its run (stepwell rm {journal.run_id[-8:]})"
                )
                found.append(Finding("journals", FAULT, text, advice))
    return found


def _has_head(lease: Lease, journal: JournalFile) -> bool:
    with suppress(OSError, StoreError):
        head = read_header(journal.path)
        if head is not None:
            lease.headers[journal.writer], lease.header_ends[journal.writer] = head
            return True
    return False


@contextmanager
def _tables(
    location: Location,
    facts: DatabaseFacts,
    lease: Lease,
    journals: list[JournalFile],
) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Tables like the store's, with what it knows of these runs, in memory."""
    connection = new_memory()
    try:
        confine(connection, [location.database], [])
        connection.execute("ATTACH ':memory:' AS store")
        connection.execute("USE store")
        _create(connection)
        connection.execute("USE memory")
        make_table_views(connection, tables_in(connection))
        if facts.is_readable and facts.is_current:
            attach(connection, location.database, "there", "READ_ONLY")
            _copy(connection, journals)
            connection.execute("DETACH there")
        connection.execute("BEGIN")
        insert_stretches(connection, lease, sample_stretches())
        connection.execute("ROLLBACK")
        ready: duckdb.DuckDBPyConnection | None = connection
    except duckdb.Error:
        ready = None
    try:
        yield ready
    finally:
        connection.close()


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    from duckdb_sqlalchemy import Dialect  # noqa: PLC0415 (slow to import)
    from sqlalchemy.schema import CreateTable  # noqa: PLC0415

    from stepwell.store.schema.declaration import metadata  # noqa: PLC0415

    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=Dialect())))


def _copy(connection: duckdb.DuckDBPyConnection, journals: list[JournalFile]) -> None:
    known = {"run_id": {j.run_id for j in journals}, "writer": {j.writer for j in journals}}
    columns = connection.execute(
        "select table_name, list(column_name) from duckdb_columns()"
        " where database_name = 'store' group by table_name"
    ).fetchall()
    for table, names in columns:
        for key, ids in known.items():
            if table != "points" and key in names:
                connection.execute(
                    f"insert into store.main.{table} by name"  # noqa: S608
                    f" select * from there.main.{table}"
                    f" where {key}::varchar in (select unnest(?::varchar[]))",
                    [sorted(ids)],
                )
                break


def _trouble(
    connection: duckdb.DuckDBPyConnection,
    lease: Lease,
    journal: JournalFile,
    listed: list[JournalFile],
) -> str:
    """Why a journal cannot be folded; empty where it can."""
    more = True
    try:
        while more:
            connection.execute("BEGIN")
            more = insert_journals(connection, lease, [journal], listed).more
            connection.execute("COMMIT")
            # No question is asked of them, and these tables are in memory.
            connection.execute("delete from store.main.points")
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the finding)
        roll_back(connection)
        return said(error)
    return ""
