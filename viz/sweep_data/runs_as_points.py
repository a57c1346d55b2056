"""The runs of a sweep as points: what a parameter was, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepwell.store import ConfigurationError
from stepwell.viz.base.axis import bounded
from stepwell.viz.base.numbers import short_value

from .param_axis import is_logarithmic, short_keys

if TYPE_CHECKING:
    from stepwell.store import Importance, Leaderboard, SweepData, SweepTable

Floats = NDArray[np.float64]
_LAST = "seed"


@dataclass(frozen=True, slots=True, eq=False)
class RunValues:
    """What came of each run, the oldest first; only runs with a finite value.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        board: The runs by rank.
        table: The sweep, all its runs.
        rows: int64, the rows of *table* that have a value.
        value: float64, as many values, as far as an axis can show them.
    """

    metric: str
    goal: str
    board: "Leaderboard"
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


def run_values(sweep: "SweepData") -> RunValues:
    """The runs of a sweep that have a finite value."""
    board, table = sweep.leaderboard, sweep.table
    value = table.values[board.metric]
    rows = np.flatnonzero(np.isfinite(value)).astype(np.int64)
    return RunValues(board.metric, board.goal, board, table, rows, bounded(value[rows]))


def keys_by_importance(importance: "Importance") -> list[str]:
    """The keys that vary, those that explain most first; a seed is last."""
    keys = map(str, importance.key)
    # A seed explains by chance, and is nothing that a person would choose.
    return sorted(keys, key=lambda key: key.rpartition(".")[2] == _LAST)


def column_of(table: "SweepTable", key: str) -> NDArray[Any]:
    """What each run has for a key that varies or not: float64, or objects with None.

    Raises:
        ConfigurationError: No run has the key.
    """
    if key in table.params:
        return table.params[key]
    if key in table.constants:
        text = table.constants[key]
        number = _number(text)
        if number is not None:
            return np.full(len(table), number)
        return np.array([text] * len(table), object)
    if not len(table):
        return np.zeros(0)
    known = ", ".join([*table.params, *table.constants][:12]) or "none"
    raise ConfigurationError(
        f"no run has the configuration key {key!r}; there are: {known}"
    )


def varying_keys(table: "SweepTable", params: str | Sequence[str] | None) -> list[str]:
    """The keys that vary; those of *params* where these are given.

    Raises:
        ConfigurationError: No run has one of *params*.
    """
    if params is None:
        return list(table.params)
    keys = [params] if isinstance(params, str) else list(dict.fromkeys(params))
    for key in keys:
        column_of(table, key)
    return [key for key in keys if key in table.params]


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A configuration key as an axis.

    Attributes:
        name: The key, without sections that are not needed to tell it from others.
        x: float64, a position for each run; NaN for runs without it.
        is_log: Whether the axis is logarithmic.
        names: Texts of the positions 0, 1, 2… where the values are no numbers.
    """

    name: str
    x: Floats
    is_log: bool
    names: tuple[str, ...] = ()


def parameter(values: RunValues, key: str) -> Parameter:
    """The key as an axis, logarithmic where its values are told apart by their ratios.

    Raises:
        ConfigurationError: No run has the key.
    """
    column = column_of(values.table, key)
    return axis_of(column[values.rows], name_of_key(values.table, key))


def name_of_key(table: "SweepTable", key: str) -> str:
    """The key without sections that are not needed to tell it from those that vary."""
    return short_keys([*dict.fromkeys([*table.params, key])])[key]


def axis_of(column: NDArray[Any], name: str) -> Parameter:
    """A column of numbers or words as an axis."""
    if column.dtype == np.float64:
        x = bounded(np.where(np.isfinite(column), column, np.nan))
        return Parameter(name, x, is_logarithmic(x))
    names = tuple(sorted({str(cell) for cell in column if cell is not None}))
    places = {name: float(place) for place, name in enumerate(names)}
    x = np.array([np.nan if c is None else places[str(c)] for c in column], np.float64)
    return Parameter(name, x, False, names)


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
    # Equal quantiles, where a value is frequent, would make bins that stay empty.
    edges = np.unique(np.quantile(axis.x[known], np.linspace(0, 1, most + 1)[1:-1]))
    found[known] = np.searchsorted(edges, axis.x[known], side="right")
    # Bins are counted without those that got no run.
    used = np.unique(found[known])
    found[known] = np.searchsorted(used, found[known])
    centres = (float(np.median(axis.x[found == one])) for one in range(len(used)))
    return found, tuple(centres)


def bin_names(axis: Parameter, places: tuple[float, ...]) -> tuple[str, ...]:
    """What the bins at *places* are called: by their one value, or a rounded middle."""
    if axis.names:
        return tuple(axis.names[int(place)] for place in places)
    distinct = len(np.unique(axis.x[np.isfinite(axis.x)]))
    if distinct > len(places):
        return tuple(short_value(place, 2) for place in places)
    return tuple(kind_text(place) for place in places)


def kind_text(number: float) -> str:
    """A value that a parameter takes: 1024 whole, but 0.00428."""
    return short_value(number, 5 if number.is_integer() else 3)


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
