"""Two parameters and what came of them, as a map."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from stepwell.viz.base.numbers import short_value
from stepwell.viz.base.theme import Theme
from stepwell.viz.drawing.contrast import contrast
from stepwell.viz.drawing.free_space import inches
from stepwell.viz.drawing.plot_axes import (
    TICK_SIZE,
    draw_empty,
    draw_names,
    finish,
    new_axes,
    styled,
    theme_of,
)
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.drawing.text import clean, fitted, text_width
from stepwell.viz.drawing.value_shades import shade_map
from stepwell.viz.sweep_data.notes import counted, going_note, noted
from stepwell.viz.sweep_data.runs_as_points import (
    Floats,
    RunValues,
    bin_names,
    bins_of,
    parameter,
    run_values,
)

from .parallel_data import shades

if TYPE_CHECKING:
    from stepwell.store import Runs, Store, SweepData

SIZE = (6.0, 4.4)
_WIDEST_ROW = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """A cell a pair of values, or of bins of values.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        note: What is shown, in words.
        keys: Short names of the two configuration keys, along x and y.
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


def prepare_contour(found: RunValues, x: str, y: str, most: int = 8) -> Contour:
    """The runs' values by two configuration keys, each in *most* bins or fewer.

    Raises:
        ConfigurationError: No run has a key.
    """
    across, up = parameter(found, x), parameter(found, y)
    (column, columns), (row, rows) = bins_of(across, most), bins_of(up, most)
    middle = np.full((len(rows), len(columns)), np.nan)
    count = np.zeros(middle.shape, np.int64)
    for cell in np.ndindex(*middle.shape):
        inside = (row == cell[0]) & (column == cell[1])
        count[cell] = inside.sum()
        if count[cell]:
            middle[cell] = np.median(found.value[inside])
    note = noted(
        f"{found.metric}, {_told(count)}",
        found.direction,
        counted(int(count.sum()), "run"),
        going_note(found.status),
    )
    return Contour(
        found.metric,
        found.goal,
        note,
        (across.name, up.name),
        bin_names(across, columns),
        bin_names(up, rows),
        middle,
        count,
    )


def _told(count: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> str:
    """What the cells with these numbers of runs tell."""
    known = count[count > 0]
    least, most = (int(known.min()), int(known.max())) if len(known) else (1, 1)
    if most == 1:
        return "one run a cell"
    runs = f"{least:,}" if least == most else f"{least:,}\N{EN DASH}{most:,}"
    return f"median of {runs} runs"


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
    sweep = store.sweep(metric, goal, at, runs=runs)
    return plot_contour_of(sweep, x, y, ax=ax, theme=theme)


def plot_contour_of(
    sweep: "SweepData",
    x: str,
    y: str,
    *,
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw what `plot_contour` does of a sweep."""
    look = theme_of(theme)
    value = prepare_contour(run_values(sweep), x, y)
    return draw_contour(value, ax or new_axes(SIZE, look), look)


def draw_contour(value: Contour, ax: Axes, theme: Theme, *, is_small: bool = False) -> Axes:
    """Draw what `prepare_contour` made; a small one says no more than it must."""
    with own_style():
        styled(ax, theme)
        ax.grid(visible=False)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(length=0)
        title = " × ".join(value.keys)
        known = np.isfinite(value.middle)
        if not known.any():
            draw_empty(ax, f"no run with {value.metric}", theme)
            return finish(ax, title, "", theme)
        ax.set_xlim(-0.5, len(value.columns) - 0.5)
        ax.set_ylim(-0.5, len(value.rows) - 0.5)
        share = np.full(value.middle.shape, np.nan)
        share[known] = shades(value.middle[known], value.goal)
        if is_small:
            draw_names(ax, theme, _told(value.count))
        else:
            draw_names(ax, theme, *value.keys)
        _name_ticks(value, ax)
        finish(ax, title, "" if is_small else value.note, theme)
        for cell in np.ndindex(*value.middle.shape):
            _draw_cell(value, ax, cell, float(share[cell]), theme)
        return ax


def _draw_cell(
    value: Contour, ax: Axes, cell: tuple[int, ...], share: float, theme: Theme
) -> None:
    row, column = cell
    middle = float(value.middle[cell])
    is_empty = bool(np.isnan(middle))
    color = theme.empty if is_empty else to_hex(shade_map(theme)(share))
    place = (column - 0.47, row - 0.46)
    ax.add_patch(Rectangle(place, 0.94, 0.92, facecolor=color, edgecolor="none"))
    ink = theme.muted
    if not is_empty:
        ink = max(("#ffffff", "#1b1f2a"), key=lambda one: contrast(one, color))
    text = "–" if is_empty else short_value(middle, 3)
    wide, high = inches(ax)
    if text_width(text, TICK_SIZE) > 0.92 * wide / len(value.columns):
        return
    if 0.9 * high / len(value.rows) < TICK_SIZE / 72.0:
        return
    ax.text(column, row, text, ha="center", va="center", fontsize=TICK_SIZE, color=ink)


def _name_ticks(value: Contour, ax: Axes) -> None:
    """The names of columns and rows, smaller or fewer where there is little room."""
    wide, high = inches(ax)
    names = [clean(name) for name in value.columns]
    room = 0.95 * wide / len(names)
    widest = max(text_width(name, 1.0) for name in names)
    size = TICK_SIZE * float(np.clip(room / (widest * TICK_SIZE), 0.8, 1.0))
    every = max(1, -(-int(100 * widest * size) // max(1, int(100 * room))))
    room *= every
    shown = [fitted(name, size, room) for name in names[::every]]
    ax.set_xticks(range(0, len(names), every), shown, fontsize=size)
    every = max(1, -(-len(value.rows) // max(1, int(high * 72.0 / (1.3 * TICK_SIZE)))))
    rows = [fitted(name, TICK_SIZE, _WIDEST_ROW) for name in value.rows[::every]]
    ax.set_yticks(range(0, len(value.rows), every), rows)
