"""The curves of many runs over one x axis."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from stepwell.store import better_side
from stepwell.viz.base.axis import Scale, linear_scale, log_scale
from stepwell.viz.base.numbers import short_value
from stepwell.viz.base.theme import Theme
from stepwell.viz.drawing.end_labels import EndLabel, draw_end_labels
from stepwell.viz.drawing.heading import BETWEEN
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
from stepwell.viz.drawing.value_shades import ordered_colors
from stepwell.viz.sweep_data.group_lines import GroupLine
from stepwell.viz.sweep_data.notes import MOST_COLORED, counted, group_colors, run_colors

from .curves_data import COLUMNS, CurvesPlot, RunLine, prepare_curves

if TYPE_CHECKING:
    from stepwell.store import Runs, Store, SweepData

SIZE = (8.0, 4.6)
_MOST_LABELED = 5
_MANY_RUNS = 40


def plot_curves(  # noqa: PLR0913 (an option an argument)
    store: "Store",
    metric: str,
    *,
    runs: "Runs" = None,
    x: str = "step",
    smooth: str | None = None,
    group_by: str | Sequence[str] = (),
    band: str = "auto",
    logx: bool = False,
    logy: bool = False,
    goal: str | None = None,
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw one metric of many runs over each other.

    Up to seven runs have a colour each; of more, the best ones. Beyond forty runs a band
    stands for all.

    Args:
        store: Where the runs are.
        metric: The metric's name.
        runs: Which runs; all of them when absent.
        x: `step`, `time`, `elapsed`, or another metric.
        smooth: "ema:0.9" or "window:50"; the curves themselves are then drawn faintly.
        group_by: Configuration keys; a line and a band a group of runs. It goes on only
            while at least half of the group's runs do, dashed where not all do; n says
            how many runs its end stands on.
        band: `quartile` or `minmax` about the median, `std` or `ci` about the mean;
            `auto` takes quartiles where every group has five runs or more.
        logx: Draw x on a logarithmic axis.
        logy: Draw the values on a logarithmic axis; those up to 0 are left out.
        goal: `min` or `max`, for which runs are the best ones; by default as the
            metric's name tells.
        ax: Where to draw; a figure of its own when absent.
        theme: "light" or "dark".

    Raises:
        MetricNotFoundError: There are runs, and none has the metric.
        ConfigurationError: An option is wrong.
    """
    # The runs are ranked, too, for which curves need no side of the metric's to be better.
    side = goal or better_side(metric) or "min"
    sweep = store.sweep(metric, side, runs=runs, x=x, columns=[COLUMNS])
    return plot_curves_of(
        sweep,
        smooth=smooth,
        group_by=group_by,
        band=band,
        logx=logx,
        logy=logy,
        goal=goal,
        ax=ax,
        theme=theme,
    )


