"""A user's SQL over a store."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stepwell.store.inputs.arguments import as_seconds, check_count
from stepwell.store.inputs.text_checks import check_string

if TYPE_CHECKING:
    from stepwell.store.values.sql_result import SqlResult


class SqlQueries:
    """The part of a `Store` that runs users' queries."""

    _seconds: float

    @property
    def location(self) -> Path:
        """The database file."""
        raise NotImplementedError

    @property
    def as_of(self) -> datetime | None:
        """What this thread's last answer holds."""
        raise NotImplementedError

    def _fold_new(self) -> None:
        """Have all in the database file that was recorded by now."""
        raise NotImplementedError

    def sql(
        self, query: str, *, timeout: float = 30.0, limit: int | None = None
    ) -> SqlResult:
        """Run one read-only SQL query over the tables and views.

        It runs in a process of its own, which may be killed without harm.

        Args:
            query: One SELECT, EXPLAIN, DESCRIBE or SUMMARIZE in DuckDB's SQL.
            timeout: Seconds after which it is stopped.
            limit: Rows at most; no more are fetched.

        Raises:
            ConfigurationError: If *query* is no text, or *timeout* or *limit* not positive.
            QueryError: If it is refused or fails; QueryTimeoutError if it takes too long.
            StoreError: If the store cannot be locked or read.
        """
        check_string(query, "the query")
        timeout = as_seconds(timeout, "timeout", above=True)
        if limit is not None:
            check_count(limit, "limit")
        from stepwell.store.user_sql.start_process import start_ahead  # noqa: PLC0415

        start_ahead()
        from stepwell.store.user_sql.run_query import run_query  # noqa: PLC0415

        self._fold_new()
        result = run_query(self.location, query, self._seconds, timeout, limit)
        result.as_of = self.as_of
        return result
