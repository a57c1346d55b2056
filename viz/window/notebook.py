"""A picture in a notebook, updated in place."""

import io
import time
from importlib import import_module
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from stepwell.store import Run, StepwellError, Store, raise_if_of_handler
from stepwell.viz.base.messages import warn
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig

from .delay_ctrl_c import held_interrupts
from .drawing_budget import Budget
from .inline import STORE_SECONDS
from .window_loop import make_live, new_figure

_SECONDS = 0.5  # least time between two pictures: each travels to the page
_FINAL_SECONDS = 10.0  # how long the last picture waits for a store that is in use


class NotebookView:
    """One display in the output of a cell, whose picture is replaced.

    Args:
        run: The run that it shows.
        config: What is drawn, and how often.
    """

    def __init__(self, run: Run, config: TrainingVisualizerConfig) -> None:
        self._run_id = run.id
        self._store = Store(run.location, seconds=STORE_SECONDS)
        self._config = config
        self._budget = Budget(config.drawing_share)
        self._handle: Any = None
        self._live: Any = None
        self._is_due = False
        self._is_over = False
        self._sent = -1e9

    def update(self, updates: int) -> None:
        """Show a picture, if this update is due and drawing has not had its share."""
        self._is_due |= updates % self._config.update_interval == 0
        if self._is_due and not self._is_over and self._budget.is_earned:
            self._draw()

    def force(self) -> None:
        """Show a picture at once."""
        if not self._is_over:
            self._draw()

    def close(self) -> None:
        """Show the last state; it stays in the notebook."""
        end = time.monotonic() + _FINAL_SECONDS
        while not self._is_over:
            # Each try waits STORE_SECONDS for a busy store, so this loop does not spin.
            trouble = self._draw()
            self._is_over |= trouble is None or time.monotonic() > end
            if self._is_over and trouble is not None:
                warn(f"the notebook does not show the last state: {trouble}")

    def _draw(self) -> StepwellError | None:
        """Show a picture; returns why it does not show the newest state."""
        self._budget.begin()
        try:
            with held_interrupts():
                return self._send()
        except StepwellError as error:
            return error  # the store is in use: the next picture shows it
        except Exception as error:  # noqa: BLE001 (the training loop goes on)
            raise_if_of_handler(error)
            self._is_over = True
            warn(f"the picture in the notebook ended: {type(error).__name__}: {error}")
            return None
        finally:
            self._is_due = False
            self._budget.end()

    def _send(self) -> StepwellError | None:
        tools: Any = import_module("IPython.display")

        if self._live is None:
            figure = new_figure(self._config)
            FigureCanvasAgg(figure)
            self._live = make_live(self._store, self._run_id, self._config, figure)
        trouble = None
        try:
            self._live.look()
        except StepwellError as error:
            trouble = error
        # Also after trouble: an older picture says more than none.
        self._live.frame()
        buffer = io.BytesIO()
        canvas = self._live.figure.canvas
        # Level 1 of the compression saves a fifth of the time that drawing and writing take
        # at the usual one, 6; without the opacity there is less to write.
        Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").save(
            buffer, format="png", compress_level=1
        )
        width = int(self._live.figure.bbox.width)
        picture = tools.Image(buffer.getvalue(), format="png", width=width)
        # A handle replaces its own picture. `clear_output` would also take away what the
        # user has printed in the cell.
        if self._handle is None:
            self._handle = tools.display(picture, display_id=True)
        else:
            self._handle.update(picture)
        return trouble
