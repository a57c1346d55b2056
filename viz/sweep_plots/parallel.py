"""Parallel coordinates, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection

from stepwell.viz.base.numbers import short_value
from stepwell.viz.drawing.contrast import readable_color
from stepwell.viz.drawing.free_space import inches
from stepwell.viz.drawing.heading import draw_heading
from stepwell.viz.drawing.plot_axes import draw_empty
from stepwell.viz.drawing.text import clean, fitted, shortened, text_width
from stepwell.viz.drawing.value_shades import shade_map, strength_word
from stepwell.viz.sweep_data.notes import counted
from stepwell.viz.sweep_data.param_axis import MISSING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from stepwell.viz.base.theme import Theme

    from .parallel_data import Parallel, ParallelAxis

_POINTS = 72.0
_STEPS = 24
_JITTER = 0.035
_GOLDEN = 0.618033988749895
_SIZE = 8.0
_NAME_SIZE = 9.0
_STRONG_SHARE = 0.1
_MOST_STRONG = 12
_FEW = 20
_PALEST = 0.25  # the shade of the worst of few


def draw_parallel_coordinate(value: Parallel, ax: Axes, theme: Theme) -> Axes:
    """Draw *value* into *ax*, which loses its own ticks and spines."""
    ax.set_axis_off()
    count = len(value.axes)
    width, height = inches(ax)
    draw_heading(ax, "Parallel coordinates", _notes(value), theme, gap=0.34)
    if not len(value.values):
        draw_empty(ax, "no runs with " + value.metric, theme)
        return ax
    ax.set_xlim(-0.02, max(1, count - 1) * 1.02)
    lacks = [bool(np.isnan(column).any()) for column in value.places.T]
    low = MISSING if any(lacks) else 0.0
    ax.set_ylim(low - 0.04 - 0.42 / height, 1.04)
    for number in range(count):
        bottom = low if lacks[number] else 0.0
        ax.plot([number, number], [bottom, 1.0], color=theme.axis, lw=0.9, zorder=1)
    _draw_lines(ax, value, theme)
    room = width / max(1, count - 1)
    for number, axis in enumerate(value.axes):
        _draw_axis(ax, number, axis, theme, room, is_last=number == count - 1)
        if lacks[number]:
            _draw_label(ax, number, MISSING, "not set", theme, is_last=False)
    _draw_best(ax, value, theme)
    _draw_bar(ax, value, theme, width, height)
    return ax


def _notes(value: Parallel) -> list[str]:
    shown = len(value.values)
    notes = [counted(value.total, "run")]
    if value.going:
        notes.append(f"{value.going} still running")
    if shown < value.total:
        notes.append(f"{shown} drawn")
    if value.without:
        notes.append(f"{value.without} without a value")
    if value.keys_left_out:
        notes.append(f"{len(value.keys_left_out)} more parameters")
    return notes


def _draw_lines(ax: Axes, value: Parallel, theme: Theme) -> None:
    """One line a run, the better ones later and stronger, the best in its own colour."""
    places = _jittered(value)
    count = len(places)
    x, y = _eased(places)
    strong = (
        min(_MOST_STRONG, max(1, round(count * _STRONG_SHARE))) if count > _FEW else count
    )
    palest = _palest(value)
    colors = shade_map(theme)(palest + (1.0 - palest) * value.shades)
    colors[:, 3] = 0.95
    if count > _FEW:
        colors[strong:, 3] = float(np.clip(30.0 / count, 0.25, 0.7))
    widths = np.where(np.arange(count) < strong, 1.6, 0.8)
    for first, last, layer in ((strong, count, 2.0), (1, strong, 2.5)):
        rows = np.arange(first, last)[::-1]
        if not len(rows):
            continue
        lines = [np.column_stack([x, y[row]]) for row in rows]
        collection = LineCollection(
            lines, colors=colors[rows], linewidths=widths[rows], zorder=layer
        )
        collection.set_gid("runs" if layer < 2.5 else "strong runs")  # noqa: PLR2004
        ax.add_collection(collection, autolim=False)
    if len(value.axes) == 1:
        ax.plot([0.0], places[:1, 0], "o", color=theme.palette[1], ms=6, gid="best")
        return
    ax.plot(x, y[0], color=theme.palette[1], lw=2.8, zorder=3, gid="best")


def _palest(value: Parallel) -> float:
    """The worst shade: of few runs it must be seen, of many it stands behind the others."""
    return _PALEST if len(value.places) <= _FEW else 0.0


def _jittered(value: Parallel) -> NDArray[np.float64]:
    """The places, spread a little where an axis takes few values; never by chance."""
    places = np.where(np.isnan(value.places), MISSING, value.places)
    if len(places) <= _FEW:
        return places
    spread = (np.arange(len(places)) * _GOLDEN) % 1.0 - 0.5
    spread[0] = 0.0
    for number, axis in enumerate(value.axes):
        if axis.scale.is_discrete:
            places[:, number] += spread * _JITTER
    return places


def _eased(places: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Smooth lines through *places*, level where they cross an axis."""
    count = places.shape[1]
    if count == 1:
        return np.array([-0.02, 0.02]), np.repeat(places, 2, axis=1)
    share = np.arange(_STEPS) / _STEPS
    ease = share * share * (3.0 - 2.0 * share)
    x = (np.arange(count - 1)[:, None] + share).ravel()
    start, end = places[:, :-1, None], places[:, 1:, None]
    y = (start + (end - start) * ease).reshape(len(places), -1)
    return np.append(x, count - 1), np.concatenate([y, places[:, -1:]], axis=1)


