"""A user's own SQL, which can read the store and nothing else."""

import threading
from pathlib import Path
from typing import Any

import duckdb

from ._errors import ConfigurationError, QueryError, QueryTimeoutError
from ._sql_result import SqlResult

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "2GB",
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}
_LOCK = (
    "SET python_enable_replacements = false",
    "SET max_temp_directory_size = '0B'",
    "SET lock_configuration = true",
)
_ALLOWED = {"SELECT", "EXPLAIN"}


def run_query(database: Path, query: str, seconds: float) -> SqlResult:
    """Run one SELECT (or EXPLAIN, DESCRIBE, SUMMARIZE) on a store's file.

    The connection is read-only, has no access to files or the network, loads no
    extension, and its settings are locked.

    Raises:
        QueryError: If the query is not one such statement, or fails.
        QueryTimeoutError: If it takes longer than *seconds*.
        ConfigurationError: If *seconds* is not positive.
    """
    if not seconds > 0:
        raise ConfigurationError(f"timeout must be above 0 seconds, not {seconds!r}")
    connection = duckdb.connect(str(database), read_only=True, config=_CONFIG)
    try:
        if duckdb.__version__ >= "2":
            connection.execute("SET async_threads = 0")
        for statement in _LOCK:
            connection.execute(statement)
        return _limited(connection, query, seconds)
    finally:
        connection.close()


def _limited(
    connection: duckdb.DuckDBPyConnection, query: str, seconds: float
) -> SqlResult:
    overdue = threading.Event()

    def stop() -> None:
        overdue.set()
        connection.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        connection.execute(_checked(connection, query))
        return SqlResult.fetch(connection)
    except duckdb.Error as error:
        if overdue.is_set():
            raise QueryTimeoutError(seconds) from error
        raise QueryError(_one_line(error)) from error
    finally:
        timer.cancel()


def _checked(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    statements = connection.extract_statements(query)
    if len(statements) != 1:
        count = len(statements) or "no"
        raise QueryError(f"give one statement; there are {count} in the query")
    kind = statements[0].type.name
    if kind not in _ALLOWED:
        raise QueryError(
            f"{kind} is not allowed: a query can only read (SELECT, EXPLAIN, DESCRIBE)"
        )
    return statements[0]


def _one_line(error: duckdb.Error) -> str:
    lines = [line.strip() for line in str(error).partition("\nLINE ")[0].splitlines()]
    return " ".join(line for line in lines if line) or type(error).__name__
