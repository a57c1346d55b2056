"""Tables in the terminal, printed every so many updates of a plot's visualizer."""

import contextlib
import shutil
import sys
import time
from collections.abc import Mapping
from typing import Any

from stepwell.store import Run, clean_metrics
from stepwell.viz.base.print_lines import say, say_encoded
from stepwell.viz.base.stored_progress import past_of
from stepwell.viz.terminal.render.layout import TerminalPicture
from stepwell.viz.terminal.render.view import TerminalView

from .live_display import current_display
from .plain_lines import plain_line
from .running_values import Entry, Tally
from .screens import encoder_of, is_live_terminal


class PrintedTables:
    """Prints how a run stands every so many updates; plain lines without a terminal.

    While a terminal visualizer shows its view in this process, that one has the table,
    and nothing is printed.

    Args:
        run: The run.
        interval: Updates between two tables.
        seconds: Since this process began the run.
    """

    def __init__(self, run: Run, interval: int, seconds: float = 0.0) -> None:
        self._name = run.name
        self._run_id = run.id
        self._config = run.config
        self._interval = interval
        self._tally = Tally(time.monotonic(), interval, past_of(run, seconds))
        self._waiting: list[Entry] = []

    def update(self, metrics: Mapping[str, Any], step: int) -> None:
        """Take note of an update, and print the table if it is due. Never raises."""
        self._waiting.append((step, metrics))
        if len(self._waiting) >= self._interval:
            with contextlib.suppress(Exception):  # the training goes on without
                self._print()

    def _print(self) -> None:
        waiting, self._waiting = self._waiting, []
        now = time.monotonic()
        cleaned = [(step, clean_metrics(metrics)[0]) for step, metrics in waiting]
        self._tally.take(cleaned, now)
        if current_display() is None:
            view = self._view(now)
            if is_live_terminal():
                columns = shutil.get_terminal_size().columns
                lines = TerminalPicture(view).lines(columns)
                say_encoded(encoder_of(sys.stdout).text(lines))
            else:
                say(plain_line(view))

    def _view(self, now: float) -> TerminalView:
        tally = self._tally
        return TerminalView(
            self._name,
            self._name,
            self._run_id,
            "running",
            tally.progress(now, self._config),
            tally.table,
            tuple(tally.newest.items()),
            tally.table_note,
            tally.experts(),
            alarms=tally.alarms(now, float("inf")),
            has_bar=False,
        )
