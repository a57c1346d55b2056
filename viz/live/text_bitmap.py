"""Texts as pictures: drawn once, shown again and again at a hundredth of the cost."""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from numpy.typing import NDArray

from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.drawing.text import families

_MARGIN = 2  # pixels around a text, for strokes that leave their box
_LINE_SPACING = 1.2


class Picture(Artist):
    """A text that is shown as a picture.

    Args:
        pixels: Red, green, blue and opacity of each pixel, the upper row first.
        left: Where its left edge stands, in pixels.
        bottom: Where its lower edge stands, in pixels.
    """

    def __init__(self, pixels: NDArray[np.uint8], left: float, bottom: float) -> None:
        super().__init__()
        self.pixels = pixels
        self.left = left
        self.bottom = bottom

    @property
    def right(self) -> float:
        """Its right edge, in pixels."""
        return self.left + float(self.pixels.shape[1])

    def draw(self, renderer: Any) -> None:
        """Show it."""
        gc = renderer.new_gc()
        # Agg's buffer begins with the upper row, and `draw_image` wants the lowest first.
        renderer.draw_image(gc, round(self.left), round(self.bottom), self.pixels[::-1])
        gc.restore()


def word(  # noqa: PLR0913 (what is written, how, and where)
    text: str,
    left: float,
    middle: float,
    *,
    color: str,
    size: float,
    weight: str,
    dpi: float,
) -> Picture:
    """A text of one line or more, right of *left* and centred on *middle*, in pixels."""
    pixels = _written(text, color, size, weight, dpi)
    return Picture(pixels, left - _MARGIN, middle - pixels.shape[0] / 2)


def pictures(artists: Iterable[Artist], renderer: Any) -> list[Artist]:
    """*artists* with every text among them, as it would be drawn now, as a picture."""
    return [_of_text(a, renderer) if isinstance(a, Text) else a for a in artists]


def _of_text(text: Text, renderer: Any) -> Artist:
    written = text.get_text()
    # `_drawn` puts lines at the left, and a text of several may be aligned otherwise.
    if not written or "\n" in written:
        return text
    box = text.get_window_extent(renderer)
    font = text.get_fontproperties()
    pixels = _written(
        written,
        str(text.get_color()),
        font.get_size_in_points(),
        str(font.get_weight()),
        renderer.dpi,
    )
    # The box is that of the letters, from the descent up, as the picture's inner part.
    return Picture(pixels, box.x0 - _MARGIN, box.y0 - _MARGIN)


# With matplotlib 3.11 it takes about 1.5 ms to lay out and rasterize a short text, and 0.04
# ms to show its picture. Most texts of a frame were on an earlier one.
@lru_cache(maxsize=512)
def _written(
    text: str, color: str, size: float, weight: str, dpi: float
) -> NDArray[np.uint8]:
    with own_style():
        return _drawn(text, color, size, weight, dpi)


def _drawn(
    text: str, color: str, size: float, weight: str, dpi: float
) -> NDArray[np.uint8]:
    font = FontProperties(family=list(families()), size=size, weight=weight)
    lines = text.split("\n")
    make: Any = RendererAgg
    measure = make(1, 1, dpi)
    sizes = [measure.get_text_width_height_descent(line, font, False) for line in lines]
    pitch = _LINE_SPACING * size * dpi / 72.0
    width = math.ceil(max(wide for wide, _, _ in sizes)) + 2 * _MARGIN
    first_height, last_descent = sizes[0][1] - sizes[0][2], sizes[-1][2]
    inner = first_height + pitch * (len(lines) - 1) + last_descent
    height = math.ceil(inner) + 2 * _MARGIN
    renderer = make(width, height, dpi)
    gc = renderer.new_gc()
    gc.set_foreground(to_rgba(color), isRGBA=True)
    for number, line in enumerate(lines):
        base = _MARGIN + first_height + pitch * number
        renderer.draw_text(gc, _MARGIN, base, line, font, 0.0)
    gc.restore()
    return np.array(renderer.buffer_rgba())
