"""Colours for an order: the darkest, or on a dark ground the lightest, is the best."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex

from ._theme import Theme

_LIGHT = ("#0b2a5b", "#14549f", "#2a8fb8", "#86c3c0", "#d6ddd6")
_DARK = ("#e4f6e9", "#8fd7d6", "#3ea6d0", "#2b6ba3", "#2a3f57")


def best_first(theme: Theme) -> LinearSegmentedColormap:
    """A map from 0.0, the best, to 1.0; its lightness changes all along."""
    colors = _DARK if theme.name == "dark" else _LIGHT
    return LinearSegmentedColormap.from_list("stepwell", colors)


def ordered_colors(count: int, theme: Theme) -> tuple[str, ...]:
    """*count* colours in order, all of which can be told from the ground."""
    shares = np.linspace(0.0, 0.85, count) if count > 1 else np.zeros(count)
    return tuple(to_hex(color) for color in best_first(theme)(shares))
