"""The best value so far, run after run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from stepwell.viz.base.axis import linear_scale
from stepwell.viz.base.numbers import short_value
from stepwell.viz.base.theme import Theme
from stepwell.viz.drawing.end_labels import EndLabel, draw_end_labels
from stepwell.viz.drawing.plot_axes import (
    draw_empty,
    draw_names,
    finish,
    new_axes,
    set_scales,
    styled,
    theme_of,
)
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.sweep_data.notes import counted, going_note, noted
from stepwell.viz.sweep_data.runs_as_points import Floats, RunValues, run_values

if TYPE_CHECKING:
    from stepwell.store import Runs, Store, SweepData

SIZE = (7.0, 4.0)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The runs in order of their start.

    Attributes:
        metric: The metric's name.
        note: What is shown, in words.
        number: float64, which run of the selection each is, from 1.
        value: float64, its value.
        best: float64, the best value up to it.
        best_name: Name of the best run.
    """

    metric: str
    note: str
    number: Floats
    value: Floats
    best: Floats
    best_name: str


def prepare_optimization_history(found: RunValues) -> History:
    """What `plot_optimization_history` draws."""
    so_far = np.minimum if found.goal == "min" else np.maximum
    note = noted(
        counted(len(found.value), "run"), going_note(found.status), found.direction
    )
    number = (found.rows + 1).astype(np.float64)
    best = so_far.accumulate(found.value)
    place = found.best
    name = "" if place is None else str(found.table.run[found.rows[place]])
    return History(found.metric, note, number, found.value, best, name)


def plot_optimization_history(  # noqa: PLR0913 (an option an argument)
    store: "Store",
    metric: str,
    *,
    goal: str | None = None,
    at: str | int = "best",
    runs: "Runs" = None,
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw each run's value in order of its start, and the best value so far.

    Args:
        store: Where the runs are.
        metric: The metric's name.
        goal: `min` or `max`; by default as the metric's name tells.
        at: `best`, `last`, or a step.
        runs: Which runs; all of them when absent.
        ax: Where to draw; a figure of its own when absent.
        theme: "light" or "dark".

    Raises:
        MetricNotFoundError: There are runs, and none has the metric.
        ConfigurationError: An option is wrong.
    """
    sweep = store.sweep(metric, goal, at, runs=runs)
    return plot_optimization_history_of(sweep, ax=ax, theme=theme)


def plot_optimization_history_of(
    sweep: "SweepData", *, ax: Axes | None = None, theme: "str | Theme" = "light"
) -> Axes:
    """Draw what `plot_optimization_history` does of a sweep."""
    look = theme_of(theme)
    value = prepare_optimization_history(run_values(sweep))
    return draw_optimization_history(value, ax or new_axes(SIZE, look), look)


def draw_optimization_history(value: History, ax: Axes, theme: Theme) -> Axes:
    """Draw what `prepare_optimization_history` made."""
    with own_style():
        styled(ax, theme)
        title = f"{value.metric}, best so far"
        if not len(value.value):
            draw_empty(ax, f"no run with {value.metric}", theme)
            return finish(ax, title, "", theme)
        last = float(value.number[-1])
        up = linear_scale(*_extent(value))
        set_scales(ax, None, up)
        ax.set_xlim(0.5, last + 0.5)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        size = 26.0 if len(value.value) <= 60 else 10.0  # noqa: PLR2004
        ax.scatter(
            value.number, value.value, s=size, color=theme.neutral, linewidths=0, zorder=2
        )
        beyond = _draw_beyond(value, ax, (up.low, up.high), theme)
        color = theme.palette[0]
        x = np.append(value.number, last + 0.5)
        y = np.append(value.best, value.best[-1])
        ax.step(x, y, where="post", color=color, linewidth=2.0, zorder=3)
        better = np.flatnonzero(np.diff(value.best, prepend=np.nan) != 0)
        ax.scatter(
            value.number[better],
            value.best[better],
            s=30,
            color=color,
            linewidths=0,
            zorder=4,
        )
        draw_names(ax, theme, "run, in order of start")
        end = float(value.best[-1])
        label = EndLabel(value.best_name, f": {short_value(end)}", end, color)
        draw_end_labels(ax, [label], theme)
        note = noted(value.note, f"{beyond:,} beyond the axis" if beyond else "")
        return finish(ax, title, note, theme)


def _draw_beyond(
    value: History, ax: Axes, limits: tuple[float, float], theme: Theme
) -> int:
    """Mark the runs beyond the axis at its edge; how many they are."""
    low, high = limits
    count = 0
    for marker, part, edge in (
        ("^", value.value > high, high),
        ("v", value.value < low, low),
    ):
        if part.any():
            ax.scatter(
                value.number[part],
                np.full(part.sum(), edge),
                s=14,
                color=theme.neutral,
                marker=marker,
                linewidths=0,
                zorder=2,
                clip_on=False,
            )
            count += int(part.sum())
    return count


def _extent(history: History) -> tuple[float, float]:
    """Least and greatest, without values so far away that they hide the others."""
    value, end = history.value, float(history.best[-1])
    low, high = float(value.min()), float(value.max())
    first, third = (float(part) for part in np.quantile(value, (0.1, 0.9)))
    reach = 3 * (third - first)
    if reach > 0:
        low, high = max(low, first - reach), min(high, third + reach)
    return min(low, end), max(high, end)
