"""Reducing points to pixel columns, without losing an extreme."""

import numpy as np
from numpy.typing import NDArray

from stepwell.store.values.series import ReducedSeries

from .means import means_of_groups

MOST_NON_FINITE = 1000
"""Non-finite points that a reduced series names one by one."""


def reduce_points(
    metric: str,
    steps: NDArray[np.int64],
    values: NDArray[np.float64],
    *,
    origin: int,
    width: int,
) -> ReducedSeries:
    """Reduce one metric's points to buckets of *width* steps, the first at *origin*.

    Args:
        metric: The metric's name.
        steps: int64, n values, not decreasing; at least one.
        values: float64, n values; points of one step in the order of their times.
        origin: Step at which the first bucket begins, not above the first step.
        width: Steps in a bucket.
    """
    edges = edges_of(steps, origin, width)
    counts = np.diff(np.append(edges, len(steps)))
    last = edges + counts - 1
    finite = np.isfinite(values)
    whole = bool(finite.all())
    finite_counts = counts if whole else np.add.reduceat(finite, edges, dtype=np.int64)
    present = finite_counts > 0
    low = values if whole else np.where(finite, values, np.inf)
    high = values if whole else np.where(finite, values, -np.inf)
    minimum = np.minimum.reduceat(low, edges)
    maximum = np.maximum.reduceat(high, edges)
    known = values if whole else np.where(finite, values, 0.0)
    odd = np.flatnonzero(~finite)[:MOST_NON_FINITE]
    return ReducedSeries(
        metric=metric,
        first_step=steps[edges],
        last_step=steps[last],
        minimum=np.where(present, minimum, np.nan),
        maximum=np.where(present, maximum, np.nan),
        mean=means_of_groups(known, edges, finite_counts, minimum, maximum),
        minimum_step=steps[_first_hits(low == np.repeat(minimum, counts), edges)],
        maximum_step=steps[_first_hits(high == np.repeat(maximum, counts), edges)],
        last=values[last],
        count=counts,
        non_finite=counts - finite_counts,
        non_finite_steps=steps[odd],
        non_finite_values=values[odd],
        points=len(steps),
    )


def edges_of(steps: NDArray[np.int64], origin: int, width: int) -> NDArray[np.intp]:
    """Where each bucket that has a point begins; see `reduce_points`."""
    first, last = ((int(step) - origin) // width for step in (steps[0], steps[-1]))
    # As many searches as buckets, or one look at each point: whichever is less. Steps far
    # apart may have more buckets between them than any memory holds.
    if last - first < len(steps):
        begins = np.array([origin + width * n for n in range(first, last + 1)], np.int64)
        begins[0] = steps[0]
        return np.unique(np.searchsorted(steps, begins))
    buckets = buckets_of(steps, origin, width)
    return np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))


def buckets_of(steps: NDArray[np.int64], origin: int, width: int) -> NDArray[np.int64]:
    """Number of the bucket of each step, whatever 64-bit integers the steps are.

    Args:
        steps: int64, none of them before *origin*.
        origin: Step at which bucket 0 begins.
        width: Steps in a bucket.
    """
    if width >= 2**64:
        return np.zeros(len(steps), np.int64)
    # Unsigned, since the distance of two steps may be beyond an int64.
    distance = steps.view(np.uint64) - np.uint64(origin % 2**64)
    return (distance // np.uint64(width)).view(np.int64)


def _first_hits(hits: NDArray[np.bool_], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    # Every bucket has a hit: one without a finite value has infinity as its extreme.
    places = np.flatnonzero(hits)
    return places[np.searchsorted(places, edges)]
