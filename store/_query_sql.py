"""A user's own SQL, which can read the store and nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ._errors import ConfigurationError, QueryError, QueryTimeoutError
from ._memory import draw_no_progress, use_utc
from ._query_check import check
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
_INTERRUPT_SECONDS = 0.05


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
        use_utc(connection)
        draw_no_progress(connection)
        for statement in _LOCK:
            connection.execute(statement)
        return _limited(connection, query, seconds)
    finally:
        connection.close()


def _limited(
    connection: duckdb.DuckDBPyConnection, query: str, seconds: float
) -> SqlResult:
    with _interrupted_after(connection, seconds) as overdue:
        try:
            for statement in check(connection, query):
                connection.execute(statement)
            result = SqlResult.fetch(connection, overdue.is_set)
        except duckdb.Error as error:
            if overdue.is_set():
                raise QueryTimeoutError(seconds) from error
            raise QueryError(_one_line(error)) from error
        if overdue.is_set():
            raise QueryTimeoutError(seconds)
    return result


@contextmanager
def _interrupted_after(
    connection: duckdb.DuckDBPyConnection, seconds: float
) -> Iterator[threading.Event]:
    """Interrupt *connection* from *seconds* on; yields what says that this has begun."""
    overdue, done = threading.Event(), threading.Event()

    def stop() -> None:
        if done.wait(seconds):
            return
        overdue.set()
        while not done.wait(_INTERRUPT_SECONDS):  # it may be between two statements
            connection.interrupt()

    thread = threading.Thread(target=stop, name="stepwell-sql-limit", daemon=True)
    thread.start()
    try:
        yield overdue
    finally:
        done.set()
        thread.join()


def _one_line(error: duckdb.Error) -> str:
    lines = [line.strip() for line in str(error).partition("\nLINE ")[0].splitlines()]
    return " ".join(line for line in lines if line) or type(error).__name__
