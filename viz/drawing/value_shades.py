"""Shades that say how good a value is: the stronger, the better."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex
from numpy.typing import NDArray

from stepwell.viz.base.axis import bounded
from stepwell.viz.base.theme import Theme

# Lightness falls evenly from the worst to the best, so that it can be read without hue.
_LIGHT = ("#d9ddd6", "#a9cfc7", "#6bbabc", "#2f9ab8", "#1769aa", "#124586", "#0b2559")
_DARK = ("#2c3644", "#2f5568", "#2f7889", "#3a9ca6", "#64c0b9", "#a5dfcb", "#f0fbe6")
_WORST_SHARE = 95.0
_FEW = 20  # runs, of which none is left out at the worse end


def shade_map(theme: Theme) -> LinearSegmentedColormap:
    """The colours from 0.0, the worst, to 1.0, the best."""
    colors = _DARK if theme.name == "dark" else _LIGHT
    return LinearSegmentedColormap.from_list("stepwell", list(colors))


def ordered_colors(count: int, theme: Theme) -> tuple[str, ...]:
    """*count* colours in order, all of which can be told from the ground."""
    shares = np.linspace(1.0, 0.15, count) if count > 1 else np.ones(count)
    return tuple(to_hex(color) for color in shade_map(theme)(shares))


def strength_word(theme: Theme) -> str:
    """What the best look like: "dark", or "bright" on a dark background."""
    return "bright" if theme.name == "dark" else "dark"


def shade_ends(values: NDArray[np.float64], goal: str) -> tuple[float, float]:
    """The values that get the worst and the best shade.

    The worst twentieth of many runs, such as those that diverged, share one shade, so that
    the others can be told apart. Both are NaN where there is no finite value.
    """
    finite = bounded(values[np.isfinite(values)])
    if not len(finite):
        return float("nan"), float("nan")
    share = 100.0 if len(finite) < _FEW else _WORST_SHARE
    if goal == "max":
        return float(np.percentile(finite, 100.0 - share)), float(finite.max())
    return float(np.percentile(finite, share)), float(finite.min())
