"""The page of a run that goes on: panels made anew one by one, on axes that stay."""

from dataclasses import replace

from stepwell.viz.base.axis import Scale, step_scale
from stepwell.viz.base.theme import THEMES
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig
from stepwell.viz.run_page.header import Header, header_of
from stepwell.viz.run_page.page import Page, cells_of, recorded_of, rows_of
from stepwell.viz.run_page.panel import Panel, panel_of

from .run_follower import Feed, Look
from .steady_axes import held_scale, held_steps

PIXELS_PER_INCH = 50
"""Columns that a panel's data are reduced to, for each inch of its cell.

There may be twice as many of them, so that one is a pixel of a usual screen or two.
"""


def columns_of(config: TrainingVisualizerConfig) -> int:
    """How many columns the data of a panel are reduced to."""
    width = config.figure_size[0] / config.subplot_cols
    return max(100, min(1200, round(width * PIXELS_PER_INCH)))


class LivePage:
    """Makes the values that a live figure draws.

    Args:
        config: What is drawn.
        feed: The run.
    """

    def __init__(self, config: TrainingVisualizerConfig, feed: Feed) -> None:
        self.theme = THEMES[config.theme]
        self.cells = {cell.index: cell for cell in cells_of(config, self.theme)}
        self.panels: dict[int, Panel] = {}
        self.look: Look | None = None
        self.steps: Scale | None = None
        self._config = config
        self._feed = feed
        self._drawn_status = ""
        self._head: tuple[Look, Header] | None = None

    def read(self) -> tuple[bool, list[int]]:
        """Take in what is new.

        Returns:
            Whether anything is new, and the panels that have new points.

        Raises:
            StepwellError: If the store can't be read just now.
        """
        before, look = self.look, self._feed.read()
        self.look = look
        is_new = bool(look.changed) or before is None or before.info != look.info
        touched = [
            index
            for index, cell in self.cells.items()
            if look.changed & {metric.metric_name for metric in cell.metrics}
        ]
        return is_new, touched

    def has_ended_anew(self) -> bool:
        """Whether the run has ended, or begun again, since the axes were set."""
        # While a run goes on its axes have room to grow, which a finished picture shall not
        # have. A run that is resumed gets the room back.
        is_running = self._is_running
        return is_running != (self._drawn_status == "running")

    @property
    def _is_running(self) -> bool:
        return self.look is None or self.look.info.status == "running"

    def panel(self, index: int) -> Panel:
        """A panel as it is now, on axes that stay while the run goes on and they can."""
        cell = self.cells[index]
        pairs = ((m.metric_name, self._feed.series(m.metric_name)) for m in cell.metrics)
        found = {name: series for name, series in pairs if series is not None}
        steps = self.steps or self._present_steps()
        width = (steps.high - steps.low) if steps else 1.0
        panel = panel_of(cell, found, pixels_per_step=columns_of(self._config) / width)
        old = self.panels.get(index)
        has_axes = old is not None and old.scale is not None and panel.scale is not None
        # Held only while the run goes on: its last picture has axes that fit the data.
        if has_axes and old is not None and panel.scale is not None and self._is_running:
            panel = replace(panel, scale=held_scale(old.scale, panel.scale))
        return panel

    def fits(self, panel: Panel) -> bool:
        """Whether *panel* can be drawn without moving anything outside its cell."""
        # All panels share the axis of steps, so this one can't be drawn alone on a new one.
        if self._present_steps() != self.steps:
            return False
        old = self.panels[panel.index]
        same_axes = (old.scale is None) == (panel.scale is None)
        return same_axes and (old.experts is None) == (panel.experts is None)

    def move_outgrown_steps(self) -> bool:
        """Move the axis of steps where the run has outgrown it; says whether it did."""
        present = self._present_steps()
        if self.steps is None or present is None or present == self.steps:
            return False
        self.steps = present
        return True

    def move_steps(self) -> None:
        """Set the axis of steps that the panels share to what there is now."""
        self.steps = self._present_steps()
        self._drawn_status = self.look.info.status if self.look else "running"

    def page(self, size: tuple[float, float]) -> Page:
        """The whole page, *size* inches, with the panels as they were last made."""
        look, config = self.look, self._config
        if look is None:
            raise RuntimeError("read() comes before the first page")
        # Each panel that is drawn asks for a page; the header is worked out once a look.
        if self._head is None or self._head[0] is not look:
            head = header_of(config, look.info, look.summary, look.progress)
            self._head = look, head
        asked = {metric.metric_name for metric in config.metrics}
        return Page(
            size=size,
            rows=rows_of(config, self.cells.values()),
            columns=config.subplot_cols,
            theme=self.theme,
            header=self._head[1],
            steps=self.steps,
            panels=tuple(self.panels[index] for index in self.cells),
            recorded=recorded_of(look.summary, asked),
        )

    def _present_steps(self) -> Scale | None:
        extent = self._feed.extent
        if extent is None:
            return self.steps
        first, last = extent
        if not self._is_running:
            return step_scale(first, last)
        if self._config.max_points is not None and self.steps is not None:
            # The newest points wander along the axis. It is kept until they have left its
            # beginning by their own length; else it would move, and all panels with it,
            # each time.
            has_left = first > self.steps.low + (last - first)
            return held_steps(None if has_left else self.steps, first, last, None)
        total = self.look.progress.total if self.look else None
        return held_steps(self.steps, first, last, total)
