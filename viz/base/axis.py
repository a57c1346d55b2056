"""One axis: its limits, its ticks, and where a value stands on it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .numbers import tick_labels

MOST_TICKS = 5
_HEADROOM = 0.06
_FROM_ZERO = 0.3
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_DECADE_PARTS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0))
_TINY = 1e-300

FARTHEST = 1e300
"""The largest value that an axis can show; a larger one stands there."""


def bounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """*values* as far as an axis can show them."""
    found: NDArray[np.float64] = np.clip(values, -FARTHEST, FARTHEST)
    return found


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis in one direction.

    Attributes:
        kind: "linear", "log" or "symlog".
        low: Value at the lower end.
        high: Value at the upper end.
        ticks: Values that have a tick, at most five.
        labels: A text for each tick.
        threshold: For "symlog", the size below which the axis is linear.
    """

    kind: str
    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    threshold: float = 1.0

    def position(self, value: float) -> float:
        """Where *value* stands, from 0.0 at the lower end to 1.0 at the upper."""
        low, high = self.transformed(self.low), self.transformed(self.high)
        return (self.transformed(value) - low) / (high - low)

    def transformed(self, value: float) -> float:
        """*value* in the space in which the axis is even."""
        # 0 and less have no logarithm; they stand far below any axis.
        if self.kind == "log":
            return math.log10(max(value, _TINY))
        if self.kind == "symlog":
            size = abs(value) / self.threshold
            folded = size if size <= 1 else 1 + math.log10(size)
            return math.copysign(folded, value)
        return value


def linear_scale(low: float, high: float, *, padded: bool = True) -> Scale:
    """A linear axis that holds *low* to *high*; starts at 0 where that is near.

    Where these are the same, it has one tick.
    """
    is_one = _are_same(low, high)
    # An axis of one value needs a width, too, or positions would be divided by 0.
    bottom, top = _padded(low, high) if padded or is_one else (low, high)
    # Ticks around a value that never changes tell nothing.
    ticks = (low,) if is_one else _linear_ticks(bottom, top)
    return Scale("linear", bottom, top, ticks, tick_labels(ticks))


def log_scale(low: float, high: float) -> Scale:
    """A logarithmic axis that holds *low* to *high*, both greater than 0.

    Where these are the same, it has one tick.
    """
    constant = max(low, _TINY) if _are_same(low, high) else None
    low, high = math.log10(max(low, _TINY)), math.log10(max(high, _TINY))
    margin = max(_HEADROOM * (high - low), 0.02)
    low, high = max(low - margin, -300.0), min(high + margin, 308.0)
    bottom, top = 10.0**low, 10.0**high
    ticks = _log_ticks(bottom, top) if constant is None else (constant,)
    return Scale("log", bottom, top, ticks, tick_labels(ticks))


def symlog_scale(low: float, high: float, smallest: float) -> Scale:
    """An axis that is linear around 0 and logarithmic beyond *smallest*."""
    largest = max(abs(low), abs(high), _TINY)
    # At most eight decades below the largest: a lone tiny value would give nearly all of
    # the axis to sizes that nobody compares.
    threshold = 10.0 ** _power_below(max(smallest, largest * 1e-8))
    empty = Scale("symlog", low, high, (), (), threshold)
    bottom, top = empty.transformed(low), empty.transformed(high)
    margin = _HEADROOM * max(top - bottom, 1.0)
    start, end = (_unfold(at, threshold) for at in (bottom - margin, top + margin))
    top_power, low_power = _power_below(largest), _power_below(threshold)
    sides = 2 if low < 0 < high else 1
    stride = max(1, math.ceil((top_power - low_power + 1) * sides / (MOST_TICKS - 1)))
    powers = [10.0**power for power in range(top_power, low_power - 1, -stride)]
    candidates = [*(-power for power in powers), 0.0, *reversed(powers)]
    ticks = tuple(tick for tick in candidates if start <= tick <= end)
    return Scale("symlog", start, end, ticks, tick_labels(ticks), threshold)


