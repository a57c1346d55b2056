"""One panel as a value: its curves, its axis and what has to be said about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from stepwell.store import metric_words
from stepwell.viz.base.axis import FARTHEST, Scale, linear_scale, log_scale, symlog_scale
from stepwell.viz.base.metric_names import member, readable, short_labels
from stepwell.viz.config.visualizer_config import MetricConfig, PlotConfig

from .curve import Curve, Mark, curve_of
from .expert_shares import ShareMap, experts_among, share_map
from .line_looks import Look

if TYPE_CHECKING:
    from stepwell.store import ReducedSeries

_SPIKE_GROWTH = 2.0
_MANY_MEMBERS = 8


@dataclass(frozen=True, slots=True)
class Panel:
    """What one cell of the figure shows.

    Attributes:
        index: Number of the cell, row by row.
        title: Title of the panel.
        xlabel: What the steps are.
        scale: The axis of the values; None without curves.
        curves: The curves that have points, in the order of the metrics.
        quiet: Metrics whose curves are thin and neutral, members of a large family.
        experts: The loads of the experts, where the panel has many.
        clipped: Spikes beyond the axis.
        notes: What to know when reading, the most important first.
        waiting: The metrics that the panel waits for, when it has no points at all.
        show_grid: Whether to draw grid lines.
        show_legend: Whether to name the curves.
    """

    index: int
    title: str
    xlabel: str = "Step"
    scale: Scale | None = None
    curves: tuple[Curve, ...] = ()
    quiet: frozenset[str] = frozenset()
    experts: ShareMap | None = None
    clipped: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    show_grid: bool = True
    show_legend: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return not self.curves and self.experts is None


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell of the figure shall show.

    Attributes:
        index: Number of the cell, row by row.
        plot: Its titles and its scale.
        metrics: The metrics that it shall show.
        looks: A look for each of them.
        accents: Colours for the lowest and the highest of a large family, by preference.
    """

    index: int
    plot: PlotConfig
    metrics: Sequence[MetricConfig]
    looks: Sequence[Look]
    accents: Sequence[str]


def panel_of(
    cell: Cell,
    found: Mapping[str, "ReducedSeries"],
    *,
    pixels_per_step: float = 1.0,
) -> Panel:
    """The panel that shows the metrics of *cell* as far as they are *found*.

    Args:
        cell: What it shall show.
        found: The reduced points by name; metrics without points are absent.
        pixels_per_step: Width of a step, which decides on markers.
    """
    plot = cell.plot
    experts = experts_among([m for m in cell.metrics if m.metric_name in found])
    mapped = {metric.metric_name for metric in experts}
    # Metrics without points keep their looks reserved: colours must not change places when
    # a metric's first point comes.
    shown = [
        (metric, look)
        for metric, look in zip(cell.metrics, cell.looks, strict=True)
        if metric.metric_name in found and metric.metric_name not in mapped
    ]
    kind = _kind(plot.yscale, [found[metric.metric_name] for metric, _ in shown])
    labels = _labels([metric for metric, _ in shown], plot.title)
    curves = [
        curve_of(
            found[metric.metric_name],
            label,
            look,
            is_log=kind == "log",
            pixels_per_step=pixels_per_step,
        )
        for (metric, look), label in zip(shown, labels, strict=True)
    ]
    families = large_families(curves)
    scale, clipped = _scale(kind, curves)
    return Panel(
        index=cell.index,
        title=plot.title,
        xlabel=plot.xlabel,
        scale=scale,
        curves=_accented(curves, families, cell.accents),
        quiet=frozenset(c.metric for family in families for c in family[1:-1]),
        experts=share_map([found[m.metric_name] for m in experts]) if experts else None,
        clipped=clipped,
        notes=_notes(plot, kind, curves, has_map=bool(experts)),
        waiting=() if shown or experts else tuple(m.metric_name for m in cell.metrics),
        show_grid=plot.show_grid,
        show_legend=plot.show_legend,
    )


def large_families(curves: Sequence[Curve]) -> list[list[Curve]]:
    """The curves of each large numbered family, ordered by their values at the end.

    Many lines of one kind can't all be told apart; they are drawn alike, thin and
    neutral, and only the lowest and the highest stand out. A curve with a colour of the
    user's own belongs to no family.
    """
    families: dict[str, list[Curve]] = {}
    for curve in curves:
        numbered = member(curve.metric)
        if numbered and not curve.look.own and curve.end:
            families.setdefault(numbered.family, []).append(curve)
    return [
        sorted(members, key=lambda curve: curve.end.value if curve.end else 0.0)
        for members in families.values()
        if len(members) > _MANY_MEMBERS
    ]


