"""The questions of a store that are about many runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from stepwell.store.inputs.arguments import check_count
from stepwell.store.inputs.text_checks import as_texts, check_string
from stepwell.store.queries import runs as run_queries
from stepwell.store.values.run_info import RunInfo
from stepwell.store.values.selection import Runs, Selection, as_selection

if TYPE_CHECKING:
    from stepwell.store.values.run_overview import RunOverview
    from stepwell.store.values.sweep import Leaderboard, RunCurve, SweepTable


class ManyRuns:
    """The part of a `Store` that chooses, ranks and compares runs."""

    @property
    def location(self) -> Path:
        """The database file."""
        raise NotImplementedError

    def _reading(
        self, *, bare: bool = False
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        raise NotImplementedError

    def runs(  # noqa: PLR0913 (a condition an argument)
        self,
        runs: Runs = None,
        *,
        project: str | None = None,
        group: str | None = None,
        tag: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        name: str | None = None,
        where: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[RunInfo]:
        """The runs that fit every given condition, newest first.

        Args:
            runs: A `Selection`, or references to runs, within which the rest chooses.
            project: The project's name.
            group: The group's name.
            tag: A label, or several, all of which a run must have.
            status: One status, or several, of which a run must have one.
            name: A pattern for the name, with `*` and `?`.
            where: Conditions on the configuration, such as `lr < 0.01`.
            limit: Only the newest of the runs that fit, so many.

        Raises:
            ConfigurationError: If a condition cannot be read.
            RunNotFoundError: If a reference fits no run.
        """
        chosen = _selection(project, group, tag, status, name, where, limit)
        with self._reading(bare=True) as connection:
            return self._within(connection, runs, chosen)

    def overview(  # noqa: PLR0913 (a condition an argument)
        self,
        runs: Runs = None,
        *,
        project: str | None = None,
        group: str | None = None,
        tag: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        name: str | None = None,
        where: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[RunOverview]:
        """The runs that fit, newest first, with their extent and current values.

        The arguments are those of `runs`, and so are the errors.
        """
        from stepwell.store.queries.runs_overview import select_overview  # noqa: PLC0415 (as the others)

        chosen = _selection(project, group, tag, status, name, where, limit)
        with self._reading(bare=True) as connection:
            return select_overview(connection, self._within(connection, runs, chosen))

    def leaderboard(
        self,
        metric: str,
        goal: str | None = None,
        at: str | int = "best",
        *,
        runs: Runs = None,
        limit: int | None = None,
    ) -> Leaderboard:
        """The runs by one metric, the best first.

        Args:
            metric: The metric's name.
            goal: `min` or `max`; where it is not given, the metric's name must tell.
            at: `best`, `last`, or a step: then the value at the greatest step up to it.
            runs: Which runs; all of them when absent.
            limit: Only the best, so many.

        Raises:
            MetricNotFoundError: If there are runs, and none has the metric.
            ConfigurationError: If the goal is neither given nor told by the name.
            RunNotFoundError: If a reference fits no run.
        """
        from stepwell.store.sweeps.leaderboard import select_leaderboard  # noqa: PLC0415

        check_string(metric, "metric")
        with self._choosing(runs) as (connection, chosen):
            return select_leaderboard(
                connection, chosen, metric, goal=goal, at=at, limit=limit
            )

    def sweep_table(
        self,
        metrics: str | Sequence[str] = (),
        *,
        runs: Runs = None,
        at: str | int = "best",
        goals: Mapping[str, str | None] | None = None,
    ) -> SweepTable:
        """A row a run, the oldest first: what varies between them, and what came of it.

        Args:
            metrics: The metrics whose values are wanted.
            runs: Which runs; all of them when absent.
            at: `best`, `last`, or a step: then the value at the greatest step up to it.
            goals: `min` or `max` by metric, for `best` of those whose name doesn't tell.

        Raises:
            MetricNotFoundError: If there are runs, and none has a metric.
            ConfigurationError: If the best of a metric is asked for, and which side is
                better is neither given nor told by its name.
            RunNotFoundError: If a reference fits no run.
        """
        from stepwell.store.sweeps.sweep_table import select_sweep_table  # noqa: PLC0415

        wanted = as_texts(metrics, "metrics")
        with self._choosing(runs) as (connection, chosen):
            return select_sweep_table(connection, chosen, wanted, at=at, goals=goals or {})

    def curves(  # noqa: PLR0913 (what to draw over what, and how finely)
        self,
        metric: str,
        *,
        runs: Runs = None,
        x: str = "step",
        columns: int = 1000,
        first: float | datetime | None = None,
        last: float | datetime | None = None,
    ) -> dict[str, RunCurve]:
        """One metric of many runs on one x axis, each reduced to the same pixel columns.

        Args:
            metric: The metric's name.
            runs: Which runs; all of them when absent.
            x: `step`; `time` (seconds since 1970, UTC); `elapsed` (seconds since the
                run's start); or a metric, whose newest value at each step is taken.
            columns: Buckets at most, of equal width and the same for all runs.
            first: Leave out what is before this x.
            last: Leave out what is behind this x.

        Returns:
            A curve a run, by its id, the oldest first; runs without a point there are
            left out.

        Raises:
            MetricNotFoundError: If there are runs, and none has the metric.
            ConfigurationError: If *columns* is below 1, or an end of the axis no number.
            RunNotFoundError: If a reference fits no run.
        """
        from stepwell.store.sweeps.curves import select_curves  # noqa: PLC0415 (loads numpy)

        check_string(metric, "metric")
        check_string(x, "x")
        check_count(columns, "columns")
        with self._choosing(runs, bare=False) as (connection, chosen):
            return select_curves(
                connection, chosen, metric, x=x, columns=[columns], first=first, last=last
            )[columns]

    def _within(
        self, connection: duckdb.DuckDBPyConnection, runs: Runs, chosen: Selection
    ) -> list[RunInfo]:
        """Those of *runs* that fit *chosen*, whose limit counts those that fit both."""
        both = (as_selection(runs), chosen._replace(limit=None))
        return run_queries.select_runs(
            connection, *both, location=self.location, limit=chosen.limit
        )

    @contextmanager
    def _choosing(
        self, runs: Runs, *, bare: bool = True
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, run_queries.Chosen]]:
        selection = as_selection(runs)
        with self._reading(bare=bare) as connection:
            yield connection, run_queries.choose(connection, selection, self.location)


def _selection(  # noqa: PLR0913, PLR0917 (a condition an argument)
    project: str | None,
    group: str | None,
    tag: str | Sequence[str] | None,
    status: str | Sequence[str] | None,
    name: str | None,
    where: str | Sequence[str] | None,
    limit: int | None,
) -> Selection:
    return Selection(
        project=project,
        group=group,
        tags=as_texts(tag, "tag"),
        status=as_texts(status, "status"),
        name=name,
        where=as_texts(where, "where"),
        limit=limit,
    )
