"""Runs put into few groups by a parameter, and the groups' curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._numbers import short_value
from ._param_scale import is_logarithmic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stepwell.store import RunCurve

MOST_GROUPS = 5
MOST_THIN = 150


@dataclass(frozen=True, slots=True, eq=False)
class GroupLine:
    """The curves of one group of runs, on one x axis.

    Attributes:
        label: The parameter's value or range; empty where all runs are one group.
        x: float64, n steps.
        middle: float64, median of the runs at each step; NaN where there is none.
        low: float64, their lower quartile.
        high: float64, their upper quartile.
        thin: float64 of shape (m, n): some of the runs themselves.
        runs: How many runs there are.
    """

    label: str
    x: NDArray[np.float64]
    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    thin: NDArray[np.float64]
    runs: int


def binned(
    column: NDArray[Any], most: int = MOST_GROUPS
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """A group for each value of *column*; of more than *most* numbers, ranges of them.

    Words beyond *most* share the last group, those that most runs have come first.

    Returns:
        int64 codes, -1 without a value; and the groups' labels, none without a member.
        A range is called by the middle of its values.
    """
    codes = np.full(len(column), -1, np.int64)
    if column.dtype == object:
        present = np.array([word is not None for word in column], bool)
        words, counts = np.unique(column[present].astype(str), return_counts=True)
        kept = words[np.argsort(-counts, kind="stable")]
        labels = sorted(kept.tolist())
        if len(kept) > most:
            labels = [*sorted(kept[: most - 1].tolist()), "others"]
        place = {word: number for number, word in enumerate(labels)}
        codes[present] = [
            place.get(word, len(labels) - 1) for word in column[present].astype(str)
        ]
        return codes, tuple(labels)
    values = column.astype(np.float64)
    present = np.isfinite(values)
    kinds = np.unique(values[present])
    if len(kinds) <= most:
        codes[present] = np.searchsorted(kinds, values[present])
        return codes, tuple(short_value(float(kind), 5) for kind in kinds)
    is_log = is_logarithmic(values)
    low, high = (np.log(kinds) if is_log else kinds)[[0, -1]]
    edges = np.linspace(low, high, most + 1)
    moved = np.log(values[present]) if is_log else values[present]
    found = np.clip(np.searchsorted(edges, moved, "right") - 1, 0, most - 1)
    used = np.unique(found)
    codes[present] = np.searchsorted(used, found)
    middles = (edges[:-1] + edges[1:]) / 2
    middles = np.exp(middles) if is_log else middles
    return codes, tuple("≈" + short_value(float(middles[code]), 2) for code in used)


def grouped_lines(
    curves: Mapping[str, RunCurve], ranked: Sequence[str], column: NDArray[Any] | None
) -> tuple[GroupLine, ...]:
    """Median and quartiles of the curves of each group.

    Args:
        curves: The curves, on common buckets.
        ranked: Ids of the runs.
        column: What groups them, in the same order; None makes one group of all.
    """
    labels: tuple[str, ...]
    if column is None:
        codes, labels = np.zeros(len(ranked), np.int64), ("",)
    else:
        codes, labels = binned(column)
    lines = []
    grid = _grid(curves)
    for code, label in enumerate(labels):
        members = [run for run, of in zip(ranked, codes, strict=True) if of == code]
        found = [_on_grid(curves[run], grid) for run in members if run in curves]
        if found:
            lines.append(_line(label, grid[1], np.stack(found)))
    return tuple(lines)


def _grid(
    curves: Mapping[str, RunCurve],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The buckets in which any run has a point, and their x."""
    if not curves:
        return np.empty(0, np.int64), np.empty(0)
    buckets = np.concatenate([curve.bucket for curve in curves.values()])
    x = np.concatenate([curve.x for curve in curves.values()])
    kinds, first = np.unique(buckets, return_index=True)
    return kinds, x[first].astype(np.float64)


def _on_grid(
    curve: RunCurve, grid: tuple[NDArray[np.int64], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The curve's means at every x of the grid from its first to its last finite one."""
    known = np.isfinite(curve.mean)
    if not known.any():
        return np.full(len(grid[1]), np.nan)
    return np.interp(grid[1], curve.x[known], curve.mean[known], np.nan, np.nan)


def _line(label: str, x: NDArray[np.float64], values: NDArray[np.float64]) -> GroupLine:
    filled = np.isfinite(values).any(axis=0)
    low, middle, high = (np.full(len(x), np.nan) for _ in range(3))
    if filled.any():
        quartiles = np.nanpercentile(values[:, filled], (25, 50, 75), axis=0)
        low[filled], middle[filled], high[filled] = quartiles
    step = max(1, -(-len(values) // MOST_THIN))
    return GroupLine(label, x, middle, low, high, values[::step], len(values))
