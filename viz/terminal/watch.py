"""Following runs of any process in this terminal."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from rich.console import Console

from stepwell.store import StepwellError, StoreBusyError
from stepwell.viz.base.print_lines import say, say_encoded
from stepwell.viz.base.summary_text import summary_lines
from stepwell.viz.terminal.capture.output_lines import LiveArea
from stepwell.viz.terminal.render.cells import Line
from stepwell.viz.terminal.render.layout import TerminalPicture
from stepwell.viz.terminal.render.runs import RunsPicture
from stepwell.viz.terminal.render.view import TerminalView

from .plain_lines import LineScreen
from .screens import Encoder, encoder_of, is_live_terminal
from .view_of_run import RunFollower

if TYPE_CHECKING:
    from stepwell.store import Store

_PERIOD = 0.25
_LOOK_SECONDS = 1.5  # between two looks while nothing is recorded: has the run died?
_LINES_BELOW = 2


class _Shown(Protocol):
    def show(self, views: Sequence[TerminalView]) -> None: ...


def watch_in_terminal(
    store: "Store",
    references: Sequence[str],
    *,
    once: bool = False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Show runs until they have ended, and what they came to.

    In a terminal it is a live view, elsewhere plain lines as the runs go.

    Args:
        store: Where the runs are.
        references: The runs; several are shown as rows.
        once: Whether to show them only as they stand now.
        clock: Gives seconds.
        sleep: Waits so many seconds.

    Raises:
        StepwellError: If a run can't be found or read.
    """
    followers = [RunFollower(store, store.run(one).run_id) for one in references]
    for follower in followers:
        follower.look(clock())
    if once:
        _print_once([follower.view() for follower in followers])
        return
    shown: _Shown = _LiveTerminal() if is_live_terminal() else _Lines(len(followers))
    try:
        _follow(store, followers, shown, clock, sleep)
    except KeyboardInterrupt:
        return
    for follower in followers:
        _say_end(store, follower)


def _follow(
    store: "Store",
    followers: Sequence[RunFollower],
    shown: _Shown,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
) -> None:
    stamp: object = None
    looked = -1e9
    while True:
        now = clock()
        # Before the looks, so that what is written meanwhile counts as new in the next
        # round. A run that died changes no file, hence the looks after some time all the
        # same.
        new_stamp = store.stamp()
        if new_stamp != stamp or now - looked >= _LOOK_SECONDS:
            looked = now
            stamp = new_stamp
            try:
                for follower in followers:
                    follower.look(now)
            except StoreBusyError:
                stamp = None  # another program has the file; look again
        shown.show([follower.view() for follower in followers])
        if not any(f.info is None or f.info.status == "running" for f in followers):
            return
        # Watching takes at most a quarter of the time, however long a look lasts.
        sleep(max(_PERIOD - (clock() - now), (clock() - now) * 3))


def _say_end(store: "Store", follower: RunFollower) -> None:
    info = follower.info
    if info is None:
        return
    took = f"{info.status} after {info.duration_seconds:.1f} s"
    title = f"run {info.name} ({info.run_id}) {took}"
    try:
        lines = summary_lines(title, store.summary(info))
    except StepwellError:
        lines = [title]
    for line in lines:
        say(line)


def _print_once(views: Sequence[TerminalView]) -> None:
    stream = sys.stdout
    console = Console(file=stream)
    encoder = encoder_of(stream)
    columns = console.width if stream.isatty() else 120
    lines = _lines(views, columns, None)
    say_encoded(encoder.text(lines))


def _lines(views: Sequence[TerminalView], columns: int, height: int | None) -> list[Line]:
    if len(views) == 1:
        return TerminalPicture(views[0], height=height).lines(columns)
    return RunsPicture(views, height=height).lines(columns)


class _LiveTerminal:
    """Draws at the end of this process's own terminal, which nobody else writes to."""

    def __init__(self) -> None:
        self._area = LiveArea()
        self._encoder: Encoder = encoder_of(sys.stdout)
        self._encoding = sys.stdout.encoding
        self._console = Console(file=sys.stdout)

    def show(self, views: Sequence[TerminalView]) -> None:
        columns, rows = self._console.size
        lines = _lines(views, columns, max(rows - _LINES_BELOW, 3))
        text = self._encoder.text(lines).encode(self._encoding, "replace")
        # Bytes, since a text stream would translate newlines and might refuse letters.
        drawing = self._area.drawing(b"", text.split(b"\n"), columns)
        sys.stdout.buffer.write(drawing)
        sys.stdout.buffer.flush()


class _Lines:
    """Prints plain lines, each with its run's name where there are several."""

    def __init__(self, count: int) -> None:
        self._screens = [LineScreen(10.0) for _ in range(count)]

    def show(self, views: Sequence[TerminalView]) -> None:
        for screen, view in zip(self._screens, views, strict=True):
            screen.name = view.run_name if len(views) > 1 else ""
            if view.status == "running":
                screen.show(view)
            elif not screen.is_closed:
                screen.close(view)
