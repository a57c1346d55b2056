"""The frame of a panel: axes, ticks, grid, titles and notes."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from stepwell.viz.base.axis import Scale
from stepwell.viz.base.boxes import Box
from stepwell.viz.base.theme import NOTE_SIZE, TITLE_SIZE
from stepwell.viz.drawing.text import clean, fitted, text_width

from .curve_labels import legend_height
from .layout import TICK_SIZE, Place
from .page import Page

_POINTS = 72.0


def add_axes(figure: Figure, page: Page, box: Box, *, name: str) -> Axes:
    """Axes in *box* with the common axis of steps and nothing else."""
    theme = page.theme
    axes = figure.add_axes(box.shares(page.size), label=name)
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.axis)
        spine.set_linewidth(0.8)
    axes.tick_params(
        axis="both",
        which="both",
        length=0,
        colors=theme.muted,
        pad=4,
        labelsize=TICK_SIZE,
    )
    axes.tick_params(axis="x", length=3, color=theme.axis, pad=3)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_axisbelow(True)
    if page.steps is None:
        axes.set_xticks([])
    else:
        axes.set_xlim(page.steps.low, page.steps.high)
        axes.xaxis.set_major_locator(FixedLocator(page.steps.ticks))
        axes.xaxis.set_major_formatter(FixedFormatter(page.steps.labels))
    return axes


def set_scale(axes: Axes, scale: Scale, page: Page, *, has_grid: bool) -> None:
    """Give *axes* the axis of values in *scale*."""
    if scale.kind == "symlog":
        axes.set_yscale("symlog", linthresh=scale.threshold)
    else:
        axes.set_yscale(scale.kind)
    axes.set_ylim(scale.low, scale.high)
    axes.yaxis.set_major_locator(FixedLocator(scale.ticks))
    axes.yaxis.set_major_formatter(FixedFormatter(scale.labels))
    axes.yaxis.set_minor_locator(NullLocator())
    if has_grid:
        axes.yaxis.grid(visible=True, color=page.theme.grid, linewidth=0.8)


def scale_texts(axes: Axes, factor: float) -> None:
    """Set the size of the tick labels."""
    axes.tick_params(labelsize=TICK_SIZE * factor)


def draw_titles(axes: Axes, place: Place, page: Page) -> None:
    """The title at the left, the notes at the right, as far as they fit."""
    theme, factor, panel = page.theme, place.text, place.panel
    room = place.cell.right - place.area.left - 0.1
    pad = (0.12 * factor + legend_height(place.legend, factor)) * _POINTS
    title = fitted(panel.title, TITLE_SIZE * factor, room, "bold")
    axes.set_title(
        title,
        loc="left",
        pad=pad,
        color=theme.text,
        fontsize=TITLE_SIZE * factor,
        fontweight="bold",
    )
    room = place.area.width - text_width(title, TITLE_SIZE * factor, "bold") - 0.15
    notes = [] if panel.is_empty else list(panel.notes)
    while notes and text_width(clean(" · ".join(notes)), NOTE_SIZE * factor) > room:
        notes.pop()
    if notes:
        axes.set_title(
            clean(" · ".join(notes)),
            loc="right",
            pad=pad,
            color=theme.muted,
            fontsize=NOTE_SIZE * factor,
            fontweight="normal",
        )


def draw_xlabel(axes: Axes, place: Place, page: Page) -> None:
    """What the steps are, centred under the axis."""
    size = NOTE_SIZE * place.text
    text = fitted(place.xlabel, size, place.area.width)
    axes.set_xlabel(text, color=page.theme.muted, fontsize=size, labelpad=2)


def draw_waiting(axes: Axes, place: Place, page: Page) -> None:
    """What an empty panel waits for."""
    panel, size = place.panel, 9.0 * place.text
    axes.set_yticks([])
    axes.set_xticks([])
    if page.header.status == "running":
        text = "waiting for " + ", ".join(panel.waiting)
    else:
        text = "no values of " + ", ".join(panel.waiting)
    axes.text(
        0.5,
        0.5,
        fitted(text if panel.waiting else "no metrics", size, place.area.width),
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=page.theme.muted,
        fontsize=size,
    )
