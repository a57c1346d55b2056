"""The lines and bands of a live panel: made once, then given new points."""

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ._curve import Curve
from ._draw_curves import line_color
from ._page import Page
from ._panel import Panel
from ._style import own_style

_LINE_WIDTH = 1.6
_QUIET_WIDTH = 0.7
_BAND = 0.24


@dataclass(slots=True)
class _Shown:
    line: Line2D
    band: PolyCollection | None
    spikes: LineCollection | None

    @property
    def parts(self) -> list[Artist]:
        parts = (self.band, self.spikes, self.line)
        return [part for part in parts if part is not None]


class LiveCurves:
    """The artists of a panel's curves.

    Args:
        axes: The axes that they are on.
    """

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._shown: dict[str, _Shown] = {}
        self._looks: object = None

    def set(self, panel: Panel, page: Page) -> None:
        """Bring all curves up to date."""
        looks = [(curve.metric, curve.look) for curve in panel.curves], panel.quiet
        if looks != self._looks:
            self._looks = looks
            for shown in self._shown.values():
                for part in shown.parts:
                    part.remove()
            with own_style():
                self._shown = {
                    curve.metric: self._new(curve, order, panel, page)
                    for order, curve in enumerate(panel.curves)
                }
        for curve in panel.curves:
            _update(self._shown[curve.metric], curve)

    def artists(self) -> list[Artist]:
        """Everything, in the order in which it is drawn."""
        shown = self._shown.values()
        below = [a for one in shown for a in (one.band, one.spikes) if a is not None]
        return [*below, *sorted((one.line for one in shown), key=Line2D.get_zorder)]

    def _new(self, curve: Curve, order: int, panel: Panel, page: Page) -> _Shown:
        color, alpha = line_color(curve, page), curve.look.alpha
        quiet = curve.metric in panel.quiet
        line = Line2D(
            [],
            [],
            color=page.theme.neutral if quiet else color,
            linestyle="-" if quiet else curve.look.line_style,  # type: ignore[arg-type]
            linewidth=_QUIET_WIDTH if quiet else _LINE_WIDTH,
            alpha=0.7 * alpha if quiet else alpha,
            solid_capstyle="round",
            solid_joinstyle="round",
            markeredgewidth=0,
            zorder=2.0 if quiet else 3.0 + 0.01 * order,
            animated=True,
            label=curve.label or curve.metric,
            gid=curve.metric,
        )
        self._axes.add_line(line)
        if quiet:
            return _Shown(line, None, None)
        band = PolyCollection(
            [], facecolor=color, edgecolor="none", alpha=_BAND * alpha, animated=True
        )
        spikes = LineCollection([], colors=color, linewidths=1.0, alpha=0.75 * alpha)
        spikes.set_animated(True)
        self._axes.add_collection(band, autolim=False)
        self._axes.add_collection(spikes, autolim=False)
        return _Shown(line, band, spikes)


def _update(shown: _Shown, curve: Curve) -> None:
    shown.line.set_data(curve.steps, curve.values)
    alone = int(np.isfinite(curve.values).sum()) == 1
    shown.line.set_marker("o" if curve.has_markers or alone else "none")
    shown.line.set_markersize(6.0 if alone else 3.2)
    if shown.band is not None:
        outlines = band_outlines(curve)
        shown.band.set_visible(bool(outlines))
        shown.band.set_verts(outlines)
    if shown.spikes is not None:
        segments = spike_segments(curve)
        shown.spikes.set_visible(bool(segments))
        shown.spikes.set_segments(segments)


def band_outlines(curve: Curve) -> list[NDArray[np.float64]]:
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


def spike_segments(curve: Curve) -> list[list[tuple[float, float]]]:
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
