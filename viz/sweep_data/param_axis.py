"""Where the values of a configuration key stand on an axis from 0.0 to 1.0."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepwell.viz.base.axis import bounded
from stepwell.viz.base.numbers import short_value

MISSING = -0.12
"""Where a run stands that has no value of the key."""

_FEW = 8
_MANY_WORDS = 12
_WIDE = 30.0
_FEWEST_FOR_RATIO = 3


@dataclass(frozen=True, slots=True)
class ParamScale:
    """The axis of one configuration key.

    Attributes:
        kind: `linear`, `log` or `words`.
        ticks: Positions of the labels, 0.0 to 1.0.
        labels: Their texts.
        is_discrete: Whether the key takes few values, each of which has a label.
    """

    kind: str
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    is_discrete: bool


def is_logarithmic(values: NDArray[np.float64]) -> bool:
    """Whether finite *values* are better told apart by their ratios.

    They are where all are positive, and either the largest is thirty times the smallest,
    or the steps between neighbours are more alike as ratios than as differences. The
    median of many must also be nearer the middle of an axis of ratios: of values drawn
    evenly from 0 to 1 the smallest is any.
    """
    kinds = np.unique(values[np.isfinite(values)])
    if len(kinds) < 2 or kinds[0] <= 0:  # noqa: PLR2004
        return False
    with np.errstate(over="ignore"):
        # The quotient of extreme doubles is infinite, which is wide enough.
        if kinds[-1] / kinds[0] >= _WIDE:
            return len(kinds) <= _FEW or _has_its_middle_by_ratio(kinds)
    if not _FEWEST_FOR_RATIO <= len(kinds) <= _FEW:
        return False
    return _unevenness(np.log(kinds)) < _unevenness(kinds) - 1e-9


def scaled(column: NDArray[Any]) -> tuple[ParamScale, NDArray[np.float64]]:
    """The scale for *column*, and the position of each of its values.

    Args:
        column: float64 with NaN, or objects with None, where a run has no value.

    Returns:
        The scale; and float64 positions, NaN where there is no finite value.
    """
    if column.dtype == object:
        return _words(column)
    values = column.astype(np.float64)
    finite = np.isfinite(values)
    values[finite] = bounded(values[finite])
    kinds = np.unique(values[finite])
    if not len(kinds):
        return ParamScale("linear", (), (), True), np.full(len(values), np.nan)
    is_log = is_logarithmic(values)
    places = np.full(len(values), np.nan)
    places[finite] = _positions(values[finite], kinds, is_log)
    if len(kinds) <= _FEW:
        shown = kinds
    elif is_log:
        shown = np.geomspace(kinds[0], kinds[-1], 4)
    else:
        shown = kinds[0] + (kinds[-1] - kinds[0]) * np.linspace(0.0, 1.0, 4)
    ticks = _positions(shown, kinds, is_log)
    few = len(kinds) <= _FEW
    labels = tuple(short_value(float(value), 5 if few else 2) for value in shown)
    kind = "log" if is_log else "linear"
    return ParamScale(kind, tuple(ticks.tolist()), labels, few), places


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Each of *keys* without the sections that are not needed to tell it from others."""
    found: dict[str, str] = {}
    for key in keys:
        parts = key.split(".")
        for count in range(1, len(parts) + 1):
            end = ".".join(parts[-count:])
            # Cut at whole sections only: "lr" is not the end of "min_lr".
            same = [k for k in keys if k == end or k.endswith("." + end)]
            if len(same) == 1 or count == len(parts):
                found[key] = end
                break
    return found


def _has_its_middle_by_ratio(kinds: NDArray[np.float64]) -> bool:
    middle = kinds[len(kinds) // 2 : len(kinds) // 2 + 1]
    off = [abs(float(_positions(middle, kinds, by)[0]) - 0.5) for by in (True, False)]
    return off[0] < off[1]


def _unevenness(places: NDArray[np.float64]) -> float:
    steps = np.diff(places)
    return float(np.std(steps) / np.mean(steps))


def _positions(
    values: NDArray[np.float64], kinds: NDArray[np.float64], is_log: bool
) -> NDArray[np.float64]:
    low, high = float(kinds[0]), float(kinds[-1])
    if low == high:
        return np.full(len(values), 0.5)
    if is_log:
        return (np.log(values) - math.log(low)) / (math.log(high) - math.log(low))
    return (values - low) / (high - low)


def _words(column: NDArray[Any]) -> tuple[ParamScale, NDArray[np.float64]]:
    kinds = sorted({str(word) for word in column if word is not None})
    last = max(1, len(kinds) - 1)
    place = {w: 0.5 if len(kinds) == 1 else at / last for at, w in enumerate(kinds)}
    places = np.array([np.nan if w is None else place[str(w)] for w in column], float)
    every = 1 if len(kinds) <= _MANY_WORDS else math.ceil(len(kinds) / _MANY_WORDS)
    shown = kinds[::every]
    ticks = tuple(place[word] for word in shown)
    return ParamScale("words", ticks, tuple(shown), len(kinds) <= _MANY_WORDS), places
