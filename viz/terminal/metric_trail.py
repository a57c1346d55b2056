"""The course of one metric, kept in few buckets however long the run."""

import math
from collections.abc import Iterator, Sequence
from typing import TypeVar

from stepwell.viz.terminal.render.view import NOTHING, Trail

MOST_BUCKETS = 256
_SMALLER = 2.0**-64  # 2⁶⁴ of the largest doubles, so reduced, can be added

Number = TypeVar("Number", int, float)


class Scale:
    """Buckets of equal width in step, the same for all metrics of a run.

    Attributes:
        origin: Where the first bucket begins; None before the first step.
        width: Steps in a bucket; doubled when there are too many.
    """

    def __init__(self) -> None:
        self.origin: int | None = None
        self.width = 1

    def cover(self, first: int, last: int) -> int:
        """Make room for steps up to *last*; gives how often the width was doubled."""
        if self.origin is None:
            self.origin = first
        doubled = 0
        while (last - self.origin) // self.width >= MOST_BUCKETS:
            # Doubling joins whole buckets, so `halve` needs no points: extremes and sums
            # stay exact.
            self.width *= 2
            doubled += 1
        return doubled


class RunningTrail:
    """Grows by what is new, and halves itself when the scale is widened.

    Args:
        scale: The buckets; whoever widens it also calls `halve`.
    """

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._sums: list[float] = []
        self._unit = 1.0  # of the sums; less for a metric whose own go beyond any double
        self._counts: list[int] = []
        self._lows: list[float] = []
        self._highs: list[float] = []
        self._broken: set[int] = set()
        self._last = 0

    def take(self, steps: Sequence[int], values: Sequence[float]) -> None:
        """Take in points in the order of their steps; those before the first are not."""
        origin, width = self._scale.origin or 0, self._scale.width
        start, count = 0, len(steps)
        while start < count:
            bucket = (steps[start] - origin) // width
            behind = origin + (bucket + 1) * width
            # A guess that holds where each step has one point: as many points as steps are
            # left in the bucket. Slicing them is faster than looking at each.
            stop = min(count, start + max(1, behind - steps[start]))
            while not steps[start] <= steps[stop - 1] < behind:  # steps were left out
                stop = start + max(1, (stop - start) // 2)
            if bucket >= 0:
                self._last = max(self._last, steps[stop - 1])
                self._put(bucket, values[start:stop])
            start = stop

    def _put(self, bucket: int, values: Sequence[float]) -> None:
        missing = bucket + 1 - len(self._sums)
        if missing > 0:
            self._sums.extend([0.0] * missing)
            self._counts.extend([0] * missing)
            self._lows.extend([math.inf] * missing)
            self._highs.extend([-math.inf] * missing)
        total = sum(values)
        if not math.isfinite(total):
            finite = [value for value in values if math.isfinite(value)]
            if len(finite) < len(values):
                self._broken.add(bucket)
            values, total = finite, sum(finite)
        if values:
            self._add(bucket, total, values)
            self._counts[bucket] += len(values)
            self._lows[bucket] = min(self._lows[bucket], *values)
            self._highs[bucket] = max(self._highs[bucket], *values)

    def _add(self, bucket: int, total: float, values: Sequence[float]) -> None:
        added = self._sums[bucket] + total * self._unit
        if not math.isfinite(added):
            self._reduce()
            added = self._sums[bucket] + sum(value * _SMALLER for value in values)
        self._sums[bucket] = added

    def _reduce(self) -> None:
        if self._unit == 1:
            self._unit = _SMALLER
            self._sums = [total * _SMALLER for total in self._sums]

    def halve(self) -> None:
        """Join the buckets in pairs: the scale has become twice as wide."""
        if len(self._sums) % 2:
            self._sums.append(0.0)
            self._counts.append(0)
            self._lows.append(math.inf)
            self._highs.append(-math.inf)
        if not all(math.isfinite(a + b) for a, b in _pairs(self._sums)):
            self._reduce()
        self._sums = [a + b for a, b in _pairs(self._sums)]
        self._counts = [a + b for a, b in _pairs(self._counts)]
        self._lows = [min(a, b) for a, b in _pairs(self._lows)]
        self._highs = [max(a, b) for a, b in _pairs(self._highs)]
        self._broken = {bucket // 2 for bucket in self._broken}

    def value(self) -> Trail:
        """The course so far."""
        counts = self._counts
        return Trail(
            self._scale.origin or 0,
            self._last,
            self._scale.width,
            tuple(
                # Rounding of a sum can put the mean a little outside of its extremes.
                min(max(total / count / self._unit, low), high) if count else NOTHING
                for total, count, low, high in zip(
                    self._sums, counts, self._lows, self._highs, strict=True
                )
            ),
            tuple(_where(self._lows, counts)),
            tuple(_where(self._highs, counts)),
            frozenset(self._broken),
        )


def _where(values: list[float], counts: list[int]) -> list[float]:
    return [
        value if count else NOTHING for value, count in zip(values, counts, strict=True)
    ]


def _pairs(values: list[Number]) -> Iterator[tuple[Number, Number]]:
    return zip(values[::2], values[1::2], strict=True)
