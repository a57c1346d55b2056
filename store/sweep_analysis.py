"""The questions of a store that explain and compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb

from stepwell.store.base.errors import RunNotFoundError
from stepwell.store.inputs.arguments import check_count
from stepwell.store.inputs.text_checks import as_texts, check_string
from stepwell.store.queries import runs as run_queries
from stepwell.store.values.run_info import RunInfo
from stepwell.store.values.selection import Runs, as_selection

from .many_runs import ManyRuns

if TYPE_CHECKING:
    from stepwell.store.values.comparison import Comparison
    from stepwell.store.values.sweep import Groups, Importance, ProbabilityBetter, SweepData


class SweepAnalysis(ManyRuns):
    """The part of a `Store` that compares runs and groups of runs."""

    def compare(
        self, run_a: RunInfo | str, run_b: RunInfo | str, at: str = "last"
    ) -> Comparison:
        """Two runs side by side: their configurations and what their metrics came to.

        Args:
            run_a: The first run, or a reference to it.
            run_b: The second run, or a reference to it.
            at: `last`, or `best`: then the least or the greatest value of the metrics
                whose names tell which is better, and the last value of the others.

        Raises:
            RunNotFoundError: If no run fits.
            AmbiguousRunError: If a part of an id fits several.
            ConfigurationError: If *at* is neither of these.
        """
        from stepwell.store.queries.summary import select_summary  # noqa: PLC0415 (only this question needs it)
        from stepwell.store.sweeps.compare_two import compare_runs  # noqa: PLC0415

        with self._reading() as connection:
            runs = [self._one(connection, run) for run in (run_a, run_b)]
            summaries = [select_summary(connection, run) for run in runs]
        return compare_runs(runs[0], runs[1], summaries[0], summaries[1], at)

    def group_by(  # noqa: PLR0913 (what to group, and by what)
        self,
        metric: str,
        keys: str | Sequence[str] = (),
        *,
        over: str = "seed",
        runs: Runs = None,
        goal: str | None = None,
        at: str | int = "best",
    ) -> Groups:
        """Runs with equal configuration keys as one row, the best mean first.

        Args:
            metric: The metric's name.
            keys: The keys that make the groups; where none is given, all keys that vary
                but *over*.
            over: The key that is averaged over.
            runs: Which runs; all of them when absent. Those without a finite value are
                in no group.
            goal: `min` or `max`; where it is not given, the metric's name must tell.
            at: `best`, `last`, or a step: then the value at the greatest step up to it.

        Raises:
            MetricNotFoundError: If there are runs, and none has the metric.
            ConfigurationError: If no run has a key, or the goal is neither given nor
                told by the metric's name.
            RunNotFoundError: If a reference fits no run.
        """
        from stepwell.store.sweeps.groups import select_groups  # noqa: PLC0415 (loads numpy)

        check_string(metric, "metric")
        wanted = as_texts(keys, "keys")
        with self._choosing(runs) as (connection, chosen):
            return select_groups(
                connection, chosen, metric, wanted, over=over, goal=goal, at=at
            )

    def importance(
        self,
        metric: str,
        *,
        runs: Runs = None,
        goal: str | None = None,
        at: str | int = "best",
    ) -> Importance:
        """How much of a metric's variance each configuration key explains by itself.

        Args:
            metric: The metric's name.
            runs: Which runs; all of them when absent.
            goal: `min` or `max`; where it is not given, the metric's name must tell.
            at: `best`, `last`, or a step: then the value at the greatest step up to it.

        Returns:
            The keys that vary, the most important first, with how it was computed, and a
            warning where there are too few runs.

        Raises:
            MetricNotFoundError: If there are runs, and none has the metric.
            ConfigurationError: If the goal is neither given nor told by the name.
            RunNotFoundError: If a reference fits no run.
        """
        from stepwell.store.sweeps.importance import select_importance  # noqa: PLC0415 (loads numpy)

        check_string(metric, "metric")
        with self._choosing(runs) as (connection, chosen):
            return select_importance(connection, chosen, metric, goal=goal, at=at)

    def sweep(  # noqa: PLR0913 (a choice an argument)
        self,
        metric: str,
        goal: str | None = None,
        at: str | int = "best",
        *,
        runs: Runs = None,
        x: str = "step",
        columns: Sequence[int] = (),
    ) -> SweepData:
        """What `leaderboard`, `sweep_table`, `importance` and `curves` say at one moment.

        Args:
            metric: The metric's name.
            goal: `min` or `max`; where it is not given, the metric's name must tell.
            at: `best`, `last`, or a step: then the value at the greatest step up to it.
            runs: Which runs; all of them when absent.
            x: What the curves go over, as for `curves`.
            columns: How finely the curves are wanted, each number of columns once; none
                are read where there is none.

        Raises:
            MetricNotFoundError: If there are runs, and none has the metric.
            ConfigurationError: If the goal is neither given nor told by the name.
            RunNotFoundError: If a reference fits no run.
        """
        from stepwell.store.sweeps.whole_sweep import select_sweep  # noqa: PLC0415 (loads numpy)

        check_string(metric, "metric")
        check_string(x, "x")
        for count in columns:
            check_count(count, "columns")
        with self._choosing(runs, bare=not columns) as (connection, chosen):
            return select_sweep(
                connection, chosen, metric, goal=goal, at=at, x=x, columns=columns
            )

    def probability_better(
        self,
        group_a: Runs,
        group_b: Runs,
        metric: str,
        *,
        goal: str | None = None,
        at: str | int = "best",
    ) -> ProbabilityBetter:
        """How often a run of one group is better than a run of another.

        Args:
            group_a: The first runs: a `Selection`, or references.
            group_b: The second runs.
            metric: The metric's name.
            goal: `min` or `max`; where it is not given, the metric's name must tell.
            at: `best`, `last`, or a step: then the value at the greatest step up to it.

        Raises:
            MetricNotFoundError: If no run of a group has the metric.
            ConfigurationError: If the goal is neither given nor told by the name.
            RunNotFoundError: If a reference fits no run.
        """
        from stepwell.store.sweeps.probability_better import select_probability  # noqa: PLC0415 (loads numpy)

        check_string(metric, "metric")
        groups = [as_selection(group) for group in (group_a, group_b)]
        with self._reading() as connection:
            one, other = (
                run_queries.choose(connection, group, self.location) for group in groups
            )
            return select_probability(connection, one, other, metric, goal=goal, at=at)

    def _one(self, connection: duckdb.DuckDBPyConnection, run: RunInfo | str) -> RunInfo:
        if isinstance(run, RunInfo):
            return run
        found = run_queries.find_run(connection, run)
        if found is None:
            raise RunNotFoundError(run, self.location)
        return found
