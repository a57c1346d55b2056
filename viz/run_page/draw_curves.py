"""The curves of a panel: bands, lines and marks."""

import math

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from stepwell.viz.base.axis import Scale
from stepwell.viz.base.numbers import short_step, short_value
from stepwell.viz.base.theme import NOTE_SIZE
from stepwell.viz.drawing.contrast import LINE_CONTRAST, readable_color
from stepwell.viz.drawing.text import text_width

from .best_label import RING, draw_best_word
from .curve import Curve, Mark
from .layout import Place
from .page import Page

_LINE_WIDTH = 1.6
_QUIET_WIDTH = 0.7


def draw_curves(axes: Axes, place: Place, page: Page) -> None:
    """Draw every curve of the panel, the quiet ones first."""
    panel = place.panel
    for curve in panel.curves:
        if curve.metric in panel.quiet:
            _draw_quiet(axes, curve, page)
    for order, curve in enumerate(panel.curves):
        if curve.metric not in panel.quiet:
            _draw_band(axes, curve, page)
            _draw_line(axes, curve, page, order=3.0 + 0.01 * order)
            _draw_spikes(axes, curve, page)
    draw_marks(axes, place, page)


def draw_marks(axes: Axes, place: Place, page: Page) -> list[Artist]:
    """Mark points that are not finite, beyond the axis, or the best; gives the marks."""
    before = set(axes.get_children())
    panel = place.panel
    for curve in panel.curves:
        _draw_non_finite(axes, curve, page)
    if panel.scale:
        _draw_clipped(axes, place, panel.scale, page)
        _draw_best(axes, place, panel.scale, page)
    return [artist for artist in axes.get_children() if artist not in before]


def line_color(curve: Curve, page: Page) -> str:
    """The colour of *curve*; a colour of the user's own is only changed on dark."""
    if curve.look.own and page.theme.name == "dark":
        return readable_color(curve.look.color, page.theme, LINE_CONTRAST)
    return curve.look.color


def _draw_quiet(axes: Axes, curve: Curve, page: Page) -> None:
    axes.plot(
        curve.steps,
        curve.values,
        color=page.theme.neutral,
        linewidth=_QUIET_WIDTH,
        alpha=0.7 * curve.look.alpha,
        label=curve.metric,
        zorder=2.0,
    )


def _draw_band(axes: Axes, curve: Curve, page: Page) -> None:
    """The extremes of each pixel column; single values become a faint line."""
    if not (curve.has_band or curve.is_smoothed):
        return
    strength = 1.2 if page.theme.name == "dark" else 1.0
    color, alpha = line_color(curve, page), curve.look.alpha * strength
    axes.fill_between(
        curve.steps,
        curve.low,
        curve.high,
        color=color,
        alpha=0.13 * alpha,
        linewidth=0,
        zorder=2.2,
        label=f"{curve.metric} band",
    )
    edges = np.empty(2 * len(curve.steps))
    edges[0::2], edges[1::2] = curve.low, curve.high
    axes.plot(
        np.repeat(curve.steps, 2),
        edges,
        color=color,
        alpha=0.16 * alpha,
        linewidth=0.6,
        zorder=2.3,
        label=f"{curve.metric} extremes",
    )


def _draw_line(axes: Axes, curve: Curve, page: Page, *, order: float) -> None:
    alone = int(np.isfinite(curve.values).sum()) == 1
    marker = {"marker": "o", "markersize": 6.0 if alone else 3.2, "markeredgewidth": 0}
    axes.plot(
        curve.steps,
        curve.values,
        color=line_color(curve, page),
        linestyle=curve.look.line_style,
        linewidth=_LINE_WIDTH,
        alpha=curve.look.alpha,
        solid_capstyle="round",
        solid_joinstyle="round",
        label=curve.label or curve.metric,
        zorder=order,
        gid=curve.metric,
        **(marker if curve.has_markers or alone else {}),  # type: ignore[arg-type]
    )


def _draw_spikes(axes: Axes, curve: Curve, page: Page) -> None:
    if not curve.spikes:
        return
    known = np.isfinite(curve.values)
    steps = [spike.step for spike in curve.spikes]
    feet = np.interp(steps, curve.steps[known], curve.values[known])
    tips = [spike.value for spike in curve.spikes]
    axes.vlines(
        steps,
        feet,
        tips,
        color=line_color(curve, page),
        alpha=0.75 * curve.look.alpha,
        linewidth=1.0,
        zorder=2.6,
        label=f"{curve.metric} spikes",
    )


def _draw_non_finite(axes: Axes, curve: Curve, page: Page) -> None:
    """NaN and +Inf at the upper edge, -Inf at the lower."""
    groups = (
        ("v", 1.0, [m.step for m in curve.non_finite if math.isnan(m.value)]),
        ("^", 1.0, [m.step for m in curve.non_finite if m.value == math.inf]),
        ("v", 0.0, [m.step for m in curve.non_finite if m.value == -math.inf]),
    )
    for marker, edge, steps in groups:
        if steps:
            axes.plot(
                steps,
                [edge] * len(steps),
                linestyle="none",
                marker=marker,
                markersize=5.0,
                markeredgewidth=0,
                color=line_color(curve, page),
                transform=axes.get_xaxis_transform(),
                clip_on=False,
                zorder=5.0,
                label=f"{curve.metric} not finite",
            )


def _draw_clipped(axes: Axes, place: Place, scale: Scale, page: Page) -> None:
    """Spikes beyond the axis: a mark at its edge, and what the farthest one was."""
    clipped = place.panel.clipped
    if not clipped:
        return
    color = readable_color(page.theme.palette[1], page.theme)
    for above in (True, False):
        marks = [mark for mark in clipped if (mark.value > scale.high) == above]
        if marks:
            axes.plot(
                [mark.step for mark in marks],
                [0.985 if above else 0.015] * len(marks),
                linestyle="none",
                marker="^" if above else "v",
                markersize=5.0,
                markeredgewidth=0,
                color=color,
                transform=axes.get_xaxis_transform(),
                zorder=5.0,
                label="beyond the axis",
            )
            _draw_farthest(axes, place, marks, color, above=above)


def _draw_farthest(
    axes: Axes, place: Place, marks: list[Mark], color: str, *, above: bool
) -> None:
    farthest = max(marks, key=lambda mark: abs(mark.value))
    text = f"{short_value(farthest.value)} @ {short_step(farthest.step)}"
    size = NOTE_SIZE * place.text
    low, high = axes.get_xlim()
    share = (farthest.step - low) / (high - low)
    fits = (1 - share) * place.area.width > text_width(text, size) + 0.1
    axes.annotate(
        text,
        (farthest.step, 0.985 if above else 0.015),
        xycoords=axes.get_xaxis_transform(),
        xytext=(5 if fits else -5, 0),
        textcoords="offset points",
        ha="left" if fits else "right",
        va="center",
        color=color,
        fontsize=size,
    )


def _draw_best(axes: Axes, place: Place, scale: Scale, page: Page) -> None:
    """A ring around the best point of each validation curve."""
    said = False
    for curve in place.panel.curves:
        best = curve.best
        if best is None or not scale.low <= best.value <= scale.high:
            continue
        color = line_color(curve, page)
        axes.plot(
            [best.step],
            [best.value],
            linestyle="none",
            marker="o",
            markersize=RING * place.text,
            markerfacecolor="none",
            markeredgecolor=color,
            markeredgewidth=1.5,
            zorder=5.0,
            clip_on=False,
            label=f"{curve.metric} best",
        )
        if not said:
            draw_best_word(axes, place, scale, best, readable_color(color, page.theme))
            said = True
