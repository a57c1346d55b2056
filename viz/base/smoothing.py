"""Smoothing of curves whose points may already stand for several."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepwell.store import ConfigurationError, shown

Floats = NDArray[np.float64]

_HUGE = 1e280


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How curves are smoothed.

    Attributes:
        kind: "ema", an exponential moving average; or "window", the mean of the newest
            points.
        size: The average's share of the past, from 0 up to 1; or points in the window.
    """

    kind: str
    size: float

    @property
    def text(self) -> str:
        """What a note says of it."""
        if self.kind == "ema":
            return f"smoothed: exponential {self.size:g}"
        return f"smoothed: mean of {self.size:g} points"


def smoothing_of(text: str | None) -> Smoothing | None:
    """Read "ema:0.9" or "window:50"; None smooths nothing.

    Raises:
        ConfigurationError: *text* is neither.
    """
    if text is None:
        return None
    given: object = text  # a caller without types may give anything
    letters = str.__str__(given) if isinstance(given, str) else ""
    kind, _, number = letters.partition(":")
    try:
        size = float(number)
    except ValueError:
        size = math.nan
    if kind == "ema" and 0 <= size < 1:
        return Smoothing(kind, size)
    if kind == "window" and 1 <= size < math.inf and size == int(size):
        return Smoothing(kind, size)
    raise ConfigurationError(
        f"smooth must be 'ema:SHARE' with a share from 0 up to 1, or 'window:POINTS',"
        f" not {shown(text)}"
    )


def smooth(mean: Floats, count: NDArray[np.int64], how: Smoothing | None) -> Floats:
    """*mean* smoothed; where it is NaN, the result is, and nothing else changes.

    Args:
        mean: Values, each the mean of *count* points, in order.
        count: Points of each value. Where all are 1 the result is that of TensorBoard,
            debiased: y = m / w, with m and w the averages of the values and of 1.
        how: How to smooth.
    """
    if how is None:
        return mean
    finite = np.isfinite(mean)
    # Sums of values near the largest double would be none.
    unit = 2.0**-64 if np.abs(mean[finite]).max(initial=0.0) > _HUGE else 1.0
    values, points = mean[finite] * unit, count[finite].astype(np.float64)
    result = np.full(len(mean), np.nan)
    smoothed = (
        _exponential(values, points, how.size)
        if how.kind == "ema"
        else _window(values, points, how.size)
    )
    if values.size:
        # Rounding must not put a mean beyond the values that it is the mean of.
        smoothed = np.clip(smoothed, values.min(), values.max())
    result[finite] = smoothed / unit
    return result


def _exponential(values: Floats, points: Floats, share: float) -> Floats:
    average = weight = 0.0
    found = []
    # A value that stands for k points weighs as k equal ones in a row, so that a reduced
    # curve is smoothed as much as the full one.
    for value, kept in zip(values.tolist(), np.power(share, points).tolist(), strict=True):
        average = kept * average + (1 - kept) * value
        weight = kept * weight + (1 - kept)
        found.append(average / weight)
    return np.array(found, np.float64)


def _window(values: Floats, points: Floats, size: float) -> Floats:
    """The mean of each value and those before it, as far as *size* points reach."""
    ends = np.cumsum(points)
    first = np.searchsorted(ends, ends - size, side="right")
    # A value of more points than the window holds is still its own mean.
    first = np.minimum(first, np.arange(len(values)))
    # Sums of differences to the first value lose fewer digits than sums of the values.
    origin = values[0] if len(values) else 0.0
    sums = np.concatenate([[0.0], np.cumsum((values - origin) * points)])
    counts = np.concatenate([[0.0], ends])
    here = np.arange(1, len(values) + 1)
    mean: Floats = origin + (sums[here] - sums[first]) / (counts[here] - counts[first])
    return mean
