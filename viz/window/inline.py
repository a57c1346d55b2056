"""A window in the loop's own process, drawn between two steps."""

import time

from stepwell.store import Run, StepwellError, Store, raise_if_of_handler
from stepwell.viz.base.messages import say_once, warn
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig
from stepwell.viz.drawing.rc_params import own_style

from .backend import first_backend
from .delay_ctrl_c import held_interrupts
from .drawing_budget import Budget
from .process_main import closed_line, lost_line, no_window_line
from .window_loop import FRAME_SECONDS, FollowingWindow

STORE_SECONDS = 0.5
"""How long a frame inside the training waits for a store that is in use."""

_RESPONSE_SECONDS = 0.05  # how often a window without a new frame answers its user


def open_inline(
    run: Run, config: TrainingVisualizerConfig, backend: str | None
) -> "InlineView | None":
    """A window in this process; None where none can be opened, which is said."""
    chosen = first_backend(backend)
    if chosen is None:
        say_once("no window", no_window_line(run.name, run.location))
        return None
    return InlineView(run, config, chosen)


class InlineView:
    """Draws a frame when an update is due and its time is earned.

    Args:
        run: The run that it shows.
        config: What is drawn, and how often.
        backend: `qtagg` or `tkagg`.
    """

    def __init__(self, run: Run, config: TrainingVisualizerConfig, backend: str) -> None:
        self._run_id = run.id
        self._closed_line = closed_line(run.name, run.location)
        self._lost_line = lost_line(run.name, run.location)
        self._store = Store(run.location, seconds=STORE_SECONDS)
        self._config = config
        self._backend = backend
        self._budget = Budget(config.drawing_share)
        self._shown: FollowingWindow | None = None
        self._is_due = False
        self._is_over = False
        self._clock = time.monotonic
        self._pumped = -1e9

    def update(self, updates: int) -> None:
        """Draw, if this update is due and drawing has not had its share already."""
        if self._is_over:
            return
        # It stays due: an update at which the budget was not earned yet is made up for by
        # the next one that may draw.
        self._is_due |= updates % self._config.update_interval == 0
        if self._is_due and self._budget.is_earned:
            self._draw()
        # Without this a window would not answer its user for as long as drawing has had its
        # share.
        elif self._clock() - self._pumped >= _RESPONSE_SECONDS:
            self._answer()

    def force(self) -> None:
        """Draw at once."""
        if not self._is_over:
            self._draw(whole=True)

    def close(self) -> None:
        """Draw the last state, and close the window unless it is to stay."""
        if self._is_over:
            return
        if self._shown is not None:
            self._draw(whole=True)
        self._is_over = True
        if self._shown is not None and not self._config.keep_window:
            self._shown.window.close()
            self._shown = None

    def _draw(self, *, whole: bool = False) -> None:
        """Draw what is new: all of it, or what a frame's time allows; the rest is next."""
        is_first = self._shown is None
        self._budget.begin()
        try:
            with held_interrupts():
                self._frame(1e9 if whole else FRAME_SECONDS)
        except StepwellError:
            pass  # the store is in use: the next frame shows what this one would have
        except Exception as error:  # noqa: BLE001 (the training loop goes on)
            raise_if_of_handler(error)
            self._end(error)
        self._is_due = False
        self._pumped = self._clock()
        if not is_first:  # opening the window is paid once, and not in frames
            self._budget.end()

    def _answer(self) -> None:
        """Let the window answer the user between two frames."""
        self._pumped = self._clock()
        if self._shown is not None:
            try:
                with held_interrupts():
                    self._shown.window.pump()
            except Exception as error:  # noqa: BLE001 (the training loop goes on)
                raise_if_of_handler(error)
                self._end(error)
            self._say_if_closed()

    def _end(self, error: Exception) -> None:
        self._is_over = True
        warn(f"the live window ended: {type(error).__name__}: {error}")

    def _frame(self, seconds: float) -> None:
        shown = self._shown
        if shown is None:
            with own_style():
                self._shown = FollowingWindow(
                    self._store,
                    self._store.run(self._run_id),
                    self._config,
                    self._backend,
                )
            return
        if shown.window.is_open:
            shown.look()
            shown.draw(seconds)
            shown.window.pump(self._config.pause_duration)
        self._say_if_closed()

    def _say_if_closed(self) -> None:
        if self._shown is not None and not self._shown.window.is_open:
            self._is_over = True
            # Closed by its user it still holds a canvas and toolkit objects, which `close`
            # frees.
            window, self._shown = self._shown.window, None
            window.close()
            if window.is_lost:
                say_once("lost window", self._lost_line)
            else:
                say_once("closed window", self._closed_line)
