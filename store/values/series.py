"""Series of points as plain values; none of them holds a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from .metric_summary import MetricSummary
    from .run_info import RunInfo


@dataclass(frozen=True, slots=True, eq=False)
class Series(Table):
    """All points of one metric of one run, by step and then by time.

    Attributes:
        run_id: The run's UUID as text.
        metric: The metric's name.
        steps: int64, n values.
        times: datetime64[us] in UTC, n values.
        values: float64, n values; NaN and infinities as they were recorded.
    """

    run_id: str
    metric: str
    steps: NDArray[np.int64]
    times: NDArray[np.datetime64]
    values: NDArray[np.float64]

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """The arrays by name: `step`, `time` and `value`, as in the table `points`."""
        return {"step": self.steps, "time": self.times, "value": self.values}


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """What a run has recorded since it was last looked at.

    Attributes:
        run: The run as it stands.
        summary: What each of its metrics came to.
        points: Steps (int64) and values (float64) by metric, by step; metrics without a
            new point are absent.
        whole: The metrics whose points are given from the beginning, since some came
            late or it is the first look.
        last_time: When the newest point was recorded (UTC).
        first_step: The least step of the run; None before the first point.
    """

    run: RunInfo
    summary: dict[str, MetricSummary]
    points: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
    whole: frozenset[str]
    last_time: datetime | None
    first_step: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReducedSeries(Table):
    """One metric of one run, reduced to buckets of equal width in step.

    No extreme is lost: a spike of one point is its bucket's minimum or maximum. Every
    array but the last two has one value a bucket, n in all, sorted by step; buckets
    without a point are left out.

    Attributes:
        metric: The metric's name.
        first_step: int64, step of the bucket's first point.
        last_step: int64, step of the bucket's last point.
        minimum: float64, least finite value; NaN where there is none.
        maximum: float64, greatest finite value; NaN where there is none.
        mean: float64, mean of the finite values; NaN where there is none.
        minimum_step: int64, where the minimum stands (`first_step` where there is none).
        maximum_step: int64, where the maximum stands (`first_step` where there is none).
        last: float64, value of the bucket's last point; may be NaN or infinite.
        count: int64, points in the bucket.
        non_finite: int64, how many of them are NaN or infinite.
        non_finite_steps: int64, steps of the NaN and infinite points, the earliest
            1,000 of them.
        non_finite_values: float64, those points' values.
        points: How many points the buckets stand for.
    """

    metric: str
    first_step: NDArray[np.int64]
    last_step: NDArray[np.int64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    minimum_step: NDArray[np.int64]
    maximum_step: NDArray[np.int64]
    last: NDArray[np.float64]
    count: NDArray[np.int64]
    non_finite: NDArray[np.int64]
    non_finite_steps: NDArray[np.int64]
    non_finite_values: NDArray[np.float64]
    points: int

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """The arrays that have one value a bucket, by name and in their order."""
        names = "first_step last_step minimum maximum mean minimum_step maximum_step last"
        return {n: getattr(self, n) for n in [*names.split(), "count", "non_finite"]}
