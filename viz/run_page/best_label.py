"""Where the word beside the ring of a best point stands: clear of labels and lines."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from stepwell.viz.base.axis import Scale
from stepwell.viz.base.theme import NOTE_SIZE
from stepwell.viz.drawing.text import text_width

from .curve import Mark
from .layout import LABEL_GAP, Place

RING = 9.0  # points across
_WORD = "best"
_GAP = 7.0  # points from the middle of the ring to the word above or below


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place for the word: its anchor, in points from the ring, and how it is aligned."""

    x: float
    y: float
    ha: str
    va: str


_ABOVE = _Spot(0, _GAP, "center", "bottom")
_BELOW = _Spot(0, -_GAP, "center", "top")
_ABOVE_LEFT = _Spot(RING / 2, _GAP, "right", "bottom")
_BELOW_LEFT = _Spot(RING / 2, -_GAP, "right", "top")
_LEFT = _Spot(-_GAP, 0, "right", "center")


def draw_best_word(axes: Axes, place: Place, scale: Scale, best: Mark, color: str) -> None:
    """Say what the ring around *best* is, where no line crosses the word if it can be."""
    beside = _is_at_label(axes, place, best)
    spots = [_ABOVE_LEFT, _BELOW_LEFT, _LEFT] if beside else [_ABOVE, _BELOW, _LEFT]
    above = (1 - scale.position(best.value)) * (place.axes.height if place.axes else 1.0)
    if above < (_GAP + 1.2 * NOTE_SIZE) / 72 * place.text:
        del spots[0]
    clear = (spot for spot in spots if _is_clear(axes, place, scale, best, spot))
    spot = next(clear, spots[0])
    axes.annotate(
        _WORD,
        (best.step, best.value),
        xytext=(spot.x * place.text, spot.y * place.text),
        textcoords="offset points",
        ha=spot.ha,
        va=spot.va,
        color=color,
        fontsize=NOTE_SIZE * place.text,
        zorder=6.0,
    )


def _is_at_label(axes: Axes, place: Place, best: Mark) -> bool:
    """Whether a word in the middle above *best* would reach the labels of the curves."""
    if not place.labels or place.axes is None:
        return False
    low, high = axes.get_xlim()
    end = 1.0 if place.labels_at is None else place.labels_at
    room = (end - (best.step - low) / (high - low)) * place.axes.width + LABEL_GAP / 2
    return room < text_width(_WORD, NOTE_SIZE * place.text) / 2


def _is_clear(axes: Axes, place: Place, scale: Scale, best: Mark, spot: _Spot) -> bool:
    """Whether the word at *spot* keeps within the axes, and no line crosses it."""
    if place.axes is None:
        return True
    inch = place.text / 72
    width, height = text_width(_WORD, NOTE_SIZE * place.text), NOTE_SIZE * inch
    low, high = axes.get_xlim()
    steps = (high - low) / place.axes.width  # an inch
    left = spot.x * inch - (width if spot.ha == "right" else width / 2)
    start = best.step + left * steps
    end = start + width * steps
    middle = scale.position(best.value) * place.axes.height
    share = {"bottom": 0.0, "center": 0.5, "top": 1.0}[spot.va]
    bottom = middle + spot.y * inch - share * height
    if start < low or bottom < 0:
        return False
    for curve in place.panel.curves:
        if not curve.steps.size:
            continue
        within = np.linspace(start, min(end, float(curve.steps[-1])), 9)
        values = np.interp(within, curve.steps, curve.values).tolist()
        line = [scale.position(value) * place.axes.height for value in values]
        if min(line) <= bottom + height and max(line) >= bottom:
            return False
    return True
