"""One metric as it is drawn: a line, a band of extremes, and marks."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stepwell.store import better_side
from stepwell.viz.base.auto_smoothing import is_noisy, smoothed, spike_columns
from stepwell.viz.base.axis import FARTHEST, bounded
from stepwell.viz.base.metric_names import is_validation

from .line_looks import Look

if TYPE_CHECKING:
    from stepwell.store import ReducedSeries

Floats = NDArray[np.float64]
_MARKER_SPACING = 7.0
_FEW_POINTS = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """A point that stands out: a spike, or the best value."""

    step: float
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What one curve shows.

    Attributes:
        metric: Name of the metric.
        label: Name of the curve in the panel; empty where the title says it.
        look: Colour, style and opacity.
        steps: Steps of the line.
        values: Values of the line; NaN is a gap.
        low: Least value of each pixel column.
        high: Greatest value of each pixel column.
        last: The newest value, which may be NaN or infinite.
        has_markers: Whether each point of the line has a small marker.
        is_smoothed: Whether the line is a smoothed mean instead of the mean.
        spikes: Lone points far from the line.
        best: Best point of a validation metric.
        non_finite: Steps and values of points that are NaN or infinite.
        non_finite_count: How many such points there are.
    """

    metric: str
    label: str
    look: Look
    steps: Floats
    values: Floats
    low: Floats
    high: Floats
    last: float
    has_markers: bool = False
    is_smoothed: bool = False
    spikes: tuple[Mark, ...] = ()
    best: Mark | None = None
    non_finite: tuple[Mark, ...] = field(default=())
    non_finite_count: int = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Curve):
            return NotImplemented
        return all(
            _same(getattr(self, part.name), getattr(other, part.name))
            for part in fields(self)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def has_band(self) -> bool:
        """Whether some column holds more than one value."""
        return bool(np.any(self.high > self.low))

    @property
    def end(self) -> Mark | None:
        """Last point of the line."""
        finite = np.flatnonzero(np.isfinite(self.values))
        if not len(finite):
            return None
        return Mark(float(self.steps[finite[-1]]), float(self.values[finite[-1]]))

    @property
    def end_value(self) -> float:
        """The value to write at the line's end: where it stands, unless that is no number.

        The newest value of a noisy metric may be far from the smoothed line's end.
        """
        if self.is_smoothed and self.end and math.isfinite(self.last):
            return self.end.value
        return self.last


def curve_of(
    series: "ReducedSeries",
    label: str,
    look: Look,
    *,
    is_log: bool = False,
    pixels_per_step: float = 1.0,
) -> Curve:
    """The curve of *series*.

    Args:
        series: The points, reduced to pixel columns.
        label: Name of the curve.
        look: How it is drawn.
        is_log: Whether the axis is logarithmic, so that noise is judged by ratio.
        pixels_per_step: Width of a step, which decides on markers.
    """
    steps = (series.first_step + series.last_step) / 2.0
    # A bucket stands at its middle, but the line reaches from the first point to the last:
    # in a live view its end would else lag behind the run.
    steps[:1], steps[-1:] = series.first_step[:1], series.last_step[-1:]
    low, high, mean = (bounded(v) for v in (series.minimum, series.maximum, series.mean))
    has_markers = _has_markers(series, pixels_per_step)
    forward: Callable[[Floats], Floats] = np.log10 if is_log else _unchanged
    backward: Callable[[Floats], Floats] = _power_of_ten if is_log else _unchanged
    columns = (forward(mean), forward(low), forward(high))
    # Where each point has a marker the points are few, and shall be seen as they are.
    is_smoothed = not has_markers and is_noisy(*columns)
    spikes = spike_columns(*columns) if is_smoothed else np.zeros((2, len(mean)), np.bool_)
    values = mean
    if is_smoothed:
        # A fitted line may overshoot at its ends, and on a logarithmic axis its power of
        # ten beyond any value there is.
        values = np.clip(
            backward(smoothed(columns[0], np.logical_not(spikes[0] | spikes[1]))),
            low.min(initial=FARTHEST, where=np.isfinite(low)),
            high.max(initial=-FARTHEST, where=np.isfinite(high)),
        )
    return Curve(
        metric=series.metric,
        label=label,
        look=look,
        steps=steps,
        values=values,
        low=low,
        high=high,
        last=float(series.last[-1]),
        has_markers=has_markers,
        is_smoothed=is_smoothed,
        spikes=(
            *_marks(series.minimum_step[spikes[0]], low[spikes[0]]),
            *_marks(series.maximum_step[spikes[1]], high[spikes[1]]),
        ),
        best=_best(series),
        non_finite=tuple(_marks(series.non_finite_steps, series.non_finite_values)),
        non_finite_count=int(series.non_finite.sum()),
    )


def _has_markers(series: "ReducedSeries", pixels_per_step: float) -> bool:
    gaps = series.points - 1
    if gaps < 1:
        return True
    stride = float(series.last_step[-1] - series.first_step[0]) / gaps
    # Markers tell that a metric was measured now and then, such as a validation.
    is_sparse = stride > 1.5 or gaps < _FEW_POINTS  # noqa: PLR2004 steps a point
    return is_sparse and stride * pixels_per_step >= _MARKER_SPACING


def _best(series: "ReducedSeries") -> Mark | None:
    side = better_side(series.metric)
    if side is None or not is_validation(series.metric):
        return None
    values = series.minimum if side == "min" else series.maximum
    steps = series.minimum_step if side == "min" else series.maximum_step
    if np.isfinite(values).sum() <= 1:
        return None
    index = int(np.nanargmin(values) if side == "min" else np.nanargmax(values))
    return Mark(float(steps[index]), float(values[index]))


def _marks(steps: NDArray[np.int64], values: Floats) -> list[Mark]:
    pairs = zip(steps.tolist(), values.tolist(), strict=True)
    return [Mark(float(step), value) for step, value in pairs]


def _unchanged(values: Floats) -> Floats:
    return values


def _power_of_ten(values: Floats) -> Floats:
    powers: Floats = np.power(10.0, values)
    return powers


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=True))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (one != one and other != other)  # noqa: PLR0124 NaN
    return bool(one == other) or repr(one) == repr(other)
