"""A user's own SQL, which can read the store and nothing else."""

import signal
import sys
from contextlib import suppress
from pathlib import Path

from stepwell.store.base.errors import QueryError, QueryTimeoutError
from stepwell.store.values.sql_result import SqlResult

from .query_process import MEMORY, TIMED_OUT, YIELDED, Request
from .start_process import worker
from .worker_handle import ProcessEndedError

_TRIES = 3  # it may make way for somebody once, and an idle process may have been ended


def run_query(
    database: Path, query: str, wait: float, seconds: float, limit: int | None = None
) -> SqlResult:
    """Run one SELECT (or EXPLAIN, DESCRIBE, SUMMARIZE) on a store's file.

    It runs in a process of its own. The connection there is read-only, has no access to
    files or the network, loads no extension, and its settings are locked.

    Args:
        database: The store's database file.
        query: The query.
        wait: Seconds to wait for the store.
        seconds: Seconds after which the query is stopped.
        limit: Rows at most.

    Raises:
        QueryError: If the query is not one such statement, fails, or needs too much.
        QueryTimeoutError: If it takes longer than *seconds*.
        StoreError: If the store cannot be locked or read.
    """
    request = Request(
        str(database), query, wait, seconds, limit, "numpy" in sys.modules, yields=True
    )
    status: int | None = None
    for _ in range(_TRIES):
        status, result = _asked(request)
        if result is not None:
            return result
        # Once is enough: beside somebody who writes all the time a long query would never
        # end.
        if status == YIELDED:
            request = request._replace(yields=False)
        # Without a status an idle process was gone, and the query has not begun: another
        # try is safe. Any other end was the query's, and would be so again.
        elif status is not None:
            break
    if status == TIMED_OUT:
        raise QueryTimeoutError(seconds)
    raise QueryError(
        f"DuckDB ended at this query without an answer ({_said(status)}); it may need more"
        f" than {MEMORY / 1e9:.0f} GB of memory: narrow it"
    )


def _asked(request: Request) -> tuple[int | None, SqlResult | None]:
    """The result, or else how the process has ended; None where it was there no more."""
    try:
        with worker() as asked:
            return 0, asked.ask(request)
    except ProcessEndedError as ended:
        return TIMED_OUT if ended.is_late else ended.status, None


def _said(status: int | None) -> str:
    if status is None:
        return "its process is gone"
    with suppress(ValueError):
        return signal.Signals(-status).name
    return f"exit code {status}"
