"""Axes that the user moves by hand: their limits, and ticks that follow them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator

from stepwell.viz.base.axis import Scale, ticks_between
from stepwell.viz.base.numbers import short_step, short_value

Limits = list[tuple[float, float]]


def limits_of(all_axes: Sequence[Axes]) -> Limits:
    """The limits of *all_axes*: of the steps, then of the values, one after the other."""
    return [
        (float(low), float(high))
        for axes in all_axes
        for low, high in (axes.get_xlim(), axes.get_ylim())
    ]


def set_limits(all_axes: Sequence[Axes], limits: Limits) -> None:
    """Set what `limits_of` gave; nothing where there are more axes or less than then."""
    if len(limits) != 2 * len(all_axes):
        return
    for axes, (steps, values) in zip(all_axes, list(pairwise(limits))[::2], strict=True):
        axes.set_xlim(*steps)
        axes.set_ylim(*values)


def free_ticks(axes: Axes, scale: Scale | None) -> None:
    """Let the ticks of *axes* follow its limits from now on, in our own numbers.

    Args:
        axes: The axes.
        scale: The axis of values; None where it has names instead of values.
    """

    def moved_steps(changed: Axes) -> None:
        _set_ticks(changed.xaxis, Scale("linear", *changed.get_xlim(), (), ()))

    def moved_values(changed: Axes) -> None:
        if scale is not None:
            low, high = changed.get_ylim()
            moved = Scale(scale.kind, low, high, (), (), scale.threshold)
            _set_ticks(changed.yaxis, moved)

    # The ticks of a page are fixed for the limits that it was made with; after a zoom few
    # of them, or none, would be in view.
    axes.callbacks.connect("xlim_changed", moved_steps)
    axes.callbacks.connect("ylim_changed", moved_values)
    reader: Any = axes
    reader.format_coord = _coordinates


def _set_ticks(axis: Any, scale: Scale) -> None:
    ticks, labels = ticks_between(scale)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(labels))


def _coordinates(step: float, value: float) -> str:
    return f"step {short_step(round(step))}   {short_value(value)}"
