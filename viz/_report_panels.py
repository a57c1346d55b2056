"""The panels of a sweep's report that no plot of their own draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection

from ._comparing import EndLabel, draw_end_labels, set_scales, styled
from ._contrast import contrast
from ._figure_notes import draw_empty, draw_heading, inches
from ._numbers import short_value
from ._parallel import shades
from ._param_scale import is_logarithmic
from ._scale import Scale, linear_scale, log_scale
from ._shades import shade_map
from ._text import clean, fitted, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ._report_value import Cells, Report, Slice
    from ._theme import Theme

_TICK_SIZE = 8.0
_LEAST_FOR_BAND = 4


def values_scale(values: NDArray[np.float64], goal: str) -> Scale:
    """An axis on which the good half of *values* has most of the room.

    What is far worse than the rest, such as a steep beginning, is beyond its end.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return linear_scale(0.0, 1.0)
    low, high = (float(part) for part in np.percentile(finite, (0.0, 100.0)))
    if low == high:
        return linear_scale(low, high)
    if is_logarithmic(np.array([low, high])):
        return log_scale(low, high)
    if goal == "min":
        near = float(np.percentile(finite, 75.0))
        high = min(high, near + 1.5 * (near - low))
    else:
        near = float(np.percentile(finite, 25.0))
        low = max(low, near - 1.5 * (high - near))
    return linear_scale(low, high) if low < high else linear_scale(low, low + 1.0)


def draw_groups(value: Report, ax: Axes, theme: Theme) -> None:
    """The curves by the most important parameter."""
    styled(ax, theme)
    title = f"{value.metric} by {value.key}" if value.key else value.metric
    draw_heading(ax, title, ["median and quartiles of the runs, thin: single runs"], theme)
    if not value.groups:
        draw_empty(ax, "no values of " + value.metric, theme)
        return
    x = value.groups[0].x
    every = np.concatenate([group.thin.ravel() for group in value.groups])
    first, last = float(x[0]), float(x[-1])
    last = last if first < last else first + 1.0
    set_scales(ax, linear_scale(first, last, padded=False), values_scale(every, value.goal))
    labels = []
    total = sum(group.runs for group in value.groups)
    for number, group in enumerate(value.groups):
        color = theme.palette[number % len(theme.palette)]
        thin = LineCollection(
            [np.column_stack([x, line]) for line in group.thin],
            colors=color,
            linewidths=0.6,
            alpha=max(0.06, min(0.25, 6.0 / total)),
            zorder=1.5,
        )
        ax.add_collection(thin, autolim=False)
        if group.runs >= _LEAST_FOR_BAND:
            ax.fill_between(x, group.low, group.high, color=color, alpha=0.15, lw=0)
        ax.plot(x, group.middle, color=color, lw=2.2, zorder=3)
        known = group.middle[np.isfinite(group.middle)]
        if len(known):
            text = f"{group.label}: " if group.label else ""
            end = float(known[-1])
            labels.append(EndLabel(text + short_value(end, 3), end, color))
    draw_end_labels(ax, labels, theme)
    ax.set_xlabel("step", color=theme.muted, fontsize=_TICK_SIZE, labelpad=2)


def draw_slice(
    value: Slice, values: NDArray[np.float64], goal: str, ax: Axes, theme: Theme
) -> None:
    """A dot a run, the best ringed, and the medians as a line."""
    styled(ax, theme)
    draw_heading(ax, value.key, [], theme)
    scale = values_scale(values, goal)
    set_scales(ax, None, scale)
    ax.set_xlim(-0.08, 1.08)
    room = inches(ax)[0]
    ticks, labels = _thinned(value.ticks, value.labels, room)
    ax.set_xticks(ticks, labels)
    share = shades(values, goal)
    shown = np.clip(values, scale.low, scale.high)[::-1]
    ax.scatter(
        value.x[::-1],
        shown,
        s=14,
        c=shade_map(theme)(share[::-1]),
        edgecolors=theme.background,
        linewidths=0.5,
        zorder=3,
    )
    inner = np.clip(value.middle, scale.low, scale.high)
    order = np.argsort(value.middle_x)
    ax.plot(
        value.middle_x[order], inner[order], "-o", color=theme.text, lw=1.2, ms=3, zorder=4
    )
    if len(values):
        ax.plot(
            value.x[:1],
            shown[-1:],
            "o",
            ms=8,
            mfc="none",
            mec=theme.palette[1],
            mew=1.8,
            zorder=5,
        )


def draw_cells(value: Cells | None, report: Report, ax: Axes, theme: Theme) -> None:
    """The heat map of the two most important parameters."""
    styled(ax, theme)
    ax.yaxis.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if value is None:
        draw_heading(ax, "Two parameters", [], theme)
        draw_empty(ax, "fewer than two vary", theme)
        return
    draw_heading(ax, f"{value.across} × {value.up}", ["median"], theme)
    medians = value.medians
    known = np.isfinite(medians)
    share = np.full(medians.shape, np.nan)
    share[known] = shades(medians[known], report.goal)
    colors = shade_map(theme).with_extremes(bad=theme.empty)
    masked = np.ma.masked_invalid(share)
    ax.pcolormesh(masked, cmap=colors, vmin=0, vmax=1, ec=theme.background, lw=2)
    room = inches(ax)[0] / medians.shape[1] - 0.06
    for (row, column), median in np.ndenumerate(medians):
        is_known = bool(known[row, column])
        ground = "#{:02x}{:02x}{:02x}".format(
            *(int(255 * part) for part in colors(masked[row, column])[:3])
        )
        ink = max((theme.text, theme.background), key=lambda one: contrast(one, ground))
        ax.text(
            column + 0.5,
            row + 0.5,
            fitted(short_value(float(median), 3), 8.0, room) if is_known else "–",
            ha="center",
            va="center",
            fontsize=8.0,
            color=ink if is_known else theme.muted,
        )
    widest = max(text_width(clean(label), _TICK_SIZE) for label in value.columns)
    size = _TICK_SIZE * max(0.75, min(1.0, room / widest))
    columns = [fitted(label, size, room) for label in value.columns]
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, fontsize=size)
    rows = [fitted(label, _TICK_SIZE, 0.7) for label in value.rows]
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
    ax.tick_params(length=0)
    ax.set_xlim(0, len(columns))
    ax.set_ylim(0, len(rows))


def _thinned(
    ticks: tuple[float, ...], labels: tuple[str, ...], room: float
) -> tuple[list[float], list[str]]:
    """As many labels as fit side by side into *room* inches, the outer ones first."""
    every = 1
    while every < len(ticks):
        kept = labels[::every]
        wide = sum(text_width(clean(label), _TICK_SIZE) + 0.12 for label in kept)
        if wide <= room:
            break
        every += 1
    return list(ticks[::every]), [clean(label) for label in labels[::every]]
