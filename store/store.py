"""The store: questions in, values out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import duckdb

from stepwell.store.base.errors import (
    MetricNotFoundError,
    RunNotFoundError,
    StoreClosedError,
)
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.lease import SECONDS, Lease, lease_of
from stepwell.store.database.write_transaction import writing
from stepwell.store.files.location import Location, resolve
from stepwell.store.inputs.arguments import as_seconds, check_count
from stepwell.store.inputs.text_checks import as_texts, check_string
from stepwell.store.journal.files import list_journals
from stepwell.store.queries import runs as run_queries
from stepwell.store.queries.fresh_read import is_all_folded, reading
from stepwell.store.values.run_info import RunInfo

from .edit_runs import PastRuns
from .saved_figures import KeptFigures
from .sql_queries import SqlQueries
from .sweep_analysis import SweepAnalysis

if TYPE_CHECKING:
    from datetime import datetime

    from stepwell.store.values.metric_summary import MetricSummary
    from stepwell.store.values.series import News, ReducedSeries, Series


class Store(SweepAnalysis, PastRuns, KeptFigures, SqlQueries):
    """All runs in one database file.

    It holds no connection: each question takes a short lease of the file, first folds what
    the journals hold, and so sees every call that has returned, in any process.

    Args:
        location: Where the store is; see `open_store`.
        seconds: How long a question waits while other processes use the file.
        fresh: Whether each answer holds all that was recorded, also while somebody's long
            query reads the store. That one is stopped then, and run again once.
    """

    def __init__(
        self,
        location: Location | Path | str | None = None,
        *,
        seconds: float = SECONDS,
        fresh: bool = False,
    ) -> None:
        self._location = resolve(location)
        self._seconds = as_seconds(seconds)
        self._fresh = fresh
        self._seen = threading.local()
        self._is_open = True

    @property
    def location(self) -> Path:
        """The database file."""
        return self._location.database

    @property
    def as_of(self) -> datetime | None:
        """What this thread's last answer holds: all until then; None for all there is.

        It is behind where nothing could be folded: beside somebody's long query, on a full
        disk, or without permission to write.
        """
        return getattr(self._seen, "as_of", None)

    def __repr__(self) -> str:
        return f"<Store {self._location}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer no more questions; calling it twice does nothing more."""
        self._is_open = False

    def run(self, reference: str) -> RunInfo:
        """One run.

        Args:
            reference: `last`, an id, the beginning or end of one, or a name (then the
                newest run of that name).

        Raises:
            RunNotFoundError: If no run fits.
            AmbiguousRunError: If a part of an id fits several.
        """
        with self._reading(bare=True) as connection:
            return self._find(connection, reference)

    def find(self, reference: str) -> RunInfo | None:
        """One run, as `run` finds it; None when no run fits.

        Args:
            reference: As for `run`.

        Raises:
            AmbiguousRunError: If a part of an id fits several.
        """
        with self._reading(bare=True) as connection:
            return run_queries.find_run(connection, reference)

    def summary(self, run: RunInfo | str) -> dict[str, MetricSummary]:
        """What each metric of a run came to, in order of first appearance.

        Args:
            run: A run, or a reference to one as for `run`.

        Raises:
            RunNotFoundError: If no run fits.
            AmbiguousRunError: If a part of an id fits several.
        """
        from stepwell.store.queries.summary import select_summary  # noqa: PLC0415 (when it is asked for)

        with self._reading(bare=True) as connection:
            info = self._find(connection, run)
            return select_summary(connection, info)

    def last_attempts(self, run: RunInfo | str) -> dict[str, int]:
        """Which of a run's attempts recorded each metric's last point, by its number.

        Args:
            run: A run, or a reference to one as for `run`.

        Raises:
            RunNotFoundError: If no run fits.
            AmbiguousRunError: If a part of an id fits several.
        """
        from stepwell.store.queries.summary import select_last_attempts  # noqa: PLC0415 (when it is asked for)

        with self._reading() as connection:
            info = self._find(connection, run)
            return select_last_attempts(connection, info)

    def series(
        self, run: RunInfo | str, metric: str, *, all_attempts: bool = False
    ) -> Series:
        """All points of one metric, exactly as they were recorded.

        Args:
            run: The run, or a reference to it.
            metric: The metric's name.
            all_attempts: Whether to keep points that a later attempt has superseded.

        Raises:
            RunNotFoundError: If no run fits.
            MetricNotFoundError: If the run has no such metric.
        """
        from stepwell.store.queries.series import select_series  # noqa: PLC0415 (loads numpy)
        from stepwell.store.queries.summary import select_summary  # noqa: PLC0415 (loads numpy)

        check_string(metric, "metric")
        with self._reading() as connection:
            info = self._find(connection, run)
            found = select_series(connection, info, metric, all_attempts=all_attempts)
            if not len(found):
                known = select_summary(connection, info)
                raise MetricNotFoundError(metric, info.name, known)
            return found

    def reduced(  # noqa: PLR0913 (what to read, and how much of it)
        self,
        run: RunInfo | str,
        metrics: Sequence[str] | None = None,
        *,
        columns: int = 1000,
        first_step: int | None = None,
        last_step: int | None = None,
        last_points: int | None = None,
    ) -> dict[str, ReducedSeries]:
        """Metrics of a run reduced to pixel columns, without losing an extreme.

        Args:
            run: The run, or a reference to it.
            metrics: Names; all of the run's metrics when absent.
            columns: Buckets at most, of equal width in step and the same for all metrics.
            first_step: Leave out the steps before.
            last_step: Leave out the steps behind.
            last_points: Only the newest points of each metric, this many.

        Returns:
            A reduced series a metric; metrics without a point are not in it.

        Raises:
            RunNotFoundError: If no run fits.
            ConfigurationError: If *columns* or *last_points* is below 1.
        """
        from stepwell.store.queries.series import select_reduced  # noqa: PLC0415 (loads numpy)
        from stepwell.store.queries.summary import select_summary  # noqa: PLC0415 (loads numpy)

        chosen = None if metrics is None else as_texts(metrics, "metrics")
        check_count(columns, "columns")
        if last_points is not None:
            check_count(last_points, "last_points")
        with self._reading() as connection:
            info = self._find(connection, run)
            if chosen is None:
                chosen = tuple(select_summary(connection, info))
            if not chosen:
                return {}
            return select_reduced(
                connection,
                info,
                chosen,
                columns=columns,
                first_step=first_step,
                last_step=last_step,
                last_points=last_points,
            )

    def stamp(self) -> object:
        """A value that differs when something may have been recorded since.

        It costs a look at the folder, some ten microseconds; no database is opened.
        """
        journals = list_journals(self._location.journals)
        return [(journal.writer, journal.size) for journal in journals]

    def news(
        self,
        run: RunInfo | str,
        metrics: Sequence[str],
        known: Mapping[str, tuple[int, int]],
    ) -> News:
        """What a run has recorded since it was last looked at; for a live view.

        Args:
            run: The run, or a reference to it.
            metrics: The metrics whose points are wanted.
            known: For each metric looked at before its number of points and its last step.

        Raises:
            RunNotFoundError: If no run fits.
        """
        from stepwell.store.queries.new_points import select_news  # noqa: PLC0415 (loads numpy)

        reference = run.run_id if isinstance(run, RunInfo) else run
        with self._reading() as connection:
            info = self._find(connection, reference)
            return select_news(connection, info, metrics, known)

    @contextmanager
    def _reading(self, *, bare: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._is_open:
            raise StoreClosedError(f"the store {self._location} was closed")
        lease = lease_of(self._location)
        with reading(lease, self._seconds, fresh=self._fresh, bare=bare) as connection:
            self._seen.as_of = lease.as_of
            try:
                yield connection
            except duckdb.Error as error:
                raise explain(error, self._location) from error

    def _fold_new(self) -> None:
        if self._is_open and is_all_folded(self._lease):
            self._seen.as_of = None
            return
        with self._reading(bare=True):
            pass

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._is_open:
            raise StoreClosedError(f"the store {self._location} was closed")
        with writing(lease_of(self._location), self._seconds) as connection:
            yield connection

    @property
    def _lease(self) -> Lease:
        return lease_of(self._location)

    def _find(self, connection: duckdb.DuckDBPyConnection, run: RunInfo | str) -> RunInfo:
        found = run if isinstance(run, RunInfo) else run_queries.find_run(connection, run)
        if found is None:
            raise RunNotFoundError(str(run), self._location)
        return found
