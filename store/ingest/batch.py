"""The points of one writer as columns, and what they add to its totals."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepwell.store.journal.reader import Piece


@dataclass(slots=True)
class Batch:
    """Points to insert: sorted by metric, then step, then time.

    Attributes:
        names: The metrics, in order of first appearance.
        codes: int32, place of each point's metric in *names*.
        steps: int64.
        times: datetime64[us], UTC.
        values: float64.
    """

    names: list[str]
    codes: NDArray[np.int32]
    steps: NDArray[np.int64]
    times: NDArray[np.datetime64]
    values: NDArray[np.float64]

    def parts(self, most: int) -> Iterator["Batch"]:
        """The batch in pieces of at most *most* names each."""
        if len(self.names) <= most:
            yield self
            return
        # Codes ascend, so the points of some names that follow each other are one slice.
        edges = np.searchsorted(self.codes, np.arange(0, len(self.names) + most, most))
        for place, (start, stop) in enumerate(pairwise(edges.tolist())):
            first = place * most
            yield Batch(
                self.names[first : first + most],
                self.codes[start:stop] - np.int32(first),
                self.steps[start:stop],
                self.times[start:stop],
                self.values[start:stop],
            )

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """The columns as DuckDB takes them."""
        return {
            "code": self.codes,
            "step": self.steps,
            "time": self.times,
            "value": self.values,
        }


def make_batch(piece: Piece, declared: dict[int, tuple[str, ...]]) -> Batch:
    """Spread a piece's calls into points.

    Args:
        piece: What was read.
        declared: Tuples of names by number, for each number in use.
    """
    places: dict[str, int] = {}
    parts = []
    are_sorted = len(piece.blocks) == 1  # as nearly every piece is
    for block in piece.blocks:
        numbers = distinct(block.numbers)
        count, width = block.values.shape
        table = np.empty((len(numbers), width), np.int32)
        for row, number in enumerate(numbers):
            names = declared.get(number, ())
            if len(names) != width:
                # Only damage that fits its checksum could come here; it has no names.
                names = tuple(f"unnamed/{number}/{place}" for place in range(width))
            table[row] = [places.setdefault(name, len(places)) for name in names]
        if len(numbers) == 1:
            # A block has a row a call. Its points are laid out metric after metric, as
            # those of `values.T.ravel()` below: codes, steps and times have to follow that
            # order.
            codes = np.repeat(table[0], count)
        else:
            codes = table[np.searchsorted(numbers, block.numbers)].T.ravel()
        are_sorted &= len(numbers) == 1 and _are_in_order(block.steps, block.times)
        times = block.times // 1000
        parts.append(
            (
                codes,
                np.tile(block.steps, width),
                np.tile(times, width),
                block.values.T.ravel(),
            )
        )
    # A name that stands in two columns has one code: its points would lie in two stretches,
    # and `totals` takes each stretch for a metric.
    are_sorted &= len(places) == sum(block.values.shape[1] for block in piece.blocks)
    return _batch_of(list(places), parts, are_sorted=are_sorted)


def distinct(numbers: NDArray[np.uint32]) -> list[int]:
    """The numbers that there are, ascending; nearly always there is one."""
    if len(numbers) and (numbers == numbers[0]).all():
        return [int(numbers[0])]
    return [int(number) for number in np.unique(numbers)]


def _are_in_order(steps: NDArray[np.int64], times: NDArray[np.int64]) -> bool:
    later = steps[1:] > steps[:-1]
    return bool((later | ((steps[1:] == steps[:-1]) & (times[1:] >= times[:-1]))).all())


def _batch_of(
    names: list[str],
    parts: list[
        tuple[
            NDArray[np.int32],
            NDArray[np.int64],
            NDArray[np.int64],
            NDArray[np.float64],
        ]
    ],
    *,
    are_sorted: bool,
) -> Batch:
    if not parts:
        none = np.empty(0, np.int64)
        nothing = np.empty(0, np.float64)
        return Batch(
            names, none.astype(np.int32), none, none.view("datetime64[us]"), nothing
        )
    codes, steps, times, values = (
        _joined([part[column] for part in parts]) for column in range(4)
    )
    if not are_sorted:
        # The last key counts first. The sort is stable, so of two points of one step and
        # time the one that was logged later stays behind, and is the current value.
        order = np.lexsort((times, steps, codes))
        codes, steps, times, values = (
            column[order] for column in (codes, steps, times, values)
        )
    return Batch(names, codes, steps, times.view("datetime64[us]"), values)


def _joined(columns: list[Any]) -> Any:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def totals(batch: Batch) -> dict[str, NDArray[np.generic]]:
    """What a batch adds to the totals, a metric a row; sorted like `batch.names`.

    Least and greatest are over the finite values, with the first step where they stand; a
    metric without one has NaN there. A total that no double can hold is infinite: the
    mean is then to be had from the points alone.
    """
    edges = np.flatnonzero(np.diff(batch.codes, prepend=-1))
    counts = np.diff(np.append(edges, len(batch.codes)))
    last = edges + counts - 1
    finite = np.isfinite(batch.values)
    minimum, minimum_step = _extreme(
        batch, edges, counts, np.where(finite, batch.values, np.inf)
    )
    # As the least of the negated values, so that the first step wins a tie here, too.
    maximum, maximum_step = _extreme(
        batch, edges, counts, np.where(finite, -batch.values, np.inf)
    )
    return {
        "code": batch.codes[edges],
        "count": counts,
        "non_finite": counts - np.add.reduceat(finite, edges, dtype=np.int64),
        "total": _sums(np.where(finite, batch.values, 0.0), edges),
        # An infinity is left where no value was finite.
        "minimum": np.where(np.isinf(minimum), np.nan, minimum),
        "minimum_step": minimum_step,
        "maximum": np.where(np.isinf(maximum), np.nan, -maximum),
        "maximum_step": maximum_step,
        "first_time": np.minimum.reduceat(batch.times, edges),
        "first_step": batch.steps[edges],
        "last_step": batch.steps[last],
        "last_time": batch.times[last],
        "last_value": batch.values[last],
    }


def _sums(values: NDArray[np.float64], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(values, edges)
    return np.where(np.isnan(total), np.inf, total)  # DuckDB reads a NaN as NULL


def _extreme(
    batch: Batch,
    edges: NDArray[np.int64],
    counts: NDArray[np.int64],
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    least = np.minimum.reduceat(values, edges)
    hits = np.flatnonzero(values == np.repeat(least, counts))
    first = hits[np.searchsorted(hits, edges)]
    return least, batch.steps[first]
