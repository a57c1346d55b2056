"""A window of Qt or Tk with a figure in it, that leaves focus and pyplot alone."""

import contextlib
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox


class Window:
    """A window that shows a figure.

    Args:
        figure: The figure; the window gives it its canvas.
        backend: `qtagg` or `tkagg`.
        title: What stands in the title bar.

    Raises:
        ImportError: If the toolkit is not installed.
    """

    def __init__(self, figure: Figure, backend: str, title: str) -> None:
        module = importlib.import_module(f"matplotlib.backends.backend_{backend}")
        self.figure = figure
        self.backend = backend
        self.is_open = True
        self._canvas_kind: Any = module.FigureCanvas
        with mpl.rc_context({"figure.raise_window": False, "toolbar": "toolbar2"}):
            self._manager: FigureManagerBase = self._canvas_kind.new_manager(figure, 1)
        self._manager.set_window_title(title)
        self.canvas.mpl_connect("close_event", self._closed)

    @property
    def canvas(self) -> FigureCanvasAgg:
        """The canvas on which the figure is drawn."""
        canvas = self.figure.canvas
        if not isinstance(canvas, FigureCanvasAgg):
            raise TypeError(f"the window needs an Agg canvas, not {type(canvas)}")
        return canvas

    def show(self) -> None:
        """Open the window, without taking the focus."""
        window: Any = getattr(self._manager, "window", None)
        if self.backend == "qtagg":
            core = importlib.import_module("matplotlib.backends.qt_compat").QtCore
            window.setAttribute(core.Qt.WidgetAttribute.WA_ShowWithoutActivating)
        elif self.backend == "tkagg":
            # A window that says it takes the focus by itself is not given it when it
            # appears; afterwards it is a window like any other.
            window.wm_focusmodel("active")
            window.after(500, lambda: window.wm_focusmodel("passive"))
        with mpl.rc_context({"figure.raise_window": False}):
            self._manager.show()
        self.pump()

    def update(self, areas: Sequence[Bbox]) -> None:
        """Bring parts of the canvas, in pixels, onto the screen."""
        if not self.is_open:
            return
        canvas: Any = self.canvas
        for area in areas:
            canvas.blit(area)

    def pump(self, seconds: float = 0.0) -> None:
        """Answer the user and the screen, for *seconds*."""
        if not self.is_open:
            return
        canvas: Any = self.figure.canvas
        if seconds > 0:
            canvas.start_event_loop(seconds)
        else:
            canvas.flush_events()

    def connect(self, event: str, handler: Callable[[Any], Any]) -> None:
        """Call *handler* for each *event* of matplotlib's."""
        canvas: Any = self.canvas
        canvas.mpl_connect(event, handler)

    def set_title(self, title: str) -> None:
        """Write *title* in the title bar."""
        if self.is_open:
            self._manager.set_window_title(title)

    @property
    def toolbar(self) -> Any:
        """The toolbar; None without one."""
        return self._manager.toolbar

    def close(self) -> None:
        """Close the window."""
        if not self.is_open:
            return
        self.is_open = False
        with contextlib.suppress(Exception):  # a dying toolkit must not matter
            self._manager.destroy()

    def _closed(self, event: object) -> None:
        del event
        self.is_open = False
