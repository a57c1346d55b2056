"""The best runs as a table: value, distance to the best, what varies, status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.store import ConfigurationError, shown
from stepwell.viz.base.numbers import duration, short_value
from stepwell.viz.sweep_data.param_axis import short_keys
from stepwell.viz.sweep_data.runs_as_points import varying_keys

from .parallel_data import shades

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stepwell.store import SweepData


_FEW = 12
_SHORT = 9.95  # seconds below which a tenth counts


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One run.

    Attributes:
        rank: From 1; equal values have an equal rank.
        run: Its name.
        value: Its value as text.
        bar: Length of its bar: 1.0 for the best run, 0.0 for the worst twentieth.
        delta: Its distance to the best as text; a dash for the best.
        params: Its values of the keys, a dash where it has none.
        step: The step of the value.
        time: How long it went, or has been going.
        status: Its status.
    """

    rank: int
    run: str
    value: str
    bar: float
    delta: str
    params: tuple[str, ...]
    step: str
    time: str
    status: str


@dataclass(frozen=True, slots=True)
class Board:
    """The table.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        at: `best`, `last` or a step.
        keys: Short names of the configuration keys that have a column.
        rows: The rows, the best first.
        total: Runs with a value.
        without: Selected runs that have none.
        going: Runs among the total that still go on.
    """

    metric: str
    goal: str
    at: str | int
    keys: tuple[str, ...]
    rows: tuple[BoardRow, ...]
    total: int
    without: int
    going: int


def prepare_leaderboard(
    sweep: SweepData, *, limit: int = 10, params: Sequence[str] | None = None
) -> Board:
    """See `plot_leaderboard`."""
    if type(limit) is not int or limit < 1:
        raise ConfigurationError(
            f"limit must be a whole number from 1 on, not {shown(limit)}"
        )
    ranked, table = sweep.leaderboard, sweep.table
    row_of = {run_id: row for row, run_id in enumerate(table.run_id.tolist())}
    keys = varying_keys(table, params)
    names = short_keys(keys)
    drawn = ranked.value[:limit]
    bars = shades(ranked.value, ranked.goal)
    values = distinct_texts(drawn)
    digits = {key: _digits(table.params[key]) for key in keys}
    rows = []
    for place in range(len(drawn)):
        at_row = row_of[ranked.run_id[place]]
        cells = tuple(cell_text(table.param(key, at_row), digits[key]) for key in keys)
        rows.append(
            BoardRow(
                # As in sports: two equal runs are second, and the next one is fourth.
                rank=int(np.sum(_is_better(ranked.value, drawn[place], ranked.goal))) + 1,
                run=str(ranked.run[place]),
                value=values[place],
                bar=float(bars[place]),
                delta=_delta(float(drawn[place]), float(drawn[0])),
                params=cells,
                step=f"{float(ranked.step[place]):,.0f}",
                time=_time(float(table.seconds[at_row])),
                status=str(ranked.status[place]),
            )
        )
    return Board(
        metric=ranked.metric,
        goal=ranked.goal,
        at=ranked.at,
        keys=tuple(names[key] for key in keys),
        rows=tuple(rows),
        total=len(ranked.value),
        without=ranked.runs_without,
        going=int(np.sum(ranked.status == "running")),
    )


def cell_text(value: object, digits: int) -> str:
    """A parameter's value; a dash where there is none."""
    if value is None:
        return "–"
    return short_value(float(value), digits) if isinstance(value, float) else str(value)


def _digits(column: NDArray[Any]) -> int:
    """Digits for a column: few where its values were drawn rather than chosen."""
    return 5 if column.dtype == object or len(np.unique(column)) <= _FEW else 3


def distinct_texts(values: NDArray[np.float64]) -> list[str]:
    """*values* as texts, with as many digits as tell those apart that differ."""
    different = len(np.unique(values))
    texts: list[str] = []
    for digits in range(4, 9):
        texts = [short_value(float(value), digits) for value in values]
        if len(set(texts)) >= different:
            break
    return texts


def _is_better(values: NDArray[np.float64], than: float, goal: str) -> NDArray[np.bool_]:
    return values < than if goal == "min" else values > than


def _time(seconds: float) -> str:
    if np.isnan(seconds):
        return "–"
    return f"{seconds:.1f}s" if seconds < _SHORT else duration(seconds)


def _delta(value: float, best: float) -> str:
    difference = value - best
    if difference == 0:
        return "–"
    sign = "+" if difference > 0 else ""
    return sign + short_value(difference, 3)