def plot_curves_of(  # noqa: PLR0913 (an option an argument)
    sweep: "SweepData",
    *,
    smooth: str | None = None,
    group_by: str | Sequence[str] = (),
    band: str = "auto",
    logx: bool = False,
    logy: bool = False,
    goal: str | None = None,
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw what `plot_curves` does of a sweep."""
    look = theme_of(theme)
    value = prepare_curves(
        sweep,
        smooth=smooth,
        group_by=group_by,
        band=band,
        logx=logx,
        logy=logy,
        goal=goal,
    )
    return draw_curves_plot(value, ax or new_axes(SIZE, look), look)


def draw_curves_plot(
    value: CurvesPlot, ax: Axes, theme: Theme, *, small_room: float | None = None
) -> Axes:
    """Draw what `prepare_curves` made.

    Args:
        value: What to draw.
        ax: Where.
        theme: The colours.
        small_room: Inches for the labels at the right, where they must be short; the key
            of the groups then stands in the heading alone.
    """
    with own_style():
        styled(ax, theme)
        title = f"{value.metric} by {value.by}" if value.by else value.metric
        if not value.runs:
            draw_empty(ax, f"no run with {value.metric}", theme)
            return finish(ax, title, "", theme)
        set_scales(ax, *_scales(value))
        draw_names(ax, theme, value.xlabel)
        labels = _draw_groups(value, ax, theme, is_brief=small_room is not None)
        if not any(group.name for group in value.groups):
            labels = _draw_runs(value, ax, theme) + labels
        draw_end_labels(ax, labels, theme, small_room)
        note = value.note
        if small_room is not None and value.groups:  # the page says how many runs
            note = note.replace(f"{BETWEEN}{counted(len(value.runs), 'run')}", "")
        return finish(ax, title, note, theme)


def _draw_groups(
    value: CurvesPlot, ax: Axes, theme: Theme, *, is_brief: bool
) -> list[EndLabel]:
    names = [group.name for group in value.groups]
    if len(names) == 1 and not names[0]:
        colors = {"": theme.neutral}
    elif len(names) <= MOST_COLORED:
        colors = group_colors(names, theme)
    else:
        colors = dict(zip(names, ordered_colors(len(names), theme), strict=True))
    for name, color in colors.items():
        members = (line for line in value.runs if line.group == name)
        # Fainter the more runs there are, or hundreds of lines would cover their median.
        _draw_faint(members, ax, color, min(0.2, 12 / len(value.runs)))
    labels = []
    for group in value.groups:
        color = colors[group.name] if group.name else theme.text
        _draw_group(group, ax, color, colors[group.name])
        end, count = float(group.band.middle[group.end]), int(group.count[group.end])
        name = group.name.removeprefix(f"{value.by} ")
        key = "" if is_brief or name == group.name else f"{value.by} "
        said = f": {short_value(end, 3)}" if value.ends_last else ""
        n = f", n={count}" if count == group.n else f", n={count} of {group.n}"
        labels.append(EndLabel(name or "all runs", said, end, color, n, key))
    return labels


def _draw_group(group: GroupLine, ax: Axes, color: str, ground: str) -> None:
    """Line and band, solid where they stand on all runs, dashed where on some."""
    is_there = np.isfinite(group.band.middle)
    whole = is_there & (group.count == group.n)
    partial = is_there & ~whole
    # From the last point of the one to the first of the other there is a line, too.
    near = partial.copy()
    near[1:] |= partial[:-1] & is_there[1:]
    near[:-1] |= partial[1:] & is_there[:-1]
    for part, alpha, style in ((whole, 0.25, "-"), (near, 0.12, (0, (3, 1.5)))):
        if not part.any():
            continue
        low, high, middle = (
            np.where(part, edge, np.nan)
            for edge in (group.band.low, group.band.high, group.band.middle)
        )
        ax.fill_between(
            group.x, low, high, color=ground, alpha=alpha, linewidth=0, zorder=2.5
        )
        mark = "o" if part.sum() == 1 and part is whole else ""
        ax.plot(group.x, middle, color=color, lw=2.0, ls=style, marker=mark, ms=4, zorder=3)


def _draw_runs(value: CurvesPlot, ax: Axes, theme: Theme) -> list[EndLabel]:
    every = [line.run_id for line in value.runs]
    few = len(every) <= MOST_COLORED
    best = every if few else list(value.best[:_MOST_LABELED])
    colors = run_colors(every, theme, best)
    if not value.groups:
        others = (line for line in value.runs if line.run_id not in best)
        _draw_faint(others, ax, theme.neutral, alpha=0.45)
    labels = []
    for line in value.runs:
        if line.run_id not in best:
            continue
        color = colors[line.run_id]
        if line.raw is not line.y:
            ax.plot(line.x, line.raw, color=color, alpha=0.25, linewidth=0.7, zorder=2.6)
        mark = "o" if np.isfinite(line.y).sum() == 1 else ""
        ax.plot(line.x, line.y, color=color, linewidth=1.6, zorder=3, marker=mark)
        end = float(line.y[np.isfinite(line.y)][-1])
        after = f", then {line.after}" if line.after else ""
        said = f": {short_value(end)}{after}" if value.ends_last else ""
        status = "" if line.status == "finished" else f", {line.status}"
        labels.append(EndLabel(line.name, said, end, color, status))
    return labels


def _draw_faint(lines: Iterable[RunLine], ax: Axes, color: str, alpha: float = 0.2) -> None:
    """Thin lines, all at once: much faster than one by one."""
    segments = [
        np.column_stack([line.x, line.y])[np.isfinite(line.y) & np.isfinite(line.x)]
        for line in lines
    ]
    alpha = max(0.04, min(alpha, 12 / max(1, len(segments))))
    ax.add_collection(
        LineCollection(segments, colors=color, linewidths=0.6, alpha=alpha, zorder=2),
        # The limits are set already, and working them out again takes long.
        autolim=False,
    )


def _scales(value: CurvesPlot) -> tuple[Scale, Scale]:
    x = np.concatenate([line.x for line in value.runs])
    x = x[np.isfinite(x)]
    y = _heights(value)
    low, high = float(y.min()), float(y.max())
    first, last = (float(x.min()), float(x.max())) if len(x) else (0.0, 1.0)
    if value.logx and first > 0:
        across = log_scale(first, last)
    else:
        first, last = (first, last) if first < last else (first - 0.5, last + 0.5)
        across = linear_scale(first, last, padded=False)
    if value.logy:
        return across, log_scale(low, high)
    # A steep beginning, or a run that diverged, must not flatten all the rest.
    most = float(np.quantile(y, 0.97))
    least = float(np.quantile(y, 0.03))
    high = most + 0.25 * (most - low) if high - most > 1.5 * (most - low) > 0 else high
    low = least - 0.25 * (high - least) if least - low > 1.5 * (high - least) > 0 else low
    return across, linear_scale(low, high)


def _heights(value: CurvesPlot) -> NDArray[np.float64]:
    # Where bands stand for many runs, a run that diverged may leave the axis.
    are_many = bool(value.groups) and len(value.runs) > _MANY_RUNS
    parts = [] if are_many else [line.y for line in value.runs]
    parts += [edge for one in value.groups for edge in (one.band.low, one.band.high)]
    y = np.concatenate(parts)
    y = y[np.isfinite(y) & ((y > 0) | (not value.logy))]
    return y if len(y) else np.array([1.0])
