"""Where a terminal view is shown: a terminal, a notebook, or plain lines."""

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from stepwell.store import visible
from stepwell.viz.base.messages import in_notebook
from stepwell.viz.config.terminal_config import MOST_FRAMES, VisualizationConfig
from stepwell.viz.terminal.capture.capture import Capture
from stepwell.viz.terminal.render.cells import Line, as_ascii
from stepwell.viz.terminal.render.layout import TerminalPicture
from stepwell.viz.terminal.render.view import TerminalView

from .plain_lines import LineScreen, plain_line

_COLOR_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}
_LINES_BELOW = 2  # for a line that is being printed, and for the cursor
_NOTEBOOK_COLUMNS = 110
_NOTEBOOK_SECONDS = 0.5


class Screen(Protocol):
    """Shows one view after the other.

    Attributes:
        period: Least seconds between two of them.
    """

    period: float

    def show(self, view: TerminalView) -> None:
        """Show how the run stands."""

    def close(self, view: TerminalView) -> None:
        """Show how the run ended, and leave everything as it was found."""


class Encoder:
    """Lines as the bytes that a terminal draws.

    Args:
        console: Tells the terminal's colours, and whether they are wanted.
        only_ascii: Whether to do without other letters.
        encoding: The terminal's.
    """

    def __init__(self, console: Console, *, only_ascii: bool, encoding: str) -> None:
        self.only_ascii = only_ascii
        self._encoding = encoding
        self._colors = _COLOR_SYSTEMS.get(console.color_system or "")
        self._is_bare = console.no_color
        self._codes: dict[Style, tuple[str, str]] = {}

    def frame(self, view: TerminalView, columns: int, height: int) -> bytes:
        """A view as lines, separated by newlines."""
        lines = TerminalPicture(view, height=height).lines(columns)
        return self.text(lines).encode(self._encoding, "replace")

    def text(self, lines: Sequence[Line]) -> str:
        """Lines as text with the terminal's control sequences."""
        text = "\n".join(self._line(line) for line in lines)
        return as_ascii(text) if self.only_ascii else text

    def _line(self, line: Line) -> str:
        codes = self._codes
        parts: list[str] = []
        for content, style, _ in line:
            # Nearly all texts are printable; the check is much cheaper than `visible`.
            text = content if content.isprintable() else visible(content)
            if style is None:
                parts.append(text)
            else:
                before, behind = codes.get(style) or self._codes_of(style)
                parts += (before, text, behind)
        return "".join(parts)

    def _codes_of(self, style: Style) -> tuple[str, str]:
        """What stands before and behind a text in *style*."""
        wanted = style.without_color if self._is_bare else style
        # Rich works out a style's codes anew for each text; a view has few styles and many
        # texts, so the codes are kept.
        before, _, behind = wanted.render("x", color_system=self._colors).partition("x")
        self._codes[style] = before, behind
        return before, behind


class LiveScreen:
    """The last lines of the terminal that the process was started in.

    Args:
        frames: Frames a second.

    Raises:
        OSError: There is none, or it can't be shared.
    """

    def __init__(self, frames: float) -> None:
        self.period = 1 / min(frames, MOST_FRAMES)
        self._encoder = encoder_of(sys.stdout)
        self._capture = Capture()

    def show(self, view: TerminalView) -> None:
        """Draw a frame."""
        self._capture.show(self._frame(view))

    def close(self, view: TerminalView) -> None:
        """Draw the last frame, which stays, and give the terminal back."""
        try:
            frame = self._frame(view)
        except Exception:  # noqa: BLE001 (a view must not keep the terminal)
            frame = plain_line(view).encode("ascii", "replace")
        self._capture.close(frame)

    def _frame(self, view: TerminalView) -> bytes:
        columns, rows = self._capture.size
        return self._encoder.frame(view, columns, max(rows - _LINES_BELOW, 3))


class NotebookScreen:
    """One display in the output of a cell, replaced again and again."""

    period = _NOTEBOOK_SECONDS

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, view: TerminalView) -> None:
        """Replace what is displayed."""
        tools: Any = import_module("IPython.display")
        page = tools.HTML(html_of(view, _NOTEBOOK_COLUMNS))
        if self._handle is None:
            self._handle = tools.display(page, display_id=True)
        else:
            self._handle.update(page)

    def close(self, view: TerminalView) -> None:
        """Display the last state; it stays in the notebook."""
        self.show(view)


def html_of(view: TerminalView, columns: int) -> str:
    """A view as a piece of a web page."""
    # An empty environment, or NO_COLOR and COLUMNS of the kernel would shape the page.
    console = Console(
        file=io.StringIO(), record=True, width=columns, force_terminal=True, _environ={}
    )
    console.print(TerminalPicture(view), end="")
    return console.export_html(
        inline_styles=True,
        code_format='<pre style="line-height:1.25;font-family:monospace">{code}</pre>',
    )


def encoder_of(stream: Any) -> Encoder:
    """How to write to the terminal behind *stream*."""
    return Encoder(
        Console(file=stream, legacy_windows=False),
        only_ascii=has_only_ascii(stream),
        encoding=str(getattr(stream, "encoding", None) or "utf-8"),
    )


def has_only_ascii(stream: Any) -> bool:
    """Whether the encoding or the locale says that there is no Unicode."""
    encoding = str(getattr(stream, "encoding", None) or "utf-8")
    if "utf" not in encoding.lower():
        return True
    # The order in which POSIX asks the variables; one that is empty counts as unset.
    said = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), None)
    if said is None:
        return False
    return said in {"C", "POSIX"} or ("." in said and "utf" not in said.lower())


def is_live_terminal() -> bool:
    """Whether a live view can be drawn where this process prints."""
    # Some CI systems give their jobs a terminal, whose log would keep every frame.
    if os.environ.get("TERM", "dumb") in {"dumb", "unknown", ""} or os.environ.get("CI"):
        return False
    if hasattr(sys, "ps1") or sys.flags.interactive or "IPython" in sys.modules:
        return False  # somebody types at a prompt there
    try:
        # Capture redirects descriptor 1; a stdout that leads elsewhere would bypass it.
        return sys.stdout.isatty() and sys.stdout.fileno() == 1
    except (AttributeError, OSError, ValueError):
        return False


def open_screen(config: VisualizationConfig) -> Screen | None:
    """The screen that there is here; None where nothing is to be shown."""
    if config.display == "none" or sys.stdout is None:
        return None
    if config.display == "auto":
        if in_notebook():
            return NotebookScreen()
        if is_live_terminal():
            try:
                return LiveScreen(config.refresh_per_second)
            except (OSError, ValueError):
                pass  # no pseudo-terminals, no processes: lines, then
    return LineScreen(config.line_seconds)