def step_scale(first: int, last: int) -> Scale:
    """The axis of steps, from *first* to *last*."""
    low, high = float(first), float(last)
    if low == high:
        low, high = low - 0.5, high + 0.5
    # There is no step 2.5, also where the axis is so short that ticks would be there.
    ticks = tuple(tick for tick in _linear_ticks(low, high) if tick == round(tick)) or (
        float(first),
    )
    return Scale("linear", low, high, ticks, tick_labels(ticks))


def ticks_between(scale: Scale) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Ticks and their labels between the ends of *scale*, wherever it was moved to."""
    low, high = sorted((scale.low, scale.high))
    if not low < high:
        return (low,), tick_labels((low,))
    if scale.kind == "log" and low > 0:
        ticks = _log_ticks(low, high)
    elif scale.kind == "symlog":
        ticks = symlog_scale(low, high, scale.threshold).ticks
        ticks = tuple(tick for tick in ticks if low <= tick <= high)
        ticks = ticks if len(ticks) > 1 else _linear_ticks(low, high)
    else:
        ticks = _linear_ticks(low, high)
    return ticks, tick_labels(ticks)


def _power_below(value: float) -> int:
    # The logarithm of a power of ten may come out just below the whole number.
    return math.floor(math.log10(value) + 1e-9)


def _unfold(value: float, threshold: float) -> float:
    size = abs(value)
    unfolded = size if size <= 1 else 10.0 ** (size - 1)
    return math.copysign(min(unfolded * threshold, 1e308), value)


def _are_same(low: float, high: float) -> bool:
    return high - low <= max(max(abs(low), abs(high)) * 1e-12, _TINY)


def _padded(low: float, high: float) -> tuple[float, float]:
    spread = high - low
    size = max(abs(low), abs(high))
    if _are_same(low, high):
        margin = size * 0.1 if size > _TINY else 1.0
        return low - margin, high + margin
    margin = spread * _HEADROOM
    bottom, top = low - margin, high + margin
    # From 0 where that costs less than a third of the axis: heights can then be compared.
    if low >= 0 and low <= _FROM_ZERO * high:
        bottom = 0.0
    if high <= 0 and high >= _FROM_ZERO * low:
        top = 0.0
    return bottom, top


def _linear_ticks(low: float, high: float) -> tuple[float, ...]:
    spread = high - low
    power = 10.0 ** math.floor(math.log10(spread / MOST_TICKS))
    for nice in _NICE:
        stride = nice * power
        # The tolerance keeps a tick that stands at the very end; rounding would lose it.
        first, last = math.ceil(low / stride - 1e-9), math.floor(high / stride + 1e-9)
        if last - first < MOST_TICKS:
            return tuple(
                float(f"{index * stride:.12g}") for index in range(first, last + 1)
            )
    return (low, high)


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found: tuple[float, ...] = ()
    for parts in _DECADE_PARTS:
        ticks = tuple(_within(low, high, range(first, last + 1), parts))
        if len(ticks) > MOST_TICKS:
            break
        found = ticks
    if not found:
        stride = math.ceil((last - first + 1) / MOST_TICKS)
        powers = range(first + (-first) % stride, last + 1, stride)
        found = tuple(_within(low, high, powers, (1.0,)))
    if len(found) < 3:  # noqa: PLR2004 a short range: even ticks tell more
        even = tuple(tick for tick in _linear_ticks(low, high) if tick > 0)
        found = even if len(even) > len(found) else found
    return found


def _within(
    low: float, high: float, powers: Iterable[int], parts: Iterable[float]
) -> Iterable[float]:
    parts = tuple(parts)
    for power in powers:
        for part in parts:
            # Read from text it is the nearest double; a product may be the one beside it.
            tick = float(f"{part}e{power}")
            if low <= tick <= high:
                yield tick
