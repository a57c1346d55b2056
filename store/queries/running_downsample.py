"""Reductions that grow with the run, at a cost that does not."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepwell.store.values.series import ReducedSeries

from .downsample import MOST_NON_FINITE, buckets_of, reduce_points
from .means import means_of_groups

_Columns = dict[str, NDArray[Any]]


class RunningReduction:
    """One metric reduced to pixel columns, extended by its new points alone.

    Memory and the cost of a call depend on the columns and on what is new, never on the
    length of the run: when there are too many buckets, neighbours are joined in pairs.

    Args:
        metric: The metric's name.
        columns: Buckets wanted; there are at most twice as many.

    Attributes:
        metric: The metric's name.
        points: Points so far.
        width: Steps in a bucket.
    """

    def __init__(self, metric: str, columns: int) -> None:
        self.metric = metric
        self.points = 0
        self._columns = columns
        self._origin = 0
        self.width = 1
        self._parts: _Columns | None = None
        self._odd_steps = np.empty(0, np.int64)
        self._odd_values = np.empty(0, np.float64)

    @property
    def extent(self) -> tuple[int, int]:
        """First and last step so far; call it only when there is a point."""
        parts = self._known()
        return int(parts["first_step"][0]), int(parts["last_step"][-1])

    def extend(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add points, none of them before the last step so far.

        Args:
            steps: int64, n values, not decreasing.
            values: float64, n values.
        """
        if not len(steps):
            return
        if self._parts is None:
            self._origin = int(steps[0])
            self.width = -(-(int(steps[-1]) - self._origin + 1) // self._columns)
        while (int(steps[-1]) - self._origin) // self.width >= 2 * self._columns:
            self._widen()
        new = reduce_points(
            self.metric, steps, values, origin=self._origin, width=self.width
        )
        self.points += new.points
        room = MOST_NON_FINITE - len(self._odd_steps)
        if room > 0 and len(new.non_finite_steps):
            self._odd_steps = np.append(self._odd_steps, new.non_finite_steps[:room])
            self._odd_values = np.append(self._odd_values, new.non_finite_values[:room])
        added = _columns_of(new, self._origin, self.width)
        known = self._parts
        if known is None:
            self._parts = added
        else:
            joined = {key: np.append(known[key], added[key]) for key in known}
            self._parts = _merged(joined)

    def series(self) -> ReducedSeries:
        """What there is so far; call it only when there is a point.

        Raises:
            ValueError: If there is none.
        """
        parts = self._known()
        return ReducedSeries(
            metric=self.metric,
            first_step=parts["first_step"],
            last_step=parts["last_step"],
            minimum=parts["minimum"],
            maximum=parts["maximum"],
            mean=parts["mean"],
            minimum_step=parts["minimum_step"],
            maximum_step=parts["maximum_step"],
            last=parts["last"],
            count=parts["count"],
            non_finite=parts["non_finite"],
            non_finite_steps=self._odd_steps,
            non_finite_values=self._odd_values,
            points=self.points,
        )

    def _known(self) -> _Columns:
        if self._parts is None:
            raise ValueError(f"metric {self.metric!r} has no points yet")
        return self._parts

    def _widen(self) -> None:
        self.width *= 2
        if self._parts is not None:
            self._parts["bucket"] = self._parts["bucket"] // 2
            self._parts = _merged(self._parts)


def _columns_of(series: ReducedSeries, origin: int, width: int) -> _Columns:
    return {
        "bucket": buckets_of(series.first_step, origin, width),
        "first_step": series.first_step,
        "last_step": series.last_step,
        "minimum": series.minimum,
        "maximum": series.maximum,
        "minimum_step": series.minimum_step,
        "maximum_step": series.maximum_step,
        "mean": series.mean,
        "last": series.last,
        "count": series.count,
        "non_finite": series.non_finite,
    }


def _merged(parts: _Columns) -> _Columns:
    buckets = parts["bucket"]
    edges = np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))
    if len(edges) == len(buckets):
        return parts
    sizes = np.diff(np.append(edges, len(buckets)))
    last = edges + sizes - 1
    merged = {key: parts[key][edges] for key in ("bucket", "first_step")}
    merged |= {key: parts[key][last] for key in ("last_step", "last")}
    for key in ("count", "non_finite"):
        merged[key] = np.add.reduceat(parts[key], edges)
    # `fmin` and `fmax` pass over NaN, which stands for no finite value. Where all are NaN,
    # each of them is a hit, since every bucket needs a step.
    for name, combine in (("minimum", np.fmin), ("maximum", np.fmax)):
        extreme = combine.reduceat(parts[name], edges)
        whole = np.repeat(extreme, sizes)
        hits = np.flatnonzero((parts[name] == whole) | np.isnan(whole))
        merged[name] = extreme
        merged[f"{name}_step"] = parts[f"{name}_step"][hits[np.searchsorted(hits, edges)]]
    finite = parts["count"] - parts["non_finite"]
    merged["mean"] = means_of_groups(
        np.where(finite > 0, parts["mean"], 0.0),
        edges,
        merged["count"] - merged["non_finite"],
        merged["minimum"],
        merged["maximum"],
        finite,
    )
    return {key: merged[key] for key in parts}
