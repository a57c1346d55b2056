"""The names of the curves: at their ends, or in a legend above the axes."""

from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from stepwell.viz.base.boxes import pushed_apart
from stepwell.viz.drawing.contrast import readable_color

from .curve_labels import LABEL_SIZE, LEGEND_SIZE, label_height, label_lines
from .draw_curves import line_color
from .layout import LABEL_GAP, Place
from .page import Page

_POINTS = 72.0


def draw_labels(axes: Axes, place: Place, page: Page) -> None:
    """Name and value of each curve, right of its end, pushed apart."""
    box = place.axes
    if box is None or place.panel.scale is None:
        return
    share = 1.0 if place.labels_at is None else place.labels_at
    for label, position in zip(place.labels, label_heights(place), strict=True):
        axes.annotate(
            label.text,
            (share, position / box.height),
            xycoords="axes fraction",
            xytext=(LABEL_GAP * _POINTS, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            linespacing=1.05,
            annotation_clip=False,
            color=readable_color(line_color(label.curve, page), page.theme),
            fontsize=LABEL_SIZE * place.text,
            fontweight="bold",
        )


def label_heights(place: Place) -> list[float]:
    """Where the middle of each label stands above the axes' lower edge, in inches."""
    box, scale = place.axes, place.panel.scale
    if box is None or scale is None:
        return []
    wanted = [
        box.height * max(0.0, min(1.0, scale.position(label.curve.end.value)))
        for label in place.labels
        if label.curve.end
    ]
    height = label_height(place.text) * label_lines(place.labels)
    return pushed_apart(wanted, height, height / 2, box.height - height / 2)


def draw_legend(axes: Axes, place: Place, page: Page) -> None:
    """The legend, in rows between the title and the axes."""
    legend = place.legend
    if legend is None:
        return
    handles = [
        Line2D(
            [],
            [],
            color=line_color(curve, page),
            linestyle=cast("Any", curve.look.line_style),
            linewidth=1.7,
            alpha=curve.look.alpha,
        )
        for curve in legend.curves
    ]
    texts = list(legend.texts)
    if legend.more:
        handles.append(Line2D([], [], linestyle="none"))
        texts.append(f"+{legend.more} more")
    axes.legend(
        handles,
        texts,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=legend.columns,
        frameon=False,
        fontsize=LEGEND_SIZE * place.text,
        labelcolor=page.theme.muted,
        handlelength=1.3,
        handletextpad=0.5,
        columnspacing=1.2,
        labelspacing=0.35,
        borderpad=0.0,
        borderaxespad=0.4,
    )
