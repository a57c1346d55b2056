"""The lines and bands of a live panel: made once, then given new points."""

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.run_page.curve import Curve
from stepwell.viz.run_page.draw_curves import line_color
from stepwell.viz.run_page.page import Page
from stepwell.viz.run_page.panel import Panel

_LINE_WIDTH = 1.6
_QUIET_WIDTH = 0.7
_BAND = 0.24


@dataclass(slots=True)
class _Shown:
    line: Line2D
    band: PathPatch | None
    spikes: Line2D | None

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
        # Giving artists new data is what makes a frame cheap. They are made anew only when
        # a curve came, went, or changed its look.
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
            # Axes leave animated artists out of a full draw, so the background that is kept
            # of it has no curves; `LiveFigure` draws them over it in each frame.
            animated=True,
            label=curve.label or curve.metric,
            gid=curve.metric,
        )
        self._axes.add_line(line)
        if quiet:
            return _Shown(line, None, None)
        # Patch and line: drawn in two thirds of the time of collections.
        band = PathPatch(
            _outline([]),
            facecolor=color,
            edgecolor="none",
            linewidth=0,
            alpha=_BAND * alpha,
            animated=True,
        )
        spikes = Line2D(
            [],
            [],
            color=color,
            linewidth=1.0,
            alpha=0.75 * alpha,
            solid_capstyle="butt",
            animated=True,
        )
        self._axes.add_artist(band)
        self._axes.add_artist(spikes)
        return _Shown(line, band, spikes)


def _update(shown: _Shown, curve: Curve) -> None:
    shown.line.set_data(curve.steps, curve.values)
    # A line through a single point has no length and would not be seen without a marker.
    alone = int(np.isfinite(curve.values).sum()) == 1
    shown.line.set_marker("o" if curve.has_markers or alone else "none")
    shown.line.set_markersize(6.0 if alone else 3.2)
    if shown.band is not None:
        outlines = band_outlines(curve)
        shown.band.set_visible(bool(outlines))
        shown.band.set_path(_outline(outlines))
    if shown.spikes is not None:
        shown.spikes.set_visible(bool(curve.spikes))
        shown.spikes.set_data(*_spike_strokes(curve))


def _outline(outlines: list[NDArray[np.float64]]) -> Path:
    if len(outlines) == 1:
        return Path(outlines[0])
    return Path.make_compound_path(*map(Path, outlines))


def band_outlines(curve: Curve) -> list[NDArray[np.float64]]:
    """The band of extremes as closed outlines, one for each stretch without a gap."""
    if not (curve.has_band or curve.is_smoothed):
        return []
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    # With False at both ends each stretch has a first and a last edge, also where the band
    # begins or ends with the data, so that edges come in pairs.
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


def _spike_strokes(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A stroke from the line to the tip of each spike, and a gap behind it."""
    if not curve.spikes:
        return np.zeros(0), np.zeros(0)
    # `np.interp` would hand a NaN beside a gap on to the foot of a spike.
    known = np.isfinite(curve.values)
    steps = np.array([spike.step for spike in curve.spikes], np.float64)
    tips = np.array([spike.value for spike in curve.spikes], np.float64)
    feet = np.interp(steps, curve.steps[known], curve.values[known])
    # A NaN lifts the pen, so one artist draws all strokes.
    gap = np.full(len(steps), np.nan)
    return np.repeat(steps, 3), np.column_stack([feet, tips, gap]).ravel()
