"""A window of Qt or Tk with a figure in it, that leaves focus and pyplot alone."""

import contextlib
import importlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.backend_bases import FigureManagerBase, key_press_handler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from .x11_loss import outlive_screen

FOLLOW_KEYS = frozenset({"f", "h", "r", "home"})
# One short pump is no sign: a key or a signal can end Qt's loop early.
_MOST_SHORT_PUMPS = 3
_TOOL_KEYS = frozenset({"p", "o", "s", "ctrl+s", "ctrl+f", "left", "right", "backspace"})


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
        self.is_lost = False
        self.is_dragged = False
        self._short_pumps = 0
        self._passive = ""
        canvas_kind: Any = module.FigureCanvas
        # With matplotlib's default Qt raised the window and took the focus from the
        # terminal each time that it was shown.
        with mpl.rc_context({"figure.raise_window": False, "toolbar": "toolbar2"}):
            self._manager: FigureManagerBase = canvas_kind.new_manager(figure, 1)
        if backend == "qtagg":
            outlive_screen()
        self._manager.set_window_title(title)
        self._follow: Callable[[], None] = _nothing
        key_handler = getattr(self._manager, "key_press_handler_id", None)
        if key_handler is not None:
            self.canvas.mpl_disconnect(key_handler)  # "f" is ours, and "l" spoils axes
        self.canvas.mpl_connect("close_event", self._closed)
        self.canvas.mpl_connect("key_press_event", self._pressed)
        self.canvas.mpl_connect("button_press_event", self._clicked)
        self.canvas.mpl_connect("button_release_event", self._released)
        self._trim_toolbar()

    @property
    def canvas(self) -> FigureCanvasAgg:
        """The canvas on which the figure is drawn."""
        canvas = self.figure.canvas
        if not isinstance(canvas, FigureCanvasAgg):
            raise TypeError(f"the window needs an Agg canvas, not {type(canvas)}")
        return canvas

    @property
    def toolbar(self) -> Any:
        """The toolbar; None without one."""
        return self._manager.toolbar

    def on_follow(self, follow: Callable[[], None]) -> None:
        """Call *follow* when the user asks for the whole picture again."""

        def forget_and_follow() -> None:
            if self.toolbar is not None:
                self.toolbar.update()  # its history is that of axes that are gone
            follow()

        self._follow = forget_and_follow

    def show(self) -> None:
        """Open the window, without taking the focus."""
        window: Any = getattr(self._manager, "window", None)
        if self.backend == "qtagg":
            core = importlib.import_module("matplotlib.backends.qt_compat").QtCore
            # Before the first `show`: it is then that the window manager is told.
            window.setAttribute(core.Qt.WidgetAttribute.WA_ShowWithoutActivating)
        elif self.backend == "tkagg":
            # A window that says it takes the focus by itself is not given it when it
            # appears; afterwards it is a window like any other.
            window.wm_focusmodel("active")
            self._passive = window.after(500, lambda: window.wm_focusmodel("passive"))
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
        if not self._has_toolkit():
            self.is_open = False
            return
        canvas: Any = self.figure.canvas
        if seconds <= 0:
            canvas.flush_events()
            return
        began = time.monotonic()
        # When the connection to the screen is lost, Qt's loop returns at once each time and
        # no event says so: short loops in a row are the only sign.
        canvas.start_event_loop(seconds)
        is_short = time.monotonic() - began < seconds / 2
        self._short_pumps = self._short_pumps + 1 if is_short else 0
        if self._short_pumps >= _MOST_SHORT_PUMPS and self.is_open:
            self.is_open, self.is_lost = False, True  # Qt, when the screen has died

    def _has_toolkit(self) -> bool:
        """Whether Qt is up; at the exit of the process its loop would never end."""
        if self.backend != "qtagg":
            return True
        core = importlib.import_module("matplotlib.backends.qt_compat").QtCore
        application = core.QCoreApplication
        return application.instance() is not None and not application.closingDown()

    def set_title(self, title: str) -> None:
        """Write *title* in the title bar."""
        if self.is_open:
            self._manager.set_window_title(title)

    def close(self) -> None:
        """Close the window, and give back what it took."""
        if self.is_open:
            self.is_open = False
            with contextlib.suppress(Exception):  # a dying toolkit must not matter
                self._cancel_later()
                self._manager.destroy()
        self._follow = _nothing
        with contextlib.suppress(Exception):
            self._let_go()
        with contextlib.suppress(Exception):
            self.figure.clear()

    def _cancel_later(self) -> None:
        if self._passive:
            window: Any = getattr(self._manager, "window", None)
            window.after_cancel(self._passive)
            self._passive = ""

    def _let_go(self) -> None:
        """Free what a closed window of Qt keeps: its canvas, and by it the figure.

        Qt's side holds the Python objects of a window for as long as the process lives;
        matplotlib's figure would stay with them, some 4 MB and more.
        """
        if self.backend != "qtagg" or not self._has_toolkit():
            return
        manager: Any = self._manager
        parts = (manager.toolbar, manager.canvas, manager.window, manager)
        core = importlib.import_module("matplotlib.backends.qt_compat").QtCore
        manager.window.deleteLater()
        deletion = core.QEvent.Type.DeferredDelete
        # `deleteLater` waits for an event loop, and none of ours may follow.
        core.QCoreApplication.sendPostedEvents(manager.window, deletion)
        for part in parts:
            part.__dict__.clear()
        # The figure still names the canvas that was emptied above; `figure.clear()` needs
        # one.
        FigureCanvasAgg(self.figure)

    def _closed(self, event: object) -> None:
        del event
        self.is_open = False

    def _pressed(self, event: Any) -> None:
        if event.key in FOLLOW_KEYS:
            self._follow()
        elif event.key in _TOOL_KEYS:
            key_press_handler(event, event.canvas, self.toolbar)
        elif event.key in {"q", "ctrl+w"}:
            self._manager.destroy()
            self.is_open = False

    def _clicked(self, event: Any) -> None:
        if event.dblclick:
            self._follow()
        else:
            # With pan or zoom chosen, the mouse holds on to the axes until it is released.
            self.is_dragged = bool(self.toolbar and self.toolbar.mode)

    def _released(self, event: object) -> None:
        del event
        self.is_dragged = False

    def _follow_again(self, checked: bool = False) -> None:
        del checked  # Qt gives it
        self._follow()

    def _trim_toolbar(self) -> None:
        """Have its home button follow again; take away what would spoil the figure."""
        toolbar: Any = self.toolbar
        with contextlib.suppress(Exception):  # its inner parts may be called otherwise
            if self.backend == "qtagg":
                actions = toolbar._actions  # noqa: SLF001
                actions["home"].triggered.disconnect()
                actions["home"].triggered.connect(self._follow_again)
                for name in ("configure_subplots", "edit_parameters"):
                    toolbar.removeAction(actions[name])
            else:
                buttons = toolbar._buttons  # noqa: SLF001
                buttons["Home"].configure(command=self._follow_again)
                buttons["Subplots"].pack_forget()


def _nothing() -> None:
    pass
