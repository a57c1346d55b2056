"""Axes that stay where they are while a run grows: headroom, and moving seldom."""

from dataclasses import replace

from stepwell.viz.base.axis import Scale, linear_scale, log_scale, step_scale, symlog_scale
from stepwell.viz.base.numbers import tick_labels

_HEADROOM = 0.2  # share of the extent that is left free where an axis has grown
_LEAST_FILLED = 0.35  # below this share of the axis, it closes in on the data
_GROWTH = 1.8  # how much longer the axis of steps becomes at a time
_ROOM = 0.25  # share of the axis of steps that is kept free for the curves' names
_SHORTEST = 50  # steps on the axis of a run that has hardly begun
_NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def held_scale(old: Scale | None, fresh: Scale) -> Scale:
    """The axis for data that *fresh* would show, moved from *old* only where it must."""
    if old is None or old.kind != fresh.kind:
        return fresh
    if fresh.low >= old.low and fresh.high <= old.high:
        filled = old.position(fresh.high) - old.position(fresh.low)
        # Without this a loss that fell from 10 to 0.1 would be a flat line at the foot of
        # the axis of its first steps.
        if filled >= _LEAST_FILLED:
            return old
        return fresh
    low, high = fresh.transformed(fresh.low), fresh.transformed(fresh.high)
    # In the space where the axis is even: on a logarithmic one, a share of its decades.
    room = _HEADROOM * (high - low)
    if fresh.low >= old.low:
        low = fresh.transformed(old.low)
    # An end at exactly 0 was chosen for data on one side of it, see `linear_scale`; room
    # beyond it would suggest values that a loss can't have.
    elif fresh.low != 0.0:
        low -= room
    if fresh.high <= old.high:
        high = fresh.transformed(old.high)
    elif fresh.high != 0.0:
        high += room
    return _scale(fresh, low, high)


def held_steps(old: Scale | None, first: int, last: int, total: int | None) -> Scale:
    """The axis of steps: up to *total* where it is known, else with room to grow."""
    # An axis up to the known end never moves. A run may go beyond what its configuration
    # says, and then grows as any other.
    if total is not None and total > last:
        return old if old and old.high == total else step_scale(min(first, 0), total)
    room = 0.0 if old is None else _ROOM * (old.high - old.low)
    if old is not None and old.low <= first and last <= old.high - room:
        return old
    # From 0 on, unless a resumed or a windowed run would leave a third of the axis empty.
    start = 0 if 0 <= first < last / 3 else first
    grown = round(nice((last - start) * _GROWTH))
    return step_scale(start, start + max(_SHORTEST, grown))


def nice(value: float) -> float:
    """The next round number at or above *value*."""
    if value <= 0:
        return 1.0
    power = 10.0 ** len(str(int(value))) / 10.0
    return next((part * power for part in _NICE if part * power >= value), 10 * power)


def _scale(fresh: Scale, low: float, high: float) -> Scale:
    if fresh.kind == "log":
        # Farther out, 10.0 ** x is 0, which has no logarithm, or raises an OverflowError.
        return log_scale(10.0 ** max(low, -300.0), 10.0 ** min(high, 307.0))
    if fresh.kind == "symlog":
        grown = symlog_scale(min(fresh.low, 0.0), fresh.high * 2, fresh.threshold)
        return replace(grown, labels=tick_labels(grown.ticks))
    return linear_scale(low, high, padded=False)
