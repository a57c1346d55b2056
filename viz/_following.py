"""A run on a screen: read, drawn and shown again and again, until it or the window ends."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from ._config import TrainingVisualizerConfig
from ._feed import Feed
from ._live_figure import LiveFigure
from ._live_page import columns_of
from ._window import Window

if TYPE_CHECKING:
    from stepwell.store import Store

FRAME_SECONDS = 0.2
"""Least time between two frames of a window of its own process."""

_LOOK_SECONDS = 2.0  # how often the run is looked at though no file has changed
_FOLLOW_KEYS = frozenset({"f", "home"})


def make_live(
    store: "Store", run_id: str, config: TrainingVisualizerConfig, figure: Figure
) -> LiveFigure:
    """A live figure of a run on an empty *figure* with an Agg canvas."""
    feed = Feed(
        store,
        run_id,
        [metric.metric_name for metric in config.metrics],
        columns_of(config),
        config.max_points,
    )
    return LiveFigure(figure, config, feed)


def new_figure(config: TrainingVisualizerConfig) -> Figure:
    """An empty figure of the configured size."""
    width, height = config.figure_size
    return Figure(figsize=(float(width), float(height)), dpi=100)


class FollowingWindow:
    """A window that follows a run.

    Args:
        store: Where the run is.
        run_id: The run.
        config: What is drawn.
        backend: `qtagg` or `tkagg`.
        title: What stands in the title bar.

    Raises:
        StepwellError: If the run can't be read.
    """

    def __init__(
        self,
        store: "Store",
        run_id: str,
        config: TrainingVisualizerConfig,
        backend: str,
        title: str,
    ) -> None:
        figure = new_figure(config)
        self.window = Window(figure, backend, title)
        self.live = make_live(store, run_id, config, figure)
        self.live.look()
        self.live.frame()
        self.window.connect("key_press_event", self._pressed)
        self.window.connect("button_press_event", self._clicked)
        self.window.show()
        self.window.update([figure.bbox.frozen()])

    def draw(self, seconds: float = 1e9) -> None:
        """Draw what is new, for about *seconds*, and show it."""
        self.window.update(self.live.frame(seconds))

    def follow(self) -> None:
        """Show the whole run again, after a zoom."""
        self.window.update(self.live.redraw())

    def _pressed(self, event: Any) -> None:
        if event.key in _FOLLOW_KEYS:
            self.follow()

    def _clicked(self, event: Any) -> None:
        if event.dblclick:
            self.follow()


def follow_run(  # noqa: PLR0913 (what to follow, and how)
    shown: FollowingWindow,
    store: "Store",
    *,
    stay: bool,
    update_interval: int = 1,
    commands: Callable[[], list[str] | None] = list,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Keep a window up to date until it is closed, or the run has ended.

    Args:
        shown: The window.
        store: Where the run is.
        stay: Whether the window stays, with the final picture, when the run has ended.
        update_interval: Steps between two drawings.
        commands: Gives what was asked of the window since: `draw` or `close`; None when
            nobody can ask any more.
        clock: Gives seconds.
    """
    window, live = shown.window, shown.live
    stamp: object = None
    looked = clock()
    drawn_step = live.last_step
    while window.is_open:
        began = clock()
        asked = commands()
        if asked is None or "close" in asked:
            if asked is not None or not stay:
                live.look()
                shown.draw()
                return
            commands = list
            asked = []
        new_stamp = store.stamp()
        if new_stamp != stamp or began - looked >= _LOOK_SECONDS or asked:
            stamp, looked = new_stamp, began
            live.look()
        has_ended = live.status != "running"
        is_due = live.last_step - drawn_step >= update_interval or has_ended
        if asked or is_due or (live.is_behind and drawn_step == live.last_step):
            shown.draw(FRAME_SECONDS)
            drawn_step = live.last_step
        else:
            window.update(live.frame_if_resized())
        if has_ended and not stay:
            return
        cost = clock() - began
        window.pump(max(FRAME_SECONDS - cost, cost, 0.02))
