"""A parameter against what came of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from ._comparing import (
    counted,
    draw_nothing,
    draw_xlabel,
    finish,
    going_note,
    new_axes,
    noted,
    set_scales,
    styled,
    theme_of,
)
from ._scale import Scale, linear_scale, log_scale
from ._sequential import best_first
from ._style import own_style
from ._sweep_points import Floats, Parameter, bins_of, parameter, run_values
from ._theme import Theme

if TYPE_CHECKING:
    from stepwell.store import Runs, Store

SIZE = (5.0, 4.0)


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A point a run.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        note: What is shown, in words.
        parameter: The x axis.
        value: float64, the metric, as many as the parameter's positions.
        middle_x: float64, ascending: where the bins of the parameter are.
        middle: float64, the median of each bin.
        best: Place of the best run; None where there is none.
    """

    metric: str
    goal: str
    note: str
    parameter: Parameter
    value: Floats
    middle_x: Floats
    middle: Floats
    best: int | None


def prepare_slice(  # noqa: PLR0913 (an option an argument)
    store: "Store",
    metric: str,
    param: str,
    *,
    goal: str | None = None,
    at: str | int = "best",
    runs: "Runs" = None,
) -> Slice:
    """What `plot_slice` draws."""
    found = run_values(store, metric, goal, at, runs)
    axis = parameter(found, param)
    bins, places = bins_of(axis)
    middle = [float(np.median(found.value[bins == one])) for one in range(len(places))]
    known = int(np.isfinite(axis.x).sum())
    without = len(found.value) - known
    note = noted(
        counted(known, "run"),
        "line: median",
        f"{without:,} without {param}" if without else "",
        going_note(found.status),
    )
    return Slice(
        metric,
        found.goal,
        note,
        axis,
        found.value,
        np.array(places, np.float64),
        np.array(middle, np.float64),
        found.best,
    )


def plot_slice(  # noqa: PLR0913 (an option an argument)
    store: "Store",
    metric: str,
    param: str,
    *,
    goal: str | None = None,
    at: str | int = "best",
    runs: "Runs" = None,
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw each run's value against one configuration key, and the medians.

    The axis is logarithmic where the key spans more than a decade and a half.

    Args:
        store: Where the runs are.
        metric: The metric's name.
        param: The configuration key.
        goal: `min` or `max`; by default as the metric's name tells.
        at: `best`, `last`, or a step.
        runs: Which runs; all of them when absent.
        ax: Where to draw; a figure of its own when absent.
        theme: "light" or "dark".

    Raises:
        MetricNotFoundError: There are runs, and none has the metric.
        ConfigurationError: An option is wrong, or no run has the key.
    """
    look = theme_of(theme)
    value = prepare_slice(store, metric, param, goal=goal, at=at, runs=runs)
    return draw_slice(value, ax or new_axes(*SIZE, look), look)


def draw_slice(value: Slice, ax: Axes, theme: Theme) -> Axes:
    """Draw what `prepare_slice` made."""
    with own_style():
        styled(ax, theme)
        axis = value.parameter
        if not np.isfinite(axis.x).any():
            text = f"no run with {value.metric} and {axis.key}"
            return draw_nothing(ax, axis.key, text, theme)
        low, high = float(value.value.min()), float(value.value.max())
        set_scales(ax, _across(axis), linear_scale(low, high))
        if axis.names:
            ax.set_xlim(-0.5, len(axis.names) - 0.5)
            ax.set_xticks(range(len(axis.names)), axis.names)
        span = high - low or 1.0
        share = (value.value - low) / span
        share = share if value.goal == "min" else 1 - share
        ax.scatter(
            axis.x,
            value.value,
            s=24 if len(value.value) <= 100 else 12,  # noqa: PLR2004
            c=best_first(theme)(0.85 * share),
            linewidths=0.4,
            edgecolors=theme.background,
            zorder=2,
        )
        if len(value.middle_x) > 1 and not axis.names:
            ax.plot(value.middle_x, value.middle, color=theme.text, lw=1.3, zorder=3)
        ax.scatter(value.middle_x, value.middle, s=14, color=theme.text, zorder=3)
        if value.best is not None and np.isfinite(axis.x[value.best]):
            ax.scatter(
                axis.x[[value.best]],
                value.value[[value.best]],
                s=110,
                facecolors="none",
                edgecolors=theme.palette[1],
                linewidths=1.8,
                zorder=4,
                label="best",
            )
        draw_xlabel(ax, axis.key + (" (logarithmic)" if axis.is_log else ""), theme)
        return finish(ax, f"{value.metric} by {axis.key}", value.note, theme)


def _across(axis: Parameter) -> Scale | None:
    if axis.names:
        return None
    known = axis.x[np.isfinite(axis.x)]
    low, high = float(known.min()), float(known.max())
    if axis.is_log:
        return log_scale(low / 1.15, high * 1.15)
    if low == high:
        return linear_scale(low - 0.5, high + 0.5)
    margin = 0.06 * (high - low)
    return linear_scale(low - margin, high + margin, padded=False)
