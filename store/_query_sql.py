"""A user's own SQL, which can read the store and nothing else."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from ._errors import ConfigurationError, QueryError, QueryTimeoutError
from ._memory import draw_no_progress, use_utc
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
_BEGIN_PIVOTS = set(
    "PIVOT PIVOT_WIDER SELECT FROM WITH TABLE EXPLAIN DESCRIBE SUMMARIZE".split()
)
_EXPLAIN_OPTIONS = {"ANALYZE", "ANALYSE", "VERBOSE"}
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
            for statement in _checked(connection, query):
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


def _checked(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    try:
        query.encode()
    except UnicodeEncodeError as error:
        raise QueryError("the query is not valid Unicode text") from error
    statements = connection.extract_statements(query)
    kinds = [_kind(statement) for statement in statements]
    if _is_pivot(statements, kinds):
        return statements
    if len(kinds) != 1:
        count = f"are {len(kinds)}" if kinds else "is none"
        raise QueryError(f"give one statement; there {count} in the query")
    (kind,), allowed = kinds, _ALLOWED
    if kind == "MULTI":
        kind, allowed = _first_word(query), _BEGIN_PIVOTS
    if kind not in allowed:
        raise QueryError(
            f"{kind} is not allowed: a query can only read (SELECT, EXPLAIN, DESCRIBE)"
        )
    if kind == "EXPLAIN":
        _check_explained(connection, query)
    return statements


def _check_explained(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    # EXPLAIN ANALYZE runs what it explains, and DuckDB 1.5 lets a COPY write to the very
    # file that is open.
    *others, last = _explained(query)
    for text in others:
        with suppress(duckdb.Error):  # it was a list of options
            _checked(connection, text)
            return
    _checked(connection, last)


def _explained(query: str) -> list[str]:
    """What an EXPLAIN may be of: all that is behind it, or behind its options."""
    data = query.encode()
    words = [(start, _word(data, start)) for start in _tokens(query)]
    try:
        place = [word for _, word in words].index("EXPLAIN") + 1
        while words[place][1] in _EXPLAIN_OPTIONS:
            place += 1
    except (ValueError, IndexError):
        raise QueryError("put plain spaces around EXPLAIN, and a query behind it") from None
    rest = data[words[place][0] :]
    behind = rest.partition(b")")[2]
    found = [rest, behind] if rest.startswith(b"(") and behind.strip(b" ;") else [rest]
    return [text.decode() for text in found]


def _is_pivot(statements: list[Any], kinds: list[str]) -> bool:
    # DuckDB makes several statements of a PIVOT without a list of values: one that counts
    # the values into a temporary type, and the query. DuckDB 2 shows them as one of the
    # type MULTI, whatever is done with the PIVOT. DuckDB 1 shows each; those that it made
    # have no text of their own, and what a user wrote always has one.
    made = not any(statement.query.strip() for statement in statements)
    return made and kinds[-1:] == ["SELECT"] and set(kinds[:-1]) == {"CREATE"}


def _first_word(query: str) -> str:
    """The first keyword of a query, behind comments and parentheses."""
    data = query.encode()
    words = (_word(data, start) for start in _tokens(query))
    return next((word for word in words if word), "this statement")


def _tokens(query: str) -> list[int]:
    """Where the words and signs of a query begin, without its comments."""
    found = duckdb.tokenize(query)
    return [start for start, kind in found if kind.name != "comment"]


def _word(data: bytes, start: int) -> str:
    found = re.compile(rb"\w*").match(data, start)
    return found[0].decode().upper() if found else ""


def _kind(statement: Any) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # one that DuckDB's Python side has no name for
        return "this statement"


def _one_line(error: duckdb.Error) -> str:
    lines = [line.strip() for line in str(error).partition("\nLINE ")[0].splitlines()]
    return " ".join(line for line in lines if line) or type(error).__name__