def _draw_axis(  # noqa: PLR0913 (where and how)
    ax: Axes, number: int, axis: ParallelAxis, theme: Theme, room: float, *, is_last: bool
) -> None:
    ax.annotate(
        fitted(axis.name, _NAME_SIZE, max(room * 0.92, 0.5), "bold"),
        (number, 1.04),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=theme.text,
        fontsize=_NAME_SIZE,
        fontweight="bold",
        annotation_clip=False,
    )
    for tick, label in zip(axis.scale.ticks, axis.scale.labels, strict=True):
        _draw_label(ax, number, tick, fitted(label, _SIZE, room), theme, is_last=is_last)


def _draw_label(  # noqa: PLR0913 (where and how)
    ax: Axes, number: int, place: float, text: str, theme: Theme, *, is_last: bool
) -> None:
    """A tick's label, left of its axis; of the last axis, right of it."""
    ax.annotate(
        text,
        (number, place),
        xytext=(5 if is_last else -4, 0),
        textcoords="offset points",
        ha="left" if is_last else "right",
        va="center",
        color=theme.text,
        fontsize=_SIZE,
        annotation_clip=False,
        zorder=4,
        bbox={"facecolor": theme.background, "alpha": 0.75, "pad": 0.6, "lw": 0},
    )


def _draw_best(ax: Axes, value: Parallel, theme: Theme) -> None:
    """The best run's name above its end."""
    color = readable_color(theme.palette[1], theme)
    said = f", {short_value(float(value.values[0]))}"
    room = inches(ax)[0] * 0.6 - text_width(f"best: {said}", _SIZE, "bold")
    ax.annotate(
        f"best: {shortened(value.runs[0], _SIZE, room, 'bold')}{said}",
        (1.0, 0.0),
        xycoords="axes fraction",
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=color,
        fontsize=_SIZE,
        fontweight="bold",
        annotation_clip=False,
    )


def _draw_bar(ax: Axes, value: Parallel, theme: Theme, width: float, height: float) -> None:
    """The colours, from the best at the left to the worst."""
    worst, best = value.ends
    if worst == best:
        return
    long = min(1.3, width * 0.3)
    bar = ax.inset_axes((0.0, 0.19 / height, long / width, 0.09 / height))
    bar.set_axis_off()
    shades = np.linspace(1.0, _palest(value), 128)[None]
    bar.imshow(shades, cmap=shade_map(theme), vmin=0.0, vmax=1.0, aspect="auto")
    style: dict[str, Any] = {
        "color": theme.muted,
        "fontsize": _SIZE - 0.5,
        "annotation_clip": False,
    }
    below: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        **style,
    }
    label = value.axes[-1].scale.labels[0]
    bar.annotate(short_value(best), (0, 0), xytext=(0, -2), ha="left", va="top", **below)
    bar.annotate(label, (1, 0), xytext=(0, -2), ha="right", va="top", **below)
    text = f"{value.metric} ({strength_word(theme)} = better)"
    room = width * 0.95 - long
    if text_width(clean(text), _SIZE - 0.5) > room:
        text = f"{strength_word(theme)} = better"
    bar.annotate(clean(text), (1, 0.5), xytext=(5, 0), ha="left", va="center", **below)
