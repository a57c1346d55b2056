"""A run on a screen: read, drawn and shown again and again, until it or the window ends."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stepwell.store import StepwellError
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig
from stepwell.viz.live.canvas_figure import CanvasFigure
from stepwell.viz.live.figure import LiveFigure
from stepwell.viz.live.page import columns_of
from stepwell.viz.live.run_follower import Feed

from .window import Window

if TYPE_CHECKING:
    from stepwell.store import RunInfo, Store

FRAME_SECONDS = 0.1
"""Time in which a frame draws panels; those that are left have their turn in the next."""

_PERIOD = 0.2  # seconds between two frames of a window of its own process, at least

_PAUSE = 3.0  # such a window rests for so many times what a frame has cost
_LONGEST_PAUSE = 2.0
_LOOK_SECONDS = 2.0  # how often the run is looked at though no file has changed


def make_live(
    store: "Store", run_id: str, config: TrainingVisualizerConfig, figure: CanvasFigure
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


def new_figure(config: TrainingVisualizerConfig) -> CanvasFigure:
    """An empty figure of the configured size."""
    width, height = config.figure_size
    return CanvasFigure(figsize=(float(width), float(height)), dpi=100)


class FollowingWindow:
    """A window that follows a run.

    Args:
        store: Where the run is.
        run: The run.
        config: What is drawn.
        backend: `qtagg` or `tkagg`.

    Raises:
        StepwellError: If the run can't be read.
    """

    def __init__(
        self,
        store: "Store",
        run: "RunInfo",
        config: TrainingVisualizerConfig,
        backend: str,
    ) -> None:
        figure = new_figure(config)
        self.window = Window(figure, backend, f"{run.name} – Stepwell")
        self.live = make_live(store, run.run_id, config, figure)
        figure.save = lambda name: _save(store, run.run_id, config, name)
        self.live.look()
        self.live.frame()
        self.window.on_follow(self.follow)
        self.window.show()
        self.window.update([figure.bbox.frozen()])

    def look(self) -> bool:
        """Read what is new; says whether that could be done."""
        try:
            self.live.look()
        except StepwellError:
            return False  # the store is busy; what is missed comes with the next look
        return True

    def draw(self, seconds: float = 1e9) -> None:
        """Draw what is new, for about *seconds*, and show it."""
        if not self.window.is_dragged:  # else its axes would change under the mouse
            self.window.update(self.live.frame(seconds))

    def follow(self) -> None:
        """Show the whole run again, after a zoom."""
        self.window.update(self.live.follow())


def _save(store: "Store", run_id: str, config: TrainingVisualizerConfig, name: Any) -> None:
    from stepwell.viz.drawing.picture_file import target_path  # noqa: PLC0415 (seldom needed)
    from stepwell.viz.figures.run_spec import spec_of_run  # noqa: PLC0415
    from stepwell.viz.run_page.draw_page import save_page  # noqa: PLC0415 (seldom needed)
    from stepwell.viz.run_page.page import prepare  # noqa: PLC0415

    page = prepare(store, run_id, config)
    save_page(page, target_path(name), spec_of_run(run_id, config))


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
        update_interval: Updates of the run between two drawings.
        commands: Gives what was asked of the window since: `draw` or `close`; None when
            nobody can ask any more.
        clock: Gives seconds.
    """
    window, live = shown.window, shown.live
    stamp: object = None
    looked = clock()
    drawn = live.updates
    while window.is_open:
        began = clock()
        asked = commands()
        is_over = asked is None or "close" in asked
        # Nobody is asked again: a pipe that has ended would say so each time, and a window
        # that stays would read and draw in each round.
        if is_over:
            commands = list
        # Taken before the look: what is written during it changes the stamp once more, and
        # is seen in the next round. The other order would miss it.
        new_stamp = store.stamp()
        if new_stamp != stamp or began - looked >= _LOOK_SECONDS or asked or is_over:
            looked = began
            # After a look that failed any stamp is new, so that the next round tries again.
            stamp = new_stamp if shown.look() else None
        has_ended = live.status != "running"
        is_due = live.updates - drawn >= update_interval or has_ended or is_over
        # Panels left over from the last frame have their turn, as long as nothing newer
        # waits until it is due.
        if asked or is_due or (live.is_behind and drawn == live.updates):
            shown.draw(1e9 if asked or is_over else FRAME_SECONDS)
            drawn = live.updates
        if (has_ended or is_over) and not stay:
            return
        cost = clock() - began
        # A window takes at most a quarter of one core from the training that it shows,
        # except that it never rests for longer than two seconds.
        pause = min(_LONGEST_PAUSE, max(_PERIOD - cost, _PAUSE * cost))
        window.pump(max(pause, 0.02))
