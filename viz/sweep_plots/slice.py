"""A parameter against what came of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from stepwell.viz.base.axis import Scale, linear_scale, log_scale
from stepwell.viz.base.theme import Theme
from stepwell.viz.drawing.free_space import inches
from stepwell.viz.drawing.plot_axes import (
    TICK_SIZE,
    draw_empty,
    draw_names,
    finish,
    new_axes,
    set_scales,
    styled,
    theme_of,
)
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.drawing.text import clean, fitted, text_width
from stepwell.viz.drawing.value_shades import shade_map
from stepwell.viz.sweep_data.notes import counted, going_note, noted
from stepwell.viz.sweep_data.param_axis import is_logarithmic
from stepwell.viz.sweep_data.runs_as_points import (
    Floats,
    Parameter,
    RunValues,
    bins_of,
    kind_text,
    parameter,
    run_values,
)
from stepwell.viz.sweep_data.spread_points import side_by_side

from .parallel_data import shades

if TYPE_CHECKING:
    from stepwell.store import Runs, Store, SweepData

SIZE = (5.0, 4.0)
_FEW_KINDS = 8
_MANY_RUNS = 100
_PALEST = 0.15  # a shade that can be told from the ground


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


def prepare_slice(found: RunValues, param: str) -> Slice:
    """The runs' values against one configuration key.

    Raises:
        ConfigurationError: No run has the key.
    """
    axis = parameter(found, param)
    bins, places = bins_of(axis)
    middle = [float(np.median(found.value[bins == one])) for one in range(len(places))]
    counts = np.array([np.sum(bins == one) for one in range(len(places))], np.int64)
    known = int(np.isfinite(axis.x).sum())
    without = len(found.value) - known
    note = noted(
        counted(known, "run"),
        "line: median" if counts.max(initial=0) > 1 else "",
        f"{without:,} without {axis.name}" if without else "",
        going_note(found.status),
    )
    return Slice(
        found.metric,
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

    The axis is logarithmic where the key's values are told apart by their ratios. Runs
    far worse than the others stand at the edge, as triangles.

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
    sweep = store.sweep(metric, goal, at, runs=runs)
    return plot_slice_of(sweep, param, ax=ax, theme=theme)


def plot_slice_of(
    sweep: "SweepData",
    param: str,
    *,
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw what `plot_slice` does of a sweep."""
    look = theme_of(theme)
    value = prepare_slice(run_values(sweep), param)
    return draw_slice(value, ax or new_axes(SIZE, look), look)


def draw_slice(value: Slice, ax: Axes, theme: Theme, *, is_small: bool = False) -> Axes:
    """Draw what `prepare_slice` made; a small one says no more than it must."""
    with own_style():
        styled(ax, theme)
        axis = value.parameter
        title = axis.name if is_small else f"{value.metric} by {axis.name}"
        if not np.isfinite(axis.x).any():
            draw_empty(ax, f"no run with {value.metric} and {axis.name}", theme)
            return finish(ax, title, "", theme)
        up = values_scale(value.value, value.goal)
        set_scales(ax, _across(axis), up)
        if axis.names:
            ax.set_xlim(-0.5, len(axis.names) - 0.5)
        _draw_points(value, ax, up, theme)
        middle = np.clip(value.middle, up.low, up.high)
        line = "-" if len(middle) > 1 and not axis.names else ""
        ax.plot(
            value.middle_x,
            middle,
            marker="o",
            linestyle=line,
            color=theme.text,
            lw=1.3,
            ms=3 if is_small else 4,
            zorder=4,
        )
        if not is_small:
            draw_names(ax, theme, axis.name + (" (logarithmic)" if axis.is_log else ""))
        beyond = int(np.sum((value.value > up.high) | (value.value < up.low)))
        note = noted(value.note, f"{beyond:,} beyond the axis" if beyond else "")
        finish(ax, title, "" if is_small else note, theme)
        _set_ticks(ax, axis)
        return finish(ax, title, "" if is_small else note, theme)


