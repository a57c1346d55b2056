"""Schema history, the one function that applies it, and what makes a new store.

Imports nothing of `stepwell`: a revision must not change when today's code does.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

HEAD = "0003"
"""The newest revision."""

ROW_GROUP = 30 * 2048
"""Rows of a group; whoever attaches a store to write to it says so, or DuckDB would join
groups to larger ones, and so write a whole table anew."""

BLOCK_BYTES = 2**16
"""Of a new file; small, since a table's last block and free ones are waste."""

LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
"""Suffixes of what DuckDB keeps beside a database, and takes in from there."""

FROZEN = ("enable_external_access = false", "lock_configuration = true")
"""Settings by which an instance opens no file but those that it was allowed to."""

FILE = Path(__file__).with_name("head.sql")
"""Statements that make what all revisions make; see `head`."""

_lock = threading.Lock()


def create(
    connection: "duckdb.DuckDBPyConnection", database: Path, storage_version: str
) -> None:
    """Make a database file of the newest revision, where none is.

    As `upgrade` would, without SQLAlchemy and alembic, which take longer than all else.

    Args:
        connection: An in-memory DuckDB with nothing in it, that may open the file.
        database: The DuckDB file.
        storage_version: DuckDB's storage version of it, such as `v1.5.0`.

    Raises:
        duckdb.Error: If the file cannot be made; what there is of it is then of no use.
        OSError: If the statements cannot be read.
    """
    statements = FILE.read_text("utf-8")
    connection.execute(_attach(database, storage_version))
    # The statements name no database, so it is made the default, which none may be that
    # DuckDB is to detach.
    connection.execute(f"USE store; BEGIN; {statements} COMMIT; USE memory; DETACH store")


def upgrade(database: Path, storage_version: str, revision: str = "head") -> None:
    """Bring a database file to *revision*, in one transaction; make it when it is absent.

    The caller keeps every other process, and every other connection of this one, away
    from the file meanwhile.

    Args:
        database: The DuckDB file.
        storage_version: DuckDB's storage version of a new file, such as `v1.5.0`.
        revision: A revision, or `head`.

    Raises:
        duckdb.Error: If the file cannot be opened or changed; it is then as it was.
    """
    with _lock:  # alembic's context is one a process
        _upgrade(database, storage_version, revision)


def _upgrade(database: Path, storage_version: str, revision: str) -> None:
    from importlib.resources import files  # noqa: PLC0415 (slow to import)

    import sqlalchemy as sa  # noqa: PLC0415 (slow to import)
    from alembic import command  # noqa: PLC0415 (slow to import)
    from alembic.config import Config  # noqa: PLC0415
    from duckdb_sqlalchemy import alembic_impl  # noqa: F401, PLC0415 (registers itself)
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415

    config = Config()
    # Not "stepwell:migrations": in an editable install that is not a folder of stepwell/.
    config.set_main_option("script_location", str(files(__name__)).replace("%", "%%"))
    path = str(database).replace("'", "''")
    attach = _attach(database, storage_version)
    # In memory, with the file attached: an engine of the file would keep it open between
    # uses, and one connection keeps what is attached to it.
    engine = sa.create_engine("duckdb:///:memory:", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            named = ", ".join(f"'{path}{suffix}'" for suffix in ("", *LOGS))
            # Before the file is open, which may be anybody's; the path first, as the others
            # lock it.
            for setting in (f"allowed_paths = [{named}]", *FROZEN):
                connection.exec_driver_sql(f"SET {setting}")
            connection.exec_driver_sql(attach)
            connection.exec_driver_sql("USE store")
            # SQLAlchemy has begun a transaction with the first statement, and begins none
            # within it.
            connection.commit()
            # DuckDB rolls back changes of tables, too: after a kill the file has the schema
            # of before.
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
            connection.exec_driver_sql("USE memory")
            # Within the transaction that has begun again, DuckDB does not detach the file.
            connection.commit()
            connection.exec_driver_sql("DETACH store")
    except DBAPIError as error:
        # Callers tell DuckDB's own errors apart, by class and by text.
        raise error.orig or error from None
    finally:
        engine.dispose()


def _attach(database: Path, storage_version: str) -> str:
    path = str(database).replace("'", "''")
    return f"ATTACH '{path}' AS store ({writing_mode(database, storage_version)})"


def writing_mode(database: Path, storage_version: str) -> str:
    """How DuckDB attaches a store to write to it, or makes the file when it is absent."""
    # A file keeps the version and the block size that it was made with. The size of row
    # groups counts for what is written while it is attached, and is to be said each time.
    if database.exists():
        return f"READ_WRITE, ROW_GROUP_SIZE {ROW_GROUP}"
    return f"STORAGE_VERSION '{storage_version}', BLOCK_SIZE {BLOCK_BYTES}"