def _accented(
    curves: Sequence[Curve], families: Sequence[Sequence[Curve]], accents: Sequence[str]
) -> tuple[Curve, ...]:
    """*curves* with the accents' colours on the extremes of large families."""
    extremes = [curve.metric for family in families for curve in (family[0], family[-1])]
    members = {curve.metric for family in families for curve in family}
    taken = {curve.look.color for curve in curves if curve.metric not in members}
    # Preferably colours that no other curve of the panel has.
    free = [color for color in accents if color not in taken] or accents
    colors = dict(zip(extremes, cycle(free), strict=False))
    return tuple(
        replace(curve, look=replace(curve.look, color=color, line_style="-"))
        if (color := colors.get(curve.metric))
        else curve
        for curve in curves
    )


def _labels(metrics: Sequence[MetricConfig], title: str) -> tuple[str, ...]:
    short = short_labels([metric.metric_name for metric in metrics], title)
    return tuple(
        short_label if metric.label is None else metric.label
        for metric, short_label in zip(metrics, short, strict=True)
    )


def _kind(wanted: str, series: Sequence["ReducedSeries"]) -> str:
    if wanted == "log" and any(np.any(one.minimum <= 0) for one in series):
        return "symlog"
    return wanted


def _scale(kind: str, curves: Sequence[Curve]) -> tuple[Scale | None, tuple[Mark, ...]]:
    extents = [_extent(curve) for curve in curves]
    ends = [end for extent in extents for end in extent]
    if not ends:
        # Curves without any finite point still need axes: their NaN are marked there.
        return (linear_scale(0.0, 1.0) if curves else None), ()
    low, high = min(ends), max(ends)
    spikes = [spike for curve in curves for spike in curve.spikes]
    clipped: list[Mark] = []
    for spike in spikes:
        growth = max(spike.value, high) - min(spike.value, low)
        # One spike must not press all else flat; it is marked at the edge instead. A
        # logarithmic axis has room for it.
        if kind == "linear" and growth > _SPIKE_GROWTH * (high - low):
            clipped.append(spike)
    reached = [spike.value for spike in spikes if spike not in clipped]
    low, high = min([low, *reached]), max([high, *reached])
    if kind == "log":
        return log_scale(low, high), ()
    if kind == "symlog":
        return symlog_scale(low, high, _smallest(curves)), ()
    return linear_scale(low, high), tuple(clipped)


def _extent(curve: Curve) -> tuple[float, ...]:
    """Lowest and highest value that the axis must hold, without the spikes."""
    spikes = {spike.value for spike in curve.spikes}
    values = np.concatenate([curve.values, curve.low, curve.high])
    values = values[np.isfinite(values) & ~np.isin(values, list(spikes))]
    return (float(values.min()), float(values.max())) if len(values) else ()


def _smallest(curves: Sequence[Curve]) -> float:
    """A size below which a symmetric logarithmic axis may be linear."""
    sizes = np.concatenate(
        [np.abs(part) for curve in curves for part in (curve.low, curve.high)]
    )
    sizes = sizes[np.isfinite(sizes) & (sizes > 0) & (sizes < FARTHEST)]
    return float(np.percentile(sizes, 2)) if len(sizes) else 1.0


def _notes(
    plot: PlotConfig, kind: str, curves: Sequence[Curve], *, has_map: bool
) -> tuple[str, ...]:
    notes = []
    count = sum(curve.non_finite_count for curve in curves)
    if count:
        notes.append(f"{count:,} NaN or Inf")
    if kind != plot.yscale:
        notes.append("symlog: some ≤ 0")
    if _tells_more(plot.ylabel, plot.title):
        notes.append(readable(plot.ylabel))
    if has_map and not curves:
        return (*notes, "share ÷ even share")
    if kind == plot.yscale != "linear":
        notes.append(kind)
    if any(curve.is_smoothed for curve in curves):
        notes.append("line: smoothed · band: min\N{EN DASH}max")
    return tuple(notes)


def _tells_more(ylabel: str, title: str) -> bool:
    said = {word.removesuffix("s") for word in metric_words(title)}
    found = {word.removesuffix("s") for word in metric_words(ylabel)}
    return bool(ylabel.strip()) and (not found or not found <= said)
