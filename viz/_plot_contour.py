"""Two parameters and what came of them, as a map."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from ._comparing import (
    counted,
    draw_nothing,
    draw_xlabel,
    finish,
    going_note,
    new_axes,
    noted,
    styled,
    theme_of,
    width_of,
)
from ._contrast import contrast
from ._numbers import short_value
from ._sequential import best_first
from ._style import own_style
from ._sweep_points import Floats, bins_of, name_of, parameter, run_values
from ._theme import Theme

if TYPE_CHECKING:
    from stepwell.store import Runs, Store

SIZE = (6.0, 4.4)
_LEAST_CELL = 0.36
_MOST_NAMES = 24


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """A cell a pair of values, or of bins of values.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        note: What is shown, in words.
        keys: The two configuration keys, along x and y.
        columns: Names of the columns.
        rows: Names of the rows, from below.
        middle: float64, rows x columns: the median; NaN where no run is.
        count: int64, rows x columns: how many runs.
    """

    metric: str
    goal: str
    note: str
    keys: tuple[str, str]
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    middle: Floats
    count: np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def prepare_contour(  # noqa: PLR0913 (an option an argument)
    store: "Store",
    metric: str,
    x: str,
    y: str,
    *,
    goal: str | None = None,
    at: str | int = "best",
    runs: "Runs" = None,
) -> Contour:
    """What `plot_contour` draws."""
    found = run_values(store, metric, goal, at, runs)
    across, up = parameter(found, x), parameter(found, y)
    (column, columns), (row, rows) = bins_of(across), bins_of(up)
    middle = np.full((len(rows), len(columns)), np.nan)
    count = np.zeros(middle.shape, np.int64)
    for cell in np.ndindex(*middle.shape):
        inside = (row == cell[0]) & (column == cell[1])
        count[cell] = inside.sum()
        if count[cell]:
            middle[cell] = np.median(found.value[inside])
    note = noted(
        counted(int(count.sum()), "run"),
        f"median {metric}",
        found.direction,
        going_note(found.status),
    )
    return Contour(
        metric,
        found.goal,
        note,
        (x, y),
        tuple(name_of(across, place) for place in columns),
        tuple(name_of(up, place) for place in rows),
        middle,
        count,
    )


def plot_contour(  # noqa: PLR0913 (an option an argument)
    store: "Store",
    metric: str,
    x: str,
    y: str,
    *,
    goal: str | None = None,
    at: str | int = "best",
    runs: "Runs" = None,
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw the median over two configuration keys as a map; the darkest is the best.

    Args:
        store: Where the runs are.
        metric: The metric's name.
        x: The configuration key along x.
        y: The configuration key along y.
        goal: `min` or `max`; by default as the metric's name tells.
        at: `best`, `last`, or a step.
        runs: Which runs; all of them when absent.
        ax: Where to draw; a figure of its own when absent.
        theme: "light" or "dark".

    Raises:
        MetricNotFoundError: There are runs, and none has the metric.
        ConfigurationError: An option is wrong, or no run has a key.
    """
    look = theme_of(theme)
    value = prepare_contour(store, metric, x, y, goal=goal, at=at, runs=runs)
    return draw_contour(value, ax or new_axes(*SIZE, look), look)


def draw_contour(value: Contour, ax: Axes, theme: Theme) -> Axes:
    """Draw what `prepare_contour` made."""
    with own_style():
        styled(ax, theme)
        ax.grid(visible=False)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(length=0)
        title = " × ".join(value.keys)
        known = value.middle[np.isfinite(value.middle)]
        if not len(known):
            return draw_nothing(ax, title, f"no run with {value.metric}", theme)
        low, high = float(known.min()), float(known.max())
        ax.set_xlim(-0.5, len(value.columns) - 0.5)
        ax.set_ylim(-0.5, len(value.rows) - 0.5)
        for cell in np.ndindex(*value.middle.shape):
            share = (float(value.middle[cell]) - low) / ((high - low) or 1.0)
            _draw_cell(value, ax, cell, share if value.goal == "min" else 1 - share, theme)
        _name_ticks(value, ax)
        draw_xlabel(ax, value.keys[0], theme)
        ax.set_ylabel(value.keys[1], color=theme.muted, fontsize=8.0)
        return finish(ax, title, value.note, theme)


def _draw_cell(
    value: Contour, ax: Axes, cell: tuple[int, ...], share: float, theme: Theme
) -> None:
    row, column = cell
    middle = float(value.middle[cell])
    is_empty = bool(np.isnan(middle))
    color = theme.empty if is_empty else to_hex(best_first(theme)(0.9 * share))
    place = (column - 0.47, row - 0.46)
    ax.add_patch(Rectangle(place, 0.94, 0.92, facecolor=color, edgecolor="none"))
    if width_of(ax) / len(value.columns) < _LEAST_CELL:
        return
    ink = theme.muted
    if not is_empty:
        ink = max(("#ffffff", "#1b1f2a"), key=lambda one: contrast(one, color))
    text = "–" if is_empty else short_value(middle, 3)
    ax.text(column, row, text, ha="center", va="center", fontsize=8.5, color=ink)


def _name_ticks(value: Contour, ax: Axes) -> None:
    for names, set_ticks in ((value.columns, ax.set_xticks), (value.rows, ax.set_yticks)):
        stride = -(-len(names) // _MOST_NAMES)
        set_ticks(range(0, len(names), stride), names[::stride])
