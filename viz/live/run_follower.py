"""What a live figure knows of a run: grows by what is new, never reads twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stepwell.store import RunningReduction
from stepwell.viz.base.progress import Progress
from stepwell.viz.base.stored_progress import StoredProgress

if TYPE_CHECKING:
    from stepwell.store import MetricSummary, ReducedSeries, RunInfo, Store


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a run.

    Attributes:
        info: The run as it stands.
        summary: What each metric came to.
        changed: The metrics that have new points since the look before.
        progress: How far and how fast it is.
    """

    info: "RunInfo"
    summary: "dict[str, MetricSummary]"
    changed: frozenset[str]
    progress: Progress


class Feed:
    """A run's metrics, reduced, and brought up to date by its new points alone.

    Args:
        store: Where the run is.
        run_id: The run.
        metrics: The metrics that are drawn.
        columns: Pixel columns of a panel.
        max_points: Only the newest points of each metric, this many; None for all.
    """

    def __init__(
        self,
        store: "Store",
        run_id: str,
        metrics: Sequence[str],
        columns: int,
        max_points: int | None = None,
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._metrics = list(dict.fromkeys(metrics))
        self._columns = columns
        self._max_points = max_points
        self._series: dict[str, RunningReduction | _Newest] = {}
        self._known: dict[str, tuple[int, int]] = {}
        self._progress = StoredProgress(store)

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics that have points."""
        return frozenset(self._series)

    def read(self) -> Look:
        """Take in what is new.

        Raises:
            StepwellError: If the store can't be read just now.
        """
        news = self._store.news(self._run_id, self._metrics, self._known)
        for metric, (steps, values) in news.points.items():
            # A point that came late, with a step below the last, can't be put into a
            # reduction that only grows: then the store gives all points again.
            if metric in news.whole or metric not in self._series:
                self._series[metric] = self._new(metric)
            self._series[metric].extend(steps, values)
            # Count and last step are what the store tells a late point by: the count rises
            # though nothing lies behind the last step.
            self._known[metric] = (news.summary[metric].count, int(steps[-1]))
        self._progress.take(news)
        progress = self._progress.progress()
        return Look(news.run, news.summary, frozenset(news.points), progress)

    @property
    def extent(self) -> tuple[int, int] | None:
        """First and last step of all the points; None before the first."""
        ends = [one.extent for one in self._series.values()]
        if not ends:
            return None
        return min(first for first, _ in ends), max(last for _, last in ends)

    def series(self, metric: str) -> "ReducedSeries | None":
        """The reduced points of one metric; None before the first."""
        one = self._series.get(metric)
        return None if one is None else one.series()

    def _new(self, metric: str) -> "RunningReduction | _Newest":
        if self._max_points is None:
            return RunningReduction(metric, self._columns)
        return _Newest(metric, self._columns, self._max_points)


class _Newest:
    """The newest points of a metric, reduced when they are asked for."""

    def __init__(self, metric: str, columns: int, most: int) -> None:
        self._metric = metric
        self._columns = columns
        self._most = most
        self._steps: NDArray[np.int64] = np.empty(0, np.int64)
        self._values: NDArray[np.float64] = np.empty(0, np.float64)

    def extend(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        self._steps = np.append(self._steps, steps)[-self._most :]
        self._values = np.append(self._values, values)[-self._most :]

    @property
    def extent(self) -> tuple[int, int]:
        return int(self._steps[0]), int(self._steps[-1])

    def series(self) -> "ReducedSeries":
        # A reduction can't forget old points, so that of the newest is made for each frame;
        # there are at most `max_points` of them.
        reduction = RunningReduction(self._metric, self._columns)
        reduction.extend(self._steps, self._values)
        return reduction.series()
