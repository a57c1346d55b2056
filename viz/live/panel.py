"""One panel of a live figure: what stands still is drawn seldom, the curves each frame."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from stepwell.viz.base.boxes import Box
from stepwell.viz.drawing.contrast import readable_color
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.run_page.curve_labels import LABEL_SIZE
from stepwell.viz.run_page.draw_axes import (
    add_axes,
    draw_titles,
    draw_waiting,
    draw_xlabel,
    scale_texts,
    set_scale,
)
from stepwell.viz.run_page.draw_curves import draw_marks, line_color
from stepwell.viz.run_page.draw_experts import draw_experts
from stepwell.viz.run_page.draw_labels import draw_legend, label_heights
from stepwell.viz.run_page.layout import LABEL_GAP, Place
from stepwell.viz.run_page.page import Page
from stepwell.viz.run_page.panel import Panel

from .curves import LiveCurves
from .text_bitmap import Picture, pictures, word
from .zoom import Limits, free_ticks, limits_of, set_limits

_REACH = 0.09  # inches by which lines and marks may leave the axes


class LivePanel:
    """The artists of one panel.

    Args:
        figure: The figure that they are on.
        place: Where the panel stands, and what it shows.
        page: The page that it belongs to.
    """

    def __init__(self, figure: Figure, place: Place, page: Page) -> None:
        self.place = place
        self.page = page
        self.axes: Axes | None = None
        self.experts: Axes | None = None
        self._figure = figure
        self._labels = place.labels
        self._words: list[Picture] = []
        self._drawn: list[Artist] = []
        self._marks: list[Artist] = []
        self._marked: object = None
        self._curves: LiveCurves | None = None
        self._make()
        # Nothing of ours moves these axes later, as a panel whose axes move is made anew.
        # So limits that differ from these are the user's zoom.
        self._home = limits_of(self.all_axes)

    @property
    def is_at_home(self) -> bool:
        """Whether the axes stand as they were made, not zoomed or moved by hand."""
        return limits_of(self.all_axes) == self._home

    @property
    def limits(self) -> Limits:
        """The limits of the axes, as they stand."""
        return limits_of(self.all_axes)

    def hold(self, limits: Limits) -> None:
        """Show the part of the data that the user had chosen."""
        set_limits(self.all_axes, limits)

    def _make(self) -> None:
        figure, place, page = self._figure, self.place, self.page
        panel = place.panel
        upper = lower = None
        if place.axes:
            upper = lower = add_axes(figure, page, place.axes, name=f"panel {panel.index}")
            self.axes = upper
            self._curves = LiveCurves(upper)
            scale_texts(upper, place.text)
            if panel.scale:
                set_scale(upper, panel.scale, page, has_grid=panel.show_grid)
                draw_legend(upper, place, page)
            else:
                draw_waiting(upper, place, page)
        if place.experts:
            lower = self.experts = add_axes(
                figure, page, place.experts, name=f"experts {panel.index}"
            )
            scale_texts(lower, place.text)
            draw_experts(lower, place, page)
            if upper:
                upper.tick_params(axis="x", labelbottom=False)
        top = upper or lower
        if top and lower:
            draw_titles(top, place, page)
            draw_xlabel(lower, place, page)
        for axes in self.all_axes:
            free_ticks(axes, place.panel.scale if axes is self.axes else None)

    def remove(self) -> None:
        """Take all artists off the figure."""
        for axes in self.all_axes:
            axes.remove()
        self.axes = self.experts = None

    @property
    def all_axes(self) -> Sequence[Axes]:
        """The axes that stand still."""
        return [axes for axes in (self.axes, self.experts) if axes is not None]

    def set_panel(self, panel: Panel, page: Page, renderer: object) -> None:
        """Bring lines, bands and marks up to date; axes and texts stay."""
        self.place, self.page = replace(self.place, panel=panel), page
        if self.axes is None or self._curves is None:
            return
        self._curves.set(panel, page)
        self._set_marks(self.axes, panel, renderer)
        self._place_words(self.axes)

    def set_labels(self, place: Place) -> None:
        """Take over the names and values of *place*; they are drawn later."""
        self._labels = place.labels

    @property
    def is_crowded(self) -> bool:
        """Whether the labels have no room left within the axes."""
        box = self.place.axes
        if self.place.labels_at is None or box is None:
            return False
        # Labels grow with their values, say from 0.9 to 12.5k. One that would leave its
        # cell needs a new layout, as the neighbour's region is not restored with this one.
        edge = (self.place.cell.right - 0.06) * self._figure.dpi
        return any(picture.right > edge for picture in self._words)

    def moving(self) -> list[Artist]:
        """The artists that are drawn each frame, lowest first."""
        curves: Sequence[Artist] = self._curves.artists() if self._curves else ()
        return [*curves, *self._marks, *self._words]

    def area(self) -> Bbox:
        """The pixels that moving artists may touch."""
        box, cell = self.place.axes or self.place.area, self.place.cell
        # This region is restored and shown in each frame: the axes, what may reach over
        # their edge, and the labels up to the end of the cell. Ticks at the left stand
        # still.
        left = box.left - _REACH
        return self._pixels(
            Box(
                left,
                box.bottom - _REACH / 2,
                cell.right - left,
                box.height + 2 * _REACH,
            )
        )

    def cell(self) -> Bbox:
        """The pixels of the whole cell."""
        return self._pixels(self.place.cell)

    def _pixels(self, box: Box) -> Bbox:
        dpi = self._figure.dpi
        edges = np.array([[box.left, box.bottom], [box.right, box.top]]) * dpi
        # Regions are copied in whole pixels. Cells share their edges, and equal edges round
        # alike, so there is neither a gap between neighbours nor an overlap.
        return Bbox(np.round(edges))

    def _set_marks(self, axes: Axes, panel: Panel, renderer: object) -> None:
        # Marks have texts, the dearest part of a frame; they are made anew only when one of
        # these has changed. The limits are among them as a zoom clips the marks.
        marked = (
            panel.scale,
            panel.clipped,
            tuple((c.metric, c.best, c.non_finite) for c in panel.curves),
            limits_of([axes]),
        )
        if marked == self._marked:
            return
        self._marked = marked
        for artist in self._drawn:
            artist.remove()
        with own_style():
            self._drawn = draw_marks(axes, self.place, self.page)
        for artist in self._drawn:
            artist.set_animated(True)
        if self.is_at_home:
            self._marks = pictures(self._drawn, renderer)
        else:  # what is out of view must not be drawn beside the axes
            self._marks = [a for a in self._drawn if not isinstance(a, Text)]
            for artist in self._marks:
                artist.set_clip_on(True)

    def _place_words(self, axes: Axes) -> None:
        """Put names and values where the curves end now."""
        self._words = []
        box, panel = self.place.axes, self.place.panel
        if box is None or panel.scale is None or not self.is_at_home:
            return
        present = {curve.metric: curve for curve in panel.curves if curve.end}
        labels = [
            replace(label, curve=present[label.curve.metric])
            for label in self._labels
            if label.curve.metric in present
        ]
        low, high = axes.get_xlim()
        ends = [label.curve.end.step for label in labels if label.curve.end]
        # In axes that have room left for the run to grow, names follow the longest curve's
        # end; without such room they stand at the right, beside the axes.
        share = 1.0
        if self.place.labels_at is not None and ends:
            share = min(1.0, (max(ends) - low) / (high - low))
        place = replace(self.place, labels=tuple(labels))
        dpi = self._figure.dpi
        for label, height in zip(labels, label_heights(place), strict=True):
            color = readable_color(line_color(label.curve, self.page), self.page.theme)
            self._words.append(
                word(
                    label.text,
                    (box.left + share * box.width + LABEL_GAP) * dpi,
                    (box.bottom + height) * dpi,
                    color=color,
                    size=LABEL_SIZE * place.text,
                    weight="bold",
                    dpi=dpi,
                )
            )
