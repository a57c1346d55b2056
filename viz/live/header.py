"""Header and footer of a live figure, which change more seldom than its curves."""

from collections.abc import Callable, Sequence

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from stepwell.viz.run_page.draw_page import draw_footer, draw_header
from stepwell.viz.run_page.layout import Arrangement
from stepwell.viz.run_page.page import Page

from .text_bitmap import pictures

SECONDS = 0.5
"""Least time between two drawings: texts cost more than curves."""


class LiveHead:
    """The texts above and below the panels.

    Args:
        figure: The figure that they are on.
        clock: Gives seconds.
    """

    def __init__(self, figure: Figure, clock: Callable[[], float]) -> None:
        self.artists: Sequence[Artist] = ()
        self.is_old = True
        self._figure = figure
        self._clock = clock
        self._made = -1e9

    @property
    def is_due(self) -> bool:
        """Whether it is to be written anew."""
        return self.is_old and self._clock() - self._made >= SECONDS

    def make(self, page: Page, arrangement: Arrangement, renderer: object) -> None:
        """Write everything anew; the caller draws the artists."""
        # The functions that draw a saved page give nothing back: what they added is what
        # the figure has now and had not before.
        before = set(self._figure.get_children())
        draw_header(self._figure, page, arrangement)
        draw_footer(self._figure, page, arrangement)
        made = [a for a in self._figure.get_children() if a not in before]
        self.artists = pictures(made, renderer)
        for artist in made:
            # A text that became a picture is drawn by us and never belongs to the figure;
            # what stays on it is animated, so that a full draw leaves it to `_drawn`.
            if artist in self.artists:
                artist.set_animated(True)
            else:
                artist.remove()
        self._made = self._clock()
        self.is_old = False

    def clear(self) -> None:
        """Take everything off the figure."""
        present = set(self._figure.get_children())
        for artist in self.artists:
            if artist in present:
                artist.remove()
        self.artists = ()

    def areas(self, arrangement: Arrangement) -> list[Bbox]:
        """The pixels that it covers."""
        dpi, grid = self._figure.dpi, arrangement.grid
        return [
            Bbox([[box.left * dpi, box.bottom * dpi], [box.right * dpi, box.top * dpi]])
            for box in (grid.header, grid.footer)
        ]
