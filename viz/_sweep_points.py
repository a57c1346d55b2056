"""The runs of a sweep as points: what a parameter was, and what came of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stepwell.store import ConfigurationError

from ._numbers import short_value

if TYPE_CHECKING:
    from stepwell.store import Runs, Store, SweepTable

Floats = NDArray[np.float64]
_LOG_SPAN = 10**1.5


@dataclass(frozen=True, slots=True, eq=False)
class RunValues:
    """What came of each run, the oldest first; only runs with a finite value.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        table: The sweep, all its runs.
        rows: int64, the rows of *table* that have a value.
        value: float64, as many values.
    """

    metric: str
    goal: str
    table: "SweepTable"
    rows: NDArray[np.int64]
    value: Floats

    @property
    def best(self) -> int | None:
        """Place of the best run, of equal ones the oldest."""
        if not len(self.value):
            return None
        return int(np.argmin(self.value) if self.goal == "min" else np.argmax(self.value))

    @property
    def direction(self) -> str:
        """Which side is better, in words."""
        return "lower is better" if self.goal == "min" else "higher is better"

    @property
    def status(self) -> list[str]:
        """Status of each run that has a value."""
        return [str(self.table.status[row]) for row in self.rows]


def run_values(
    store: "Store", metric: str, goal: str | None, at: str | int, runs: "Runs"
) -> RunValues:
    """The chosen runs that have a finite value of *metric*; errors as `leaderboard`."""
    board = store.leaderboard(metric, goal, at, runs=runs)
    table = store.sweep_table(runs=runs)
    found = dict(zip(board.run_id.tolist(), board.value.tolist(), strict=True))
    rows = [row for row, run in enumerate(table.run_id.tolist()) if run in found]
    value = np.array([found[table.run_id[row]] for row in rows], np.float64)
    return RunValues(metric, board.goal, table, np.array(rows, np.int64), value)


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A configuration key as an axis.

    Attributes:
        key: Its name.
        x: float64, a position for each run; NaN for runs without it.
        is_log: Whether the axis is logarithmic.
        names: Texts of the positions 0, 1, 2… where the values are no numbers.
    """

    key: str
    x: Floats
    is_log: bool
    names: tuple[str, ...] = ()


def parameter(values: RunValues, key: str) -> Parameter:
    """The key as an axis: logarithmic where it spans more than a decade and a half.

    Raises:
        ConfigurationError: No run has the key.
    """
    table, rows = values.table, values.rows
    if key in table.params:
        column = table.params[key][rows]
    elif key in table.constants:
        column = np.array([table.constants[key]] * len(rows), object)
        numbers = [_number(text) for text in column]
        if not any(number is None for number in numbers):
            column = np.array(numbers, np.float64)
    elif not len(table.run_id):
        column = np.zeros(0)
    else:
        known = ", ".join([*table.params, *table.constants][:12]) or "none"
        raise ConfigurationError(
            f"no run has the configuration key {key!r}; there are: {known}"
        )
    if column.dtype == np.float64:
        x = np.where(np.isfinite(column), column, np.nan)
        known_x = x[np.isfinite(x)]
        is_log = bool(
            len(known_x) and known_x.min() > 0 and known_x.max() / known_x.min() > _LOG_SPAN
        )
        return Parameter(key, x, is_log)
    names = tuple(sorted({str(cell) for cell in column if cell is not None}))
    places = {name: float(place) for place, name in enumerate(names)}
    x = np.array([np.nan if c is None else places[str(c)] for c in column], np.float64)
    return Parameter(key, x, False, names)


def bins_of(axis: Parameter, most: int = 8) -> tuple[NDArray[np.int64], tuple[float, ...]]:
    """The bin of each run (-1 for none) and each bin's position.

    Few values are bins by themselves; of many, each bin holds about as many runs.
    """
    known = np.isfinite(axis.x)
    found = np.full(len(axis.x), -1, np.int64)
    distinct = np.unique(axis.x[known])
    if len(distinct) <= (len(distinct) if axis.names else most):
        found[known] = np.searchsorted(distinct, axis.x[known])
        return found, tuple(distinct.tolist())
    edges = np.unique(np.quantile(axis.x[known], np.linspace(0, 1, most + 1)[1:-1]))
    found[known] = np.searchsorted(edges, axis.x[known], side="right")
    used = np.unique(found[known])
    found[known] = np.searchsorted(used, found[known])
    centres = (float(np.median(axis.x[found == one])) for one in range(len(used)))
    return found, tuple(centres)


def name_of(axis: Parameter, position: float) -> str:
    """What a position on the axis is called."""
    return axis.names[int(position)] if axis.names else short_value(position, 3)


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
