"""Runs as lines across one axis a configuration key, and what came of them at the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.viz.base.axis import bounded
from stepwell.viz.base.numbers import short_value
from stepwell.viz.drawing.value_shades import shade_ends
from stepwell.viz.sweep_data.param_axis import (
    ParamScale,
    is_logarithmic,
    scaled,
    short_keys,
)
from stepwell.viz.sweep_data.runs_as_points import varying_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stepwell.store import SweepData

MOST_LINES = 400
_MOST_KEYS = 8
_BEST_SHARE = 4


@dataclass(frozen=True, slots=True, eq=False)
class ParallelAxis:
    """One upright axis.

    Attributes:
        name: What stands above it.
        scale: Its labels and their positions.
    """

    name: str
    scale: ParamScale


@dataclass(frozen=True, slots=True, eq=False)
class Parallel:
    """What a plot of parallel coordinates shows: n runs, the best first, and k axes.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        axes: The axes; the last is the metric's, with the better values up.
        runs: The runs' names.
        values: float64, n finite values of the metric.
        shades: float64, n shares from 0.0, bad, to 1.0, the best.
        ends: The values of the worst and the best shade.
        places: float64 of shape (n, k): 0.0 to 1.0, NaN where a run lacks the key.
        total: Runs with a value; more than n where only some are drawn.
        without: Selected runs that have no finite value.
        going: Runs among the total that still go on.
        keys_left_out: Keys that vary and have no axis.
    """

    metric: str
    goal: str
    axes: tuple[ParallelAxis, ...]
    runs: tuple[str, ...]
    values: NDArray[np.float64]
    shades: NDArray[np.float64]
    ends: tuple[float, float]
    places: NDArray[np.float64]
    total: int
    without: int
    going: int
    keys_left_out: tuple[str, ...] = ()


def prepare_parallel_coordinate(
    sweep: SweepData, *, params: Sequence[str] | None = None
) -> Parallel:
    """See `plot_parallel_coordinate`."""
    board, table = sweep.leaderboard, sweep.table
    row_of = {run_id: row for row, run_id in enumerate(table.run_id.tolist())}
    rows = np.array([row_of[run_id] for run_id in board.run_id], dtype=np.int64)
    values = board.value
    drawn = _drawn(len(values))
    keys = varying_keys(table, params)
    shown, left_out = keys[:_MOST_KEYS], keys[_MOST_KEYS:]
    axes, places = [], []
    names = short_keys(shown)
    for key in shown:
        scale, positions = scaled(table.params[key][rows])
        axes.append(ParallelAxis(names[key], scale))
        places.append(positions[drawn])
    scale, positions = metric_axis(values, board.goal)
    axes.append(ParallelAxis(board.metric, scale))
    places.append(positions[drawn])
    return Parallel(
        metric=board.metric,
        goal=board.goal,
        axes=tuple(axes),
        runs=tuple(board.run[drawn].tolist()),
        values=values[drawn],
        shades=shades(values, board.goal)[drawn],
        ends=shade_ends(values, board.goal),
        places=np.stack(places, axis=1),
        total=len(values),
        without=board.runs_without,
        going=int(np.sum(board.status == "running")),
        keys_left_out=tuple(left_out),
    )


def _drawn(count: int) -> NDArray[np.int64]:
    """Which ranks get a line: all, or the best and every so many of the others."""
    if count <= MOST_LINES:
        return np.arange(count)
    best = MOST_LINES // _BEST_SHARE
    # The last rank is among them: the worst run is always drawn.
    others = np.linspace(best, count - 1, MOST_LINES - best)
    return np.concatenate([np.arange(best), others.round().astype(np.int64)])


def shades(values: NDArray[np.float64], goal: str) -> NDArray[np.float64]:
    """How good each of finite *values* is among them, 0.0 to 1.0."""
    scale, places = metric_axis(values, goal)
    return places if len(scale.ticks) > 1 else np.ones(len(places))


def metric_axis(
    values: NDArray[np.float64], goal: str
) -> tuple[ParamScale, NDArray[np.float64]]:
    """Positions with the best at 1.0; all that are worse than the worst shade at 0.0."""
    values = bounded(values)
    worst, best = shade_ends(values, goal)
    if not len(values):
        return ParamScale("linear", (), (), False), np.empty(0)
    if worst == best:
        label = short_value(best)
        return ParamScale("linear", (0.5,), (label,), False), np.full(len(values), 0.5)
    ends = np.array([worst, best])
    is_log = is_logarithmic(ends)
    low, high = (np.log(ends) if is_log else ends).tolist()
    with np.errstate(invalid="ignore", divide="ignore"):
        moved: NDArray[Any] = np.log(values) if is_log else values
    places = np.clip(np.nan_to_num((moved - low) / (high - low)), 0.0, 1.0)
    ticks = (0.0, 1 / 3, 2 / 3, 1.0)
    shown = [low + (high - low) * tick for tick in ticks]
    labels = [
        short_value(float(np.exp(v)) if is_log else v, _digits(worst, best)) for v in shown
    ]
    if np.any(values > worst) if goal == "min" else np.any(values < worst):
        labels[0] = ("≥ " if goal == "min" else "≤ ") + labels[0]
    return ParamScale("log" if is_log else "linear", ticks, tuple(labels), False), places


def _digits(worst: float, best: float) -> int:
    """Significant digits that tell a third of the way from *worst* to *best*."""
    size, step = max(abs(worst), abs(best)), abs(best / 3 - worst / 3)
    return int(np.clip(np.ceil(np.log10(size / step)) + 1 if step else 4, 3, 8))