def values_scale(values: Floats, goal: str) -> Scale:
    """An axis on which the good part of finite *values* has most of the room.

    What is far worse than the rest, such as a run that diverged, is beyond its end.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        return linear_scale(low, high)
    if is_logarithmic(np.array([low, high])) and is_logarithmic(
        np.percentile(values, (5.0, 95.0))
    ):
        return log_scale(low, high)
    near = float(np.percentile(values, 75.0 if goal == "min" else 25.0))
    if goal == "min":
        high = min(high, near + 2.0 * (near - low))
    else:
        low = max(low, near - 2.0 * (high - near))
    return linear_scale(low, high) if low < high else linear_scale(low, low + 1.0)


def _draw_points(value: Slice, ax: Axes, up: Scale, theme: Theme) -> None:
    """A point a run, the better ones on top, those beyond the axis at its edge."""
    many = len(value.value) > _MANY_RUNS
    y = np.clip(value.value, up.low, up.high)
    # By pixels, hence after the limits and the place of the axes are set.
    x = _apart(value.parameter.x, y, ax, 4.0 if many else 5.2)
    share = _PALEST + (1 - _PALEST) * shades(value.value, value.goal)
    colors = shade_map(theme)(share)
    # What is drawn last is on top: the best.
    order = np.argsort(value.value if value.goal == "max" else -value.value, kind="stable")
    beyond = {"^": value.value > up.high, "v": value.value < up.low}
    beyond["o"] = ~(beyond["^"] | beyond["v"])
    for marker, part in beyond.items():
        rows = order[part[order]]
        ax.scatter(
            x[rows],
            y[rows],
            s=14 if many else 24,
            c=colors[rows] if marker == "o" else theme.neutral,
            marker=marker,
            linewidths=0.4,
            edgecolors=theme.background,
            zorder=3 if marker == "o" else 2,
            clip_on=marker == "o",
        )
    if value.best is not None and np.isfinite(x[value.best]):
        ax.scatter(
            x[[value.best]],
            y[[value.best]],
            s=90,
            facecolors="none",
            edgecolors=theme.palette[1],
            linewidths=1.8,
            zorder=5,
            label="best",
            clip_on=False,
        )


def _apart(x: Floats, y: Floats, ax: Axes, size: float) -> Floats:
    """*x*, where points of *size* would hide each other moved to the side."""
    known = np.isfinite(x)
    places = ax.transData.transform(np.column_stack([x[known], y[known]]))
    box = ax.get_window_extent()
    pixels = size / 72.0 * float(box.width) / inches(ax)[0]
    kinds = np.unique(places[:, 0])
    between = 0.35 * float(np.diff(kinds).min(initial=box.width))
    most = min(between, kinds[0] - box.x0 - pixels / 2, box.x1 - kinds[-1] - pixels / 2)
    places[:, 0] += side_by_side(places[:, 0], places[:, 1], pixels, max(0.0, most))
    moved = x.copy()
    moved[known] = ax.transData.inverted().transform(places)[:, 0]
    return moved


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


def _set_ticks(ax: Axes, axis: Parameter) -> None:
    """A label for each value where they are few and fit, else as many as fit."""
    kinds = np.unique(axis.x[np.isfinite(axis.x)]).tolist()
    if axis.names:
        labels = [clean(name) for name in axis.names]
    elif len(kinds) <= _FEW_KINDS:
        labels = [kind_text(kind) for kind in kinds]
    else:
        kinds = [float(tick) for tick in ax.get_xticks()]
        labels = [label.get_text() for label in ax.get_xticklabels()]
    room, every = inches(ax)[0], 1
    while every < len(kinds):
        if sum(text_width(text, TICK_SIZE) + 0.12 for text in labels[::every]) <= room:
            break
        every += 1
    shown = [fitted(text, TICK_SIZE, room) for text in labels[::every]]
    ax.set_xticks(kinds[::every], shown)
