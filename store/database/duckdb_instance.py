"""The in-memory DuckDB to which a process attaches its stores."""

import time
from contextlib import suppress
from typing import Any

import duckdb

from stepwell.store.base.errors import StoreBusyError
from stepwell.store.base.forks import attaching
from stepwell.store.files.location import Location

from .duckdb_errors import explain

PAUSE = 0.05
"""Seconds between two tries at a file that another program holds."""

_CONFIG = {
    # No question fetches an extension from the network, or loads one from somebody's
    # folder, because a file or a statement names what it is for.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # A commit goes straight into the file: two forced writes in place of four, and a killed
    # process leaves no log that the next one would have to replay.
    "auto_checkpoint_skip_wal_threshold": "0",
    "checkpoint_threshold": "0b",
    # The name of a table never means a variable of the program that calls us.
    "python_enable_replacements": "false",
}

limits: dict[str, Any] = {"threads": 2}
"""What an instance made from now on may use; less beside a training loop."""


def new_memory(**config: Any) -> duckdb.DuckDBPyConnection:
    """A fresh in-memory DuckDB with the store's settings."""
    with attaching:
        connection = duckdb.connect(":memory:", config={**_CONFIG, **limits, **config})
    # Else a large result waits for its reader.
    connection.execute("SET streaming_buffer_size = '8MB'")
    use_utc(connection)
    draw_no_progress(connection)
    if duckdb.__version__ >= "2":
        # DuckDB 2.0 begins eight further threads otherwise, beside a training that has a
        # use for the cores; 1.5 does not know the setting.
        connection.execute("SET async_threads = 0")
    return connection


def load_for_parameters() -> None:
    """Let DuckDB load what it looks at parameters with; to 1.5 that is pandas, if any."""
    duckdb.ConstantExpression(0)


def load_for_texts() -> None:
    """Load, for forks of this process, what DuckDB 1.5 loads at its first text."""
    if duckdb.__version__ < "2":
        import decimal  # noqa: F401, PLC0415 (where it is needed)
        import uuid  # noqa: F401, PLC0415


def use_utc(connection: duckdb.DuckDBPyConnection) -> None:
    """Let `now()` and casts between times agree with the tables, whose times are UTC."""
    with suppress(duckdb.Error):  # a DuckDB without time zones has no other
        connection.execute("SET TimeZone = 'UTC'")


def draw_no_progress(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep DuckDB's progress bar out of the output of programs without a file."""
    with suppress(duckdb.Error):  # refused in a notebook that can draw none
        connection.execute("SET enable_progress_bar = false")


def leave_alone(held: object) -> None:
    """After a fork, in the child: never destroy the parent's instance, which crashes.

    Args:
        held: A connection, or what may hold the last one to an instance.
    """
    # A reference that is never given back outlives the end of the interpreter, too, which
    # would destroy what it still finds.
    import ctypes  # noqa: PLC0415 (a forked child alone has a use for it)

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(held))  # its threads are not here


def roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo what the open transaction did; nothing where none is open."""
    with suppress(duckdb.Error):
        connection.execute("ROLLBACK")


def let_go(connection: duckdb.DuckDBPyConnection) -> bool:
    """Detach the store whatever happened; an instance that cannot is closed.

    Returns:
        Whether it could.
    """
    try:
        # Perhaps it was the attaching that failed.
        run_apart(connection, "DETACH DATABASE IF EXISTS store")
    except duckdb.Error:
        # As long as the file is attached, DuckDB's lock on it keeps others out.
        connection.close()
        return False
    return True


def run_apart(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Attach or detach a file, apart from forks of this process; see `base.forks`.

    Raises:
        duckdb.Error: If it cannot be done.
    """
    with attaching:
        connection.execute(statement)


def attach_when_free(
    connection: duckdb.DuckDBPyConnection,
    mode: str,
    location: Location,
    deadline: float,
) -> None:
    """Attach a store's file, once no other program holds it.

    Raises:
        StoreBusyError: If one does until *deadline*.
        StoreError: If it cannot be attached.
    """
    path = str(location.database).replace("'", "''")
    statement = f"ATTACH '{path}' AS store (TYPE duckdb, {mode})"
    while True:
        try:
            run_apart(connection, statement)
        except duckdb.Error as error:
            trouble = explain(error, location)
            # Within the store's own lock it is another program that has the file, such as a
            # DuckDB shell. A lease asks once only, with no time left, and gives the lock
            # back between its tries.
            if not isinstance(trouble, StoreBusyError) or (
                time.monotonic() + PAUSE > deadline
            ):
                raise trouble from error
            time.sleep(PAUSE)
        else:
            return
