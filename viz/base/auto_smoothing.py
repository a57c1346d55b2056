"""Noise told from course: when to smooth a curve, how, and what is a spike."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FEWEST_COLUMNS = 40
_ROUGHNESS = 0.004
_BAND_WIDTH = 0.012
_NEIGHBOURS = 4
_SPIKE_SIZE = 8.0
_SPIKE_SHARE = 0.03


def is_noisy(mean: Floats, low: Floats, high: Floats) -> bool:
    """Whether the columns jump up and down so much that a smooth line tells more."""
    finite = np.isfinite(mean)
    if finite.sum() < _FEWEST_COLUMNS:
        return False
    mean, low, high = mean[finite], low[finite], high[finite]
    # Without the outermost columns, so that one spike does not make all else look smooth.
    spread = _ranked(mean, 0.98) - _ranked(mean, 0.02)
    # How far columns are from the middle between their neighbours: 0 on any straight line,
    # so that a steep descent is not taken for noise.
    roughness = _ranked(np.abs(mean[1:-1] - (mean[2:] + mean[:-2]) / 2), 0.5)
    width = _ranked(high - low, 0.5)
    return roughness > _ROUGHNESS * spread or width > _BAND_WIDTH * spread


def smoothed(mean: Floats, counted: NDArray[np.bool_]) -> Floats:
    """*mean* smoothed by a straight line through each column's neighbourhood.

    Neighbours weigh less with their distance. Fitting a line instead of taking a mean
    keeps the curve from lagging behind a descent and from bending at its ends. Columns
    that are not *counted* don't pull the line; columns that are NaN stay gaps.
    """
    width = float(np.clip(len(mean) / 60, 1.5, 6.0))
    finite = np.isfinite(mean)
    used = finite & counted
    # The usual case in a live view; the weights then depend on the count alone and are kept
    # from frame to frame.
    if used.all():
        s0, s1, s2 = _weights(len(mean), width)
    else:
        s0, s1, s2 = (_moment(used.astype(float), width, power) for power in (0, 1, 2))
    known = np.where(used, mean, 0.0)
    t0, t1 = (_moment(known, width, power) for power in (0, 1))
    determinant = s0 * s2 - s1 * s1
    # Where fewer than two columns count within reach, no line is determined, and the mean
    # stays as it is.
    usable = determinant > 1e-9 * np.maximum(s0 * s2, 1e-300)
    line = np.where(usable, (s2 * t0 - s1 * t1) / np.where(usable, determinant, 1.0), mean)
    return np.where(finite, line, np.nan)


@lru_cache(maxsize=64)
def _weights(count: int, width: float) -> tuple[Floats, Floats, Floats]:
    """The moments of columns that all count."""
    ones = np.ones(count)
    return _moment(ones, width, 0), _moment(ones, width, 1), _moment(ones, width, 2)


def _moment(values: Floats, width: float, power: int) -> Floats:
    """The weighted sum of each column's neighbours, times their distance to *power*."""
    reach = int(np.ceil(3 * width))
    distance = np.arange(-reach, reach + 1, dtype=float)
    kernel = np.exp(-0.5 * (distance / width) ** 2) * distance**power
    padded = np.zeros(len(values) + 2 * reach)
    padded[reach : reach + len(values)] = values
    moment: Floats = np.correlate(padded, kernel, mode="valid")
    return moment


def spike_columns(mean: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Columns with a lone low point (first row) and a lone high point (second row).

    A spike stands far from the columns on both sides, so that neither the first
    descent of a loss nor a step counts as one. Where many columns would, none does: the
    metric is then simply wide.
    """
    finite = np.isfinite(mean)
    before, after = _neighbours(np.where(finite, mean, np.nan))
    found = np.zeros((2, len(mean)), bool)
    found[0] = _far(np.minimum(before, after) - low)
    found[1] = _far(high - np.maximum(before, after))
    found &= finite
    if found.any(axis=0).mean() > _SPIKE_SHARE:
        found[:] = False
    return found


def _neighbours(mean: Floats) -> tuple[Floats, Floats]:
    """Median of the columns before and after each; NaN at the ends."""
    one, two, three, four = (mean[i : len(mean) - 3 + i] for i in range(_NEIGHBOURS))
    least = np.minimum(np.minimum(one, two), np.minimum(three, four))
    most = np.maximum(np.maximum(one, two), np.maximum(three, four))
    # The median of four is the mean of the middle two: all but the least and the most.
    medians = (one + two + three + four - least - most) / 2
    ends = np.full(_NEIGHBOURS, np.nan)
    before = np.concatenate([ends, medians[:-1]])
    after = np.concatenate([medians[1:], ends])
    return before, after


def _far(excess: Floats) -> NDArray[np.bool_]:
    known = excess[np.isfinite(excess)]
    if not len(known):
        return np.zeros(len(excess), bool)
    middle = _ranked(known, 0.5)
    # The median distance from the median, times 1.4826, estimates the standard deviation of
    # normal noise, and does not grow with the spikes that are looked for.
    spread = 1.4826 * _ranked(np.abs(known - middle), 0.5)
    # Of a metric that hardly moves the spread is 0, and rounding would make spikes.
    size = max(spread, 1e-12 * float(np.abs(known).max()))
    return np.nan_to_num(excess, nan=-np.inf) > middle + _SPIKE_SIZE * size


def _ranked(values: Floats, share: float) -> float:
    """The value below which *share* of *values* lie; much faster than numpy's own."""
    place = int(share * (len(values) - 1) + 0.5)
    return float(np.partition(values, place)[place])
