"""The room in axes and around them, in inches."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.transforms import Bbox

from stepwell.viz.base.theme import DOTS_PER_INCH

OURS = "stepwell comparison"
"""Label of axes that we have made, and may move."""

MARGIN = 0.18
"""Between what is drawn and the edge of a figure of ours."""

_NEIGHBOUR = 0.4  # what the ticks of the axes beside take
_LABEL_SHARE = 0.4
_PIXEL = 1.0


def inches(axes: Axes) -> tuple[float, float]:
    """Width and height of *axes*."""
    dpi, box = dots_per_inch(axes), axes.get_window_extent()
    return max(0.1, float(box.width) / dpi), max(0.1, float(box.height) / dpi)


def is_movable(axes: Axes) -> bool:
    """Whether *axes* give way to the texts around them."""
    if axes.get_label() == OURS:
        return True
    figure = axes.get_figure(root=True)
    engine = figure.get_layout_engine() if isinstance(figure, Figure) else None
    return engine is not None and not isinstance(engine, PlaceHolderLayoutEngine)


def room_for_heading(axes: Axes) -> float:
    """Inches from the left edge of *axes* as far as a heading may go."""
    width = inches(axes)[0]
    if axes.get_label() != OURS:
        return width
    figure_width = _figure_size(axes)[0]
    left = float(axes.get_window_extent().x0) / dots_per_inch(axes)
    return max(width, figure_width - MARGIN - left)


def room_above(axes: Axes) -> float:
    """Inches above *axes*, up to what is next or to the edge of the figure."""
    box, dpi = axes.get_window_extent(), dots_per_inch(axes)
    room = _figure_size(axes)[1] - float(box.y1) / dpi
    for other in _others(axes):
        is_above = other.y0 >= box.y1 - _PIXEL and other.x0 < box.x1 and other.x1 > box.x0
        if is_above:
            room = min(room, float(other.y0 - box.y1) / dpi - _NEIGHBOUR)
    return max(0.0, room)


def room_right(axes: Axes, most: float) -> float:
    """Inches right of *axes* for labels, at most *most*.

    Axes that give way leave labels the smaller part of their figure; beside others there
    is what lies between them and the next ones, or the edge of the figure.
    """
    figure_width = _figure_size(axes)[0]
    # `fit` moves such axes once the labels are drawn, so their present width tells nothing.
    if axes.get_label() == OURS:
        return min(most, _LABEL_SHARE * figure_width)
    if is_movable(axes):
        return min(most, _LABEL_SHARE * inches(axes)[0])
    box, dpi = axes.get_window_extent(), dots_per_inch(axes)
    room = figure_width - float(box.x1) / dpi - 0.1
    for other in _others(axes):
        is_beside = other.x0 >= box.x1 - _PIXEL and other.y0 < box.y1 and other.y1 > box.y0
        if is_beside:
            room = min(room, float(other.x0 - box.x1) / dpi - _NEIGHBOUR)
    return max(0.0, min(most, room))


def dots_per_inch(axes: Axes) -> float:
    """Pixels an inch of the figure of *axes*."""
    figure = axes.get_figure(root=True)
    return float(figure.dpi) if figure else float(DOTS_PER_INCH)


def _figure_size(axes: Axes) -> tuple[float, float]:
    figure = axes.get_figure(root=True)
    if not isinstance(figure, Figure):
        return inches(axes)
    width, height = figure.get_size_inches()
    return float(width), float(height)


def _others(axes: Axes) -> list[Bbox]:
    """Where the other axes of the figure are, in pixels."""
    figure = axes.get_figure(root=True)
    if not isinstance(figure, Figure):
        return []
    return [
        other.get_window_extent()
        for other in figure.axes
        if other is not axes and other.get_visible()
    ]
