"""One panel of a live figure: what stands still is drawn seldom, the curves each frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from ._arrangement import Place
from ._curve import Curve
from ._draw_axes import (
    add_axes,
    draw_titles,
    draw_waiting,
    draw_xlabel,
    scale_texts,
    set_scale,
)
from ._draw_curves import draw_marks, line_color
from ._draw_experts import draw_experts
from ._draw_labels import draw_labels, draw_legend
from ._geometry import Box
from ._page import Page

_LINE_WIDTH = 1.6
_QUIET_WIDTH = 0.7
_BAND = 0.24


@dataclass(slots=True)
class _Curves:
    line: Line2D
    band: PolyCollection | None
    spikes: LineCollection | None


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
        self._figure = figure
        self._curves: dict[str, _Curves] = {}
        self._words: list[Artist] = []
        self._marks: list[Artist] = []
        self.axes: Axes | None = None
        self.experts: Axes | None = None
        self._make()
        self._home = self._limits()

    @property
    def is_at_home(self) -> bool:
        """Whether the axes stand as they were made, not zoomed or moved by hand."""
        return self._limits() == self._home

    def _limits(self) -> list[tuple[float, float]]:
        return [
            (float(low), float(high))
            for axes in self.all_axes
            for low, high in (axes.get_xlim(), axes.get_ylim())
        ]

    def _make(self) -> None:
        figure, place, page = self._figure, self.place, self.page
        panel = place.panel
        upper = lower = None
        if place.axes:
            upper = lower = add_axes(figure, page, place.axes, name=f"panel {panel.index}")
            self.axes = upper
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

    def remove(self) -> None:
        """Take all artists off the figure."""
        for axes in (self.axes, self.experts):
            if axes is not None:
                axes.remove()
        self.axes = self.experts = None

    @property
    def all_axes(self) -> Sequence[Axes]:
        """The axes that stand still."""
        return [axes for axes in (self.axes, self.experts) if axes is not None]

    def set_curves(self, place: Place, page: Page) -> None:
        """Bring lines, bands and marks up to date; nothing else changes."""
        self.place, self.page = place, page
        axes = self.axes
        if axes is None:
            return
        names = {curve.metric for curve in place.panel.curves}
        for name in self._curves.keys() - names:
            gone = self._curves.pop(name)
            for part in (gone.line, gone.band, gone.spikes):
                if part is not None:
                    part.remove()
        for order, curve in enumerate(place.panel.curves):
            self._set_curve(axes, curve, order)
        for artist in self._marks:
            artist.remove()
        self._marks = draw_marks(axes, place, page)
        for artist in self._marks:
            artist.set_animated(True)

    def set_words(self) -> None:
        """Write the names and newest values at the ends of the curves anew."""
        if self.axes is None:
            return
        for artist in self._words:
            artist.remove()
        before = set(self.axes.get_children())
        draw_labels(self.axes, self.place, self.page)
        self._words = [a for a in self.axes.get_children() if a not in before]
        for artist in self._words:
            artist.set_animated(True)

    def moving(self) -> list[Artist]:
        """The artists that are drawn each frame, lowest first."""
        artists: list[Artist] = []
        for shown in self._curves.values():
            artists += [a for a in (shown.band, shown.spikes) if a is not None]
        artists += [shown.line for shown in self._curves.values()]
        artists += self._marks
        return artists

    @property
    def words(self) -> Sequence[Artist]:
        """The names and newest values beside the axes."""
        return self._words

    def area(self) -> Bbox:
        """The pixels that moving artists may touch."""
        box = self.place.axes or self.place.area
        pad = 0.09
        return self._pixels(
            Box(
                box.left - pad,
                box.bottom - pad / 2,
                box.width + 2 * pad,
                box.height + 2 * pad,
            )
        )

    def words_area(self) -> Bbox:
        """The pixels beside the axes, up to the end of the cell."""
        box, cell = self.place.axes or self.place.area, self.place.cell
        left = box.right + 0.09
        return self._pixels(
            Box(left, box.bottom - 0.1, cell.right - left, box.height + 0.2)
        )

    def cell(self) -> Bbox:
        """The pixels of the whole cell."""
        return self._pixels(self.place.cell)

    def _pixels(self, box: Box) -> Bbox:
        dpi = self._figure.dpi
        edges = np.array([[box.left, box.bottom], [box.right, box.top]]) * dpi
        return Bbox(np.round(edges))

    def _set_curve(self, axes: Axes, curve: Curve, order: int) -> None:
        shown = self._curves.get(curve.metric)
        if shown is None:
            shown = self._curves[curve.metric] = self._new_curve(axes, curve, order)
        shown.line.set_data(curve.steps, curve.values)
        alone = int(np.isfinite(curve.values).sum()) == 1
        shown.line.set_marker("o" if curve.has_markers or alone else "none")
        shown.line.set_markersize(6.0 if alone else 3.2)
        if shown.band is not None:
            shown.band.set_verts(band_outlines(curve))
        if shown.spikes is not None:
            shown.spikes.set_segments(spike_segments(curve))

    def _new_curve(self, axes: Axes, curve: Curve, order: int) -> _Curves:
        color, alpha = line_color(curve, self.page), curve.look.alpha
        quiet = curve.metric in self.place.panel.quiet
        line = Line2D(
            [],
            [],
            color=self.page.theme.neutral if quiet else color,
            linestyle="-" if quiet else curve.look.line_style,  # type: ignore[arg-type]
            linewidth=_QUIET_WIDTH if quiet else _LINE_WIDTH,
            alpha=alpha,
            solid_capstyle="round",
            solid_joinstyle="round",
            markeredgewidth=0,
            zorder=2.0 if quiet else 3.0 + 0.01 * order,
            animated=True,
        )
        axes.add_line(line)
        if quiet:
            return _Curves(line, None, None)
        band = PolyCollection(
            [], facecolor=color, edgecolor="none", alpha=_BAND * alpha, animated=True
        )
        spikes = LineCollection([], colors=color, linewidths=1.0, alpha=0.75 * alpha)
        spikes.set_animated(True)
        axes.add_collection(band, autolim=False)
        axes.add_collection(spikes, autolim=False)
        return _Curves(line, band, spikes)


def band_outlines(
    curve: Curve,
) -> "list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]":
    """The band of extremes as closed outlines, one for each stretch without a gap."""
    if not (curve.has_band or curve.is_smoothed):
        return []
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    outlines = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        steps, low, high = (
            part[start:stop] for part in (curve.steps, curve.low, curve.high)
        )
        outlines.append(
            np.column_stack(
                [np.concatenate([steps, steps[::-1]]), np.concatenate([low, high[::-1]])]
            )
        )
    return outlines


def spike_segments(curve: Curve) -> "list[list[tuple[float, float]]]":
    """A stroke from the line to the tip of each spike."""
    if not curve.spikes:
        return []
    known = np.isfinite(curve.values)
    feet = np.interp(
        [spike.step for spike in curve.spikes], curve.steps[known], curve.values[known]
    )
    return [
        [(spike.step, float(foot)), (spike.step, spike.value)]
        for spike, foot in zip(curve.spikes, feet, strict=True)
    ]
