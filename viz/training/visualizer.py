"""The visualizer that a training loop talks to."""

import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from stepwell.store import (
    End,
    Run,
    describe_end,
    end_by_now,
    raise_if_of_handler,
    run_to_join,
    start_run,
)
from stepwell.viz.base.messages import warn
from stepwell.viz.base.print_lines import say
from stepwell.viz.base.shared_run import offer
from stepwell.viz.base.summary_text import summary_lines, summary_of
from stepwell.viz.config.config_json import config_of, layout_of
from stepwell.viz.config.validation import validate
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig

from .open_view import View, open_view

if TYPE_CHECKING:
    from stepwell.viz.terminal.printed_tables import PrintedTables


class RealTimeTrainingVisualizer:
    """Records the metrics of a training loop and draws them.

    It joins the *run* that it is given, else the active one (see `stepwell.active_run`),
    and otherwise starts a run of its own. A run of its own is finished by `close()`, or
    when the visualizer is left behind; a run that it joined goes on.

    Args:
        config: The panels and metrics. Later changes of it have no effect.
        run: The run to join.

    Raises:
        ConfigurationError: *config* can't be drawn; the message says why.
    """

    def __init__(self, config: TrainingVisualizerConfig, *, run: Run | None = None) -> None:
        validate(config)
        layout = layout_of(config)
        # A copy by way of what is kept, so that later changes of the caller's object have
        # no effect and the live picture is that of the kept layout.
        self._config = config_of(layout)
        joined = run or run_to_join()
        if joined is not None:
            joined.set_layout(layout)
        # A run of its own is only held here, so that it ends when this object does.
        self._run = joined or start_run(name=None, layout=layout)
        self._owns_run = joined is None
        # A terminal visualizer that is made next joins this run, see `take_offered`.
        offer(self._run)
        self._recorder = self._run.recorder()
        self._log = self._recorder.log
        self._updates = 0
        self._has_warned = False
        self._is_closed = False
        self._view = self._open_view()
        self._tables: PrintedTables | None = None

    @property
    def run(self) -> Run:
        """The run that takes the metrics."""
        return self._run

    @property
    def config(self) -> TrainingVisualizerConfig:
        """What is drawn: a copy of the configuration that was given."""
        return self._config

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else f"{self._updates:,} updates"
        return f"<RealTimeTrainingVisualizer of run {self._run.name!r}, {state}>"

    def update_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record *metrics*; when this returns, they survive the death of the process.

        Args:
            metrics: Names and numbers; None is an absent value.
            step: The training step; None is the step after the last.
        """
        self._log(metrics, step)
        self._updates += 1
        if self._config.table_interval is not None:
            self._print_table(metrics)
        if self._view is not None:
            self._view.update(self._updates)

    def force_update(self) -> None:
        """Draw now, whatever the update interval is. Without a view it does nothing."""
        if self._view is not None:
            self._view.force()

    def save_plot(self, save_path: str | Path) -> None:
        """Save the figure, with all that has been recorded so far.

        Args:
            save_path: The file. Its suffix is .png, .pdf or .svg; without one it
                becomes a .png. Missing folders are made.

        Raises:
            ConfigurationError: The suffix is another one.
            OSError: The file can't be written.

        Warns:
            PlotWarning: The data could not be read or drawn, and nothing was saved.
        """
        if self._run.is_disabled:
            return
        from stepwell.viz.drawing.picture_file import target_path  # noqa: PLC0415 loads matplotlib
        from stepwell.viz.figures.run_spec import spec_of_run  # noqa: PLC0415
        from stepwell.viz.run_page.draw_page import save_page  # noqa: PLC0415 loads matplotlib
        from stepwell.viz.run_page.page import prepare  # noqa: PLC0415

        target = target_path(save_path)
        try:
            page = prepare(self._run.store(), self._run.id, self._config)
            save_page(page, target, spec_of_run(self._run.id, self._config))
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 the training loop goes on
            raise_if_of_handler(error)
            warn(f"the plot {target} was not saved: {type(error).__name__}: {error}")

    def get_metrics_summary(self) -> dict[str, dict[str, float]]:
        """What each metric of the run has come to.

        Returns:
            For each metric current, min, max, mean and count, then non_finite (how many
            of the points are NaN or infinite), min_step and max_step. Where no point is
            finite, min, max, mean and the steps are NaN.
        """
        return summary_of(self._run.summary())

    def close(self) -> None:
        """Print the summary, and finish the run if it is the visualizer's own.

        While an exception is on its way, that is what the run ends by. A second call does
        nothing.
        """
        self._close(end_by_now(self._run))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close(describe_end(exc_value))

    def _close(self, end: End) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._view is not None:
            self._view.close()
        try:
            self._print_summary()
        except Exception as error:  # noqa: BLE001 the training loop goes on
            raise_if_of_handler(error)
            self._warn("the summary could not be printed", error)
        finally:
            if self._owns_run:
                self._run.finish(*end)

    def _print_table(self, metrics: Mapping[str, Any]) -> None:
        if self._run.is_disabled:
            return
        if self._tables is None:
            from stepwell.viz.terminal.printed_tables import PrintedTables  # noqa: PLC0415 (loads Rich)

            interval, seconds = self._config.table_interval or 1, self._recorder.seconds
            self._tables = PrintedTables(self._run, interval, seconds)
        self._tables.update(metrics, self._recorder.last_step)

    def _open_view(self) -> View | None:
        if self._run.is_disabled:
            return None
        try:
            view = open_view(self._run, self._config)
        except Exception as error:  # noqa: BLE001 the training loop goes on
            raise_if_of_handler(error)
            self._warn("there is no live view", error)
            return None
        if view is not None:
            # At the exit of the process windows end by themselves, and a toolkit that is
            # already taken down would hang.
            weakref.finalize(self, view.close).atexit = False
        return view

    def _print_summary(self) -> None:
        if self._run.is_disabled:
            return
        title = f"run {self._run.name} ({self._run.id}) in {self._run.location}"
        for line in summary_lines(title, self._run.summary()):
            say(line)

    def _warn(self, what: str, error: Exception) -> None:
        if not self._has_warned:
            self._has_warned = True
            warn(f"{what}: {type(error).__name__}: {error}")
