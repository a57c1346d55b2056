"""Where each panel's parts stand on the page, once their texts are measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from stepwell.viz.base.boxes import Box, Grid, grid
from stepwell.viz.base.numbers import short_value
from stepwell.viz.drawing.text import text_width

from .curve_labels import (
    Label,
    Legend,
    label_width,
    labels_in_lines,
    labels_of,
    labels_width,
    legend_height,
    legend_of,
)
from .expert_shares import ShareMap
from .page import Page
from .panel import Panel

TICK_SIZE = 8.5
LABEL_GAP = 0.09
PAD = 0.2
_TITLE_HEIGHT = 0.44
_TICK_HEIGHT = 0.28
_XLABEL_HEIGHT = 0.17
_SPLIT_GAP = 0.26


@dataclass(frozen=True, slots=True)
class Place:
    """Where one panel stands.

    Attributes:
        panel: The panel.
        cell: All that belongs to it.
        area: The part of the cell in which data are drawn.
        axes: The axes of its curves; None where there are only experts.
        experts: The axes of its map of experts.
        labels: Labels at the ends of the curves.
        legend: The legend, where labels don't fit.
        xlabel: What stands under the axis; empty for nothing.
        text: Factor for the sizes of texts.
        labels_at: Where on the axis of steps the labels begin, from 0.0 to 1.0, when
            they have room within the axes; None when they stand beside them.
    """

    panel: Panel
    cell: Box
    area: Box
    axes: Box | None
    experts: Box | None
    labels: tuple[Label, ...]
    legend: Legend | None
    xlabel: str
    text: float
    labels_at: float | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A page with everything in its place."""

    grid: Grid
    places: tuple[Place, ...]

    @property
    def left(self) -> float:
        """Left edge of the first column of axes, to which header and footer keep."""
        return min((place.area.left for place in self.places), default=0.5)


def arrange(page: Page) -> Arrangement:
    """Find a place for every part of *page*.

    Axes in a column have the same left and right edges, and axes in a row the same
    upper and lower ones.
    """
    boxes = grid(page.size, page.rows, page.columns)
    factor = boxes.text
    labels = {
        panel.index: labels_of(panel, boxes.cells[panel.index], factor)
        for panel in page.panels
    }
    lefts = _largest({p.index: _left(p, factor) for p in page.panels}, page, by_row=False)
    inside: dict[int, float | None] = {}
    for panel in page.panels:
        index = panel.index
        width = boxes.cells[index].width - lefts[index] - PAD * factor
        inside[index] = None
        # Within the axes one line is tried first, as there it takes nothing from the data.
        for found in (labels[index] and labels_in_lines(panel, 1), labels[index]):
            if inside[index] is None:
                inside[index] = _inside(found, page, width, factor)
                labels[index] = found if inside[index] is not None else labels[index]
    rights = _largest(
        {
            p.index: _right(p, () if inside[p.index] else labels[p.index], factor)
            for p in page.panels
        },
        page,
        by_row=False,
    )
    legends = {
        panel.index: legend_of(
            panel,
            boxes.cells[panel.index],
            boxes.cells[panel.index].width - lefts[panel.index] - rights[panel.index],
            factor,
        )
        for panel in page.panels
        if not labels[panel.index]
    }
    xlabels = {panel.index: _xlabel(panel, page) for panel in page.panels}
    tops = _largest(
        {p.index: legend_height(legends.get(p.index), factor) for p in page.panels},
        page,
        by_row=True,
    )
    bottoms = _largest(
        {index: _XLABEL_HEIGHT * factor * bool(text) for index, text in xlabels.items()},
        page,
        by_row=True,
    )
    places = []
    for panel in page.panels:
        index = panel.index
        area = boxes.cells[index].inside(
            lefts[index],
            bottoms[index] + _TICK_HEIGHT * factor,
            rights[index],
            tops[index] + _TITLE_HEIGHT * factor,
        )
        axes, experts = _split(panel, area, factor)
        places.append(
            Place(
                panel,
                boxes.cells[index],
                area,
                axes,
                experts,
                labels[index],
                legends.get(index),
                xlabels[index],
                factor,
                inside[index],
            )
        )
    return Arrangement(boxes, tuple(places))


def expert_labels(experts: ShareMap) -> tuple[tuple[int, str], ...]:
    """Row and text of the experts with the largest and the smallest share."""
    shares = experts.current
    known = [row for row, share in enumerate(shares) if share == share]  # noqa: PLR0124
    if not known:
        return ()
    rows = dict.fromkeys(
        (max(known, key=shares.__getitem__), min(known, key=shares.__getitem__))
    )
    times = "\N{MULTIPLICATION SIGN}"
    return tuple(
        (row, f"{experts.labels[row]} {short_value(shares[row], 2)}{times}") for row in rows
    )


def _largest(sizes: dict[int, float], page: Page, *, by_row: bool) -> dict[int, float]:
    """For each cell the largest of *sizes* in its row, or else in its column."""

    def line(index: int) -> int:
        return index // page.columns if by_row else index % page.columns

    return {
        index: max(size for other, size in sizes.items() if line(other) == line(index))
        for index in sizes
    }


def _left(panel: Panel, factor: float) -> float:
    texts: tuple[str, ...] = panel.scale.labels if panel.scale else ()
    texts += panel.experts.labels if panel.experts else ()
    wide = max((text_width(t, TICK_SIZE * factor) for t in texts), default=0.2)
    return wide + (0.12 + PAD) * factor


def _right(panel: Panel, labels: Sequence[Label], factor: float) -> float:
    texts = [label.text for label in labels]
    if panel.experts and panel.show_legend:
        texts += [text for _, text in expert_labels(panel.experts)]
    wide = max((label_width(text, factor) for text in texts), default=0.0)
    return wide + (LABEL_GAP if wide else 0.0) + PAD * factor


def _inside(
    labels: Sequence[Label], page: Page, width: float, factor: float
) -> float | None:
    """Where labels begin that have room behind the ends of the curves, in the axes."""
    ends = [label.curve.end.step for label in labels if label.curve.end]
    if not ends or page.steps is None:
        return None
    share = page.steps.position(max(ends))
    wide = labels_width(labels, factor)
    return share if wide + LABEL_GAP <= (1.0 - share) * width else None


def _xlabel(panel: Panel, page: Page) -> str:
    """The label under the axis: in a column's lowest panel, or where it differs."""
    below = [
        other
        for other in page.panels
        if other.index > panel.index and (other.index - panel.index) % page.columns == 0
    ]
    same = any(other.xlabel == panel.xlabel for other in below)
    return "" if same else panel.xlabel


def _split(panel: Panel, area: Box, factor: float) -> tuple[Box | None, Box | None]:
    """The axes of the curves and the map of the experts, as far as there are any."""
    if not panel.experts:
        return area, None
    if not panel.curves:
        return None, area
    gap = _SPLIT_GAP * factor
    lower = max(0.1, 0.55 * (area.height - gap))
    upper = max(0.1, area.height - gap - lower)
    return (
        Box(area.left, area.bottom + lower + gap, area.width, upper),
        Box(area.left, area.bottom, area.width, lower),
    )
