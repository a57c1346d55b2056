"""Reducing points of many runs to buckets of one x axis, without losing an extreme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepwell.store.queries.downsample import buckets_of
from stepwell.store.queries.means import means_of_groups


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of several runs, by run and then by x.

    Attributes:
        place: int32, n values: the run of each point, not decreasing.
        x: int64 or float64, n values, not decreasing within a run.
        value: float64, n values.
    """

    place: NDArray[np.int32]
    x: NDArray[np.int64] | NDArray[np.float64]
    value: NDArray[np.float64]

    @classmethod
    def sorted_by(
        cls,
        place: NDArray[np.int32],
        x: NDArray[np.int64] | NDArray[np.float64],
        value: NDArray[np.float64],
    ) -> Points:
        """The points in order; those of equal run and x stay as they were."""
        back = x[1:] < x[:-1]
        back &= place[1:] == place[:-1]
        back |= place[1:] < place[:-1]
        if not back.any():
            return cls(place, x, value)
        order = _order_of_blocks(place, x, np.flatnonzero(back) + 1)
        return cls(place[order], x[order], value[order])


def _order_of_blocks(
    place: NDArray[np.int32],
    x: NDArray[np.int64] | NDArray[np.float64],
    breaks: NDArray[np.intp],
) -> NDArray[np.intp]:
    """The order that sorts rows which ascend but for some *breaks*."""
    # A scan by several threads gives long ascending blocks; these are sorted whole.
    begins = np.concatenate(([0], breaks))
    ends = np.concatenate((breaks, [len(place)]))
    blocks = np.lexsort((x[begins], place[begins]))
    begins, ends = begins[blocks], ends[blocks]
    former, latter = ends[:-1] - 1, begins[1:]
    overlap = place[former] > place[latter]
    same = place[former] == place[latter]
    overlap |= same & (x[former] > x[latter])
    overlap |= same & (x[former] == x[latter]) & (blocks[:-1] > blocks[1:])
    if overlap.any():
        return np.asarray(np.lexsort((x, place)), np.intp)
    lengths = ends - begins
    starts = np.cumsum(lengths) - lengths
    shifts = np.repeat(begins - starts, lengths)
    return np.asarray(np.arange(len(place)) + shifts, np.intp)


@dataclass(frozen=True, slots=True)
class Axis:
    """An x axis cut into buckets of equal width.

    Attributes:
        first: Where the first bucket begins: an int for steps, else a float.
        last: Where the last bucket ends; it belongs to it.
        columns: How many buckets, at most.
    """

    first: float
    last: float
    columns: int

    def buckets(self, x: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.int64]:
        """Number of the bucket of each x, none of which is outside the axis."""
        if isinstance(self.first, int) and isinstance(self.last, int):
            width = -(-(self.last - self.first + 1) // self.columns)
            if self.last - self.first < 2**31:
                distance = (x - self.first).astype(np.uint32)  # divided four times as fast
                return (distance // np.uint32(min(width, 2**32 - 1))).astype(np.int64)
            return buckets_of(x.astype(np.int64, copy=False), self.first, width)
        span = self.last / 2 - self.first / 2  # halves: the distance may be no float
        if not span > 0:
            return np.zeros(len(x), np.int64)
        part = (x / 2 - self.first / 2) / span * self.columns
        return np.clip(part.astype(np.int64), 0, self.columns - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Points reduced; a value a bucket that has a point, by run and then by x.

    Attributes:
        place: The run of each bucket.
        bucket: int64, its number on the axis.
        x: float64, x of its first point.
        minimum: float64, least finite value; NaN where there is none.
        maximum: float64, greatest finite value; NaN where there is none.
        mean: float64, mean of the finite values; NaN where there is none.
        last: float64, value of its last point.
        count: int64, its points.
    """

    place: NDArray[np.int32]
    bucket: NDArray[np.int64]
    x: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    last: NDArray[np.float64]
    count: NDArray[np.int64]


def reduce_runs(points: Points, axis: Axis) -> Buckets:
    """Reduce *points*, at least one, to the buckets of *axis*."""
    place, values = points.place, points.value
    bucket = axis.buckets(points.x)
    begins = np.empty(len(place), bool)
    begins[0] = True
    np.not_equal(bucket[1:], bucket[:-1], out=begins[1:])
    begins[1:] |= place[1:] != place[:-1]
    edges = np.flatnonzero(begins)
    count = np.diff(np.append(edges, len(place)))
    finite = np.isfinite(values)
    whole = bool(finite.all())
    finite_count = count if whole else np.add.reduceat(finite, edges, dtype=np.int64)
    present = finite_count > 0
    low = values if whole else np.where(finite, values, np.inf)
    high = values if whole else np.where(finite, values, -np.inf)
    known = values if whole else np.where(finite, values, 0.0)
    minimum = np.minimum.reduceat(low, edges)
    maximum = np.maximum.reduceat(high, edges)
    return Buckets(
        place=place[edges],
        bucket=bucket[edges],
        x=points.x[edges].astype(np.float64),
        minimum=np.where(present, minimum, np.nan),
        maximum=np.where(present, maximum, np.nan),
        mean=means_of_groups(known, edges, finite_count, minimum, maximum),
        last=values[edges + count - 1],
        count=count.astype(np.int64, copy=False),
    )
