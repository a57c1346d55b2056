"""A figure that says when it is about to be drawn, and leaves saving to others."""

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure


class CanvasFigure(Figure):
    """The figure of a window.

    Attributes:
        before_draw: Called before each drawing, such as that of a window with a new size.
        save: Called with a file's name in place of `savefig`, by the toolbar.
    """

    before_draw: Callable[[], None] | None = None
    save: Callable[[Any], Any] | None = None

    def draw(self, renderer: Any) -> None:
        """Draw everything that stands still."""
        if self.before_draw is not None:
            self.before_draw()
        super().draw(renderer)

    def savefig(self, fname: Any, *args: Any, **options: Any) -> None:
        """Save the figure as it is without a window."""
        if self.save is not None:
            self.save(fname)
        else:
            super().savefig(fname, *args, **options)
