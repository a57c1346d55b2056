"""The map of the experts' shares."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize

from stepwell.viz.base.boxes import Box, pushed_apart
from stepwell.viz.base.theme import NOTE_SIZE
from stepwell.viz.drawing.contrast import readable_color

from .curve_labels import LABEL_SIZE, label_height
from .expert_shares import ShareMap
from .layout import LABEL_GAP, Place, expert_labels
from .page import Page

_POINTS = 72.0
_MOST_NAMES = 5


def draw_experts(axes: Axes, place: Place, page: Page) -> None:
    """Draw the map, the names of a few rows, and the extremes at the right."""
    experts, box = place.panel.experts, place.experts
    if experts is None or box is None:
        return
    theme, count = page.theme, len(experts.labels)
    colors = LinearSegmentedColormap.from_list("shares", list(theme.shares))
    axes.set_facecolor(theme.empty)
    axes.imshow(
        np.ma.masked_invalid(experts.shares),
        aspect="auto",
        interpolation="nearest",
        origin="upper",
        extent=(experts.edges[0], experts.edges[-1], count - 0.5, -0.5),
        cmap=colors,
        norm=Normalize(0.0, 2.0, clip=True),
        zorder=1.0,
    )
    axes.set_ylim(count - 0.5, -0.5)
    if page.steps:
        axes.set_xlim(page.steps.low, page.steps.high)
    stride = -(-count // _MOST_NAMES)
    rows = range(0, count, stride)
    axes.set_yticks(list(rows), [experts.labels[row] for row in rows])
    if place.panel.curves:
        axes.annotate(
            "experts: share ÷ even share",
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(0, 3),
            textcoords="offset points",
            ha="left",
            va="bottom",
            color=theme.muted,
            fontsize=NOTE_SIZE * place.text,
        )
    if place.panel.show_legend:
        _draw_extremes(axes, place, page, experts, box)


def _draw_extremes(
    axes: Axes, place: Place, page: Page, experts: ShareMap, box: Box
) -> None:
    labels = expert_labels(experts)
    count = len(experts.labels)
    wanted = [box.height * (1 - (row + 0.5) / count) for row, _ in labels]
    height = label_height(place.text)
    heights = pushed_apart(wanted, height, height / 2, box.height - height / 2)
    for (row, text), position in zip(labels, heights, strict=True):
        side = page.theme.shares[2 if experts.current[row] >= 1 else 0]
        axes.annotate(
            text,
            (1.0, position / box.height),
            xycoords="axes fraction",
            xytext=(LABEL_GAP * _POINTS, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            annotation_clip=False,
            color=readable_color(side, page.theme),
            fontsize=LABEL_SIZE * place.text,
            fontweight="bold",
        )
