"""A figure that follows a run: the cheapest drawing that shows what is new.

Cheapest first: nothing new, nothing done; the axes stand, so a panel's background is put
back and its curves are drawn over it; a panel's axes moved, so that panel alone is drawn
anew, and where the axis of steps moved each panel is, in turn; the figure was resized, so
everything is drawn and kept.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from matplotlib.artist import Artist
from matplotlib.backend_bases import Event
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox, IdentityTransform

from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.run_page.curve_labels import label_lines, labels_in_lines
from stepwell.viz.run_page.layout import Arrangement, Place, arrange
from stepwell.viz.run_page.panel import Panel

from .canvas_figure import CanvasFigure
from .header import SECONDS, LiveHead
from .page import LivePage
from .panel import LivePanel
from .run_follower import Feed


class LiveFigure:
    """Draws a run's figure again and again, at a cost that doesn't grow with the run.

    Args:
        figure: An empty figure on an Agg canvas, in a window or not.
        config: What is drawn.
        feed: The run.
        clock: Gives seconds; `time.monotonic`.

    Attributes:
        figure: The figure.
        full_draws: How often everything was drawn.
        panel_draws: How often a panel was drawn whole.
        curve_draws: How often the curves of a panel were drawn over its background.
    """

    def __init__(
        self,
        figure: CanvasFigure,
        config: TrainingVisualizerConfig,
        feed: Feed,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.figure = figure
        self.full_draws = self.panel_draws = self.curve_draws = 0
        self._clock = clock
        self._values = LivePage(config, feed)
        self._head = LiveHead(figure, clock)
        self._live: dict[int, LivePanel] = {}
        self._backgrounds: dict[int, Any] = {}
        self._named: dict[int, float] = {}
        self._arrangement: Arrangement | None = None
        self._dirty: list[int] = []
        self._outgrown: set[int] = set()  # panels on an axis of steps that has moved
        self._size: tuple[float, float, float] | None = None
        figure.set_facecolor(self._values.theme.background)
        figure.before_draw = self._arrange_if_resized
        self._canvas.mpl_connect("draw_event", self._drawn)

    @property
    def _canvas(self) -> Any:
        return self.figure.canvas

    @property
    def status(self) -> str:
        """Status of the run at the last look."""
        return self._values.look.info.status if self._values.look else "running"

    @property
    def updates(self) -> int:
        """How often the run had been updated at the last look."""
        summary = self._values.look.summary if self._values.look else {}
        return max((one.count for one in summary.values()), default=0)

    @property
    def is_following(self) -> bool:
        """Whether no panel was zoomed or moved by hand."""
        return all(live.is_at_home for live in self._live.values())

    @property
    def is_behind(self) -> bool:
        """Whether panels wait for their turn."""
        return bool(self._dirty)

    def look(self) -> bool:
        """Read what is new; says whether there was anything.

        Raises:
            StepwellError: If the store can't be read just now.
        """
        is_new, touched = self._values.read()
        self._head.is_old |= is_new
        self._dirty += [index for index in touched if index not in self._dirty]
        return is_new

    def frame(self, seconds: float = 1e9) -> list[Bbox]:
        """Draw what has changed, panels in turn, for about *seconds* at the most.

        Returns:
            The parts of the canvas that changed, in pixels, for the window to show.
        """
        if self._values.look is None:
            self.look()
        if self._present_size() != self._size or self._values.has_ended_anew():
            return self.redraw()
        if self._values.move_outgrown_steps():
            self._outgrown.update(self._live)
            self._dirty += [index for index in self._live if index not in self._dirty]
        if not self._dirty and not self._head.is_due:
            return []
        with own_style():
            return self._draw_dirty(seconds)

    def _draw_dirty(self, seconds: float) -> list[Bbox]:
        deadline = self._clock() + seconds
        changed: list[Bbox] = []
        while self._dirty:
            index = self._dirty.pop(0)
            panel = self._values.panel(index)
            if not self._values.fits(panel):
                return self.redraw()
            changed += self._draw_panel(index, panel)
            if self._live[index].is_crowded:
                return self.redraw()
            if self._clock() >= deadline:
                break
        return changed + self._draw_head()

    def follow(self) -> list[Bbox]:
        """Show the whole run again, in every panel; gives what changed."""
        self._live.clear()
        return self.redraw()

    def redraw(self) -> list[Bbox]:
        """Draw everything; a panel that the user has moved stays where it is."""
        with own_style():
            self._arrange()
            self._canvas.draw()
        return [self.figure.bbox.frozen()]

    def _present_size(self) -> tuple[float, float, float]:
        width, height = self.figure.get_size_inches()
        return float(width), float(height), float(self.figure.dpi)

    def _arrange_if_resized(self) -> None:
        """Put everything in its new place, just before a window draws its new size."""
        is_ours = self._values.look is not None and self._size is not None
        if is_ours and self._present_size() != self._size:
            with own_style():
                self._arrange()

    def _arrange(self) -> None:
        """Make all artists anew, for the present size and axes."""
        if self._values.look is None:
            self.look()
        self._size = self._present_size()
        self._dirty.clear()
        self._outgrown.clear()
        # Asked before `_new_panel` replaces the panels that know what their users chose.
        held = {i: one.limits for i, one in self._live.items() if not one.is_at_home}
        values = self._values
        values.move_steps()
        for index in values.cells:
            values.panels[index] = values.panel(index)
        page = values.page(self._size[:2])
        self.figure.clear()
        self.figure.set_facecolor(values.theme.background)
        self._arrangement = arrange(page)
        self._head.make(page, self._arrangement, self._renderer())
        for place in self._arrangement.places:
            live = self._new_panel(place)
            if place.panel.index in held:
                live.hold(held[place.panel.index])
            live.set_panel(place.panel, page, self._renderer())
        self.full_draws += 1

    def _renderer(self) -> Any:
        return self._canvas.get_renderer()

    def _new_panel(self, place: Place) -> LivePanel:
        page = self._values.page(self._present_size()[:2])
        live = self._live[place.panel.index] = LivePanel(self.figure, place, page)
        self._named[place.panel.index] = self._clock()
        return live

    def _draw_panel(self, index: int, panel: Panel) -> list[Bbox]:
        live, old = self._live[index], self._values.panels[index]
        self._values.panels[index] = panel
        has_moved = static_part(old) != static_part(panel) or panel.experts is not None
        has_moved |= index in self._outgrown
        self._outgrown.discard(index)
        if has_moved and live.is_at_home:
            return self._draw_whole_panel(live, panel)
        if self._clock() - self._named[index] >= SECONDS:
            self._named[index] = self._clock()
            live.set_labels(self._with_present_labels(live.place, panel))
        page = self._values.page(self._present_size()[:2])
        live.set_panel(panel, page, self._renderer())
        self._canvas.restore_region(self._backgrounds[index])
        self._draw(live.moving())
        self.curve_draws += 1
        return [live.area()]

    def _draw_whole_panel(self, live: LivePanel, panel: Panel) -> list[Bbox]:
        with own_style():
            live.remove()
            live = self._new_panel(self._with_present_labels(live.place, panel))
            page = self._values.page(self._present_size()[:2])
            live.set_panel(panel, page, self._renderer())
            self._fill(live.cell())
            self._draw(live.all_axes)
            self._keep_background(live)
            self._draw(live.moving())
        self.panel_draws += 1
        return [live.cell()]

    def _with_present_labels(self, place: Place, panel: Panel) -> Place:
        """*place* with its panel and labels as they are now, in the same boxes."""
        labels = place.labels and labels_in_lines(panel, label_lines(place.labels))
        return replace(place, labels=labels, panel=panel)

    def _draw_head(self) -> list[Bbox]:
        if self._arrangement is None or not self._head.is_due:
            return []
        with own_style():
            page = self._values.page(self._present_size()[:2])
            self._head.clear()
            self._head.make(page, self._arrangement, self._renderer())
            areas = self._head.areas(self._arrangement)
            for area in areas:
                self._fill(area)
            self._draw(self._head.artists)
        return areas

    def _draw(self, artists: Iterable[Artist]) -> None:
        renderer = self._renderer()
        for artist in artists:
            artist.draw(renderer)

    def _fill(self, area: Bbox) -> None:
        patch = Rectangle(
            (area.x0, area.y0),
            area.width,
            area.height,
            facecolor=self._values.theme.background,
            edgecolor="none",
            antialiased=False,
            transform=IdentityTransform(),
            figure=self.figure,
        )
        self._draw([patch])

    def _keep_background(self, live: LivePanel) -> None:
        kept = self._canvas.copy_from_bbox(live.area())
        self._backgrounds[live.place.panel.index] = kept

    def _drawn(self, event: Event) -> None:
        """Keep what stands still, just drawn; then draw what moves over it."""
        # `savefig` fires this event as well, on a canvas of the file's own.
        if event.canvas is not self._canvas or not self._live:
            return
        for live in self._live.values():
            self._keep_background(live)
        page = self._values.page(self._present_size()[:2])
        for live in self._live.values():
            live.set_panel(live.place.panel, page, self._renderer())  # it may be zoomed
            self._draw(live.moving())
        self._draw(self._head.artists)


def static_part(panel: Panel) -> tuple[object, ...]:
    """All of a panel that its background shows."""
    return (
        panel.title,
        panel.xlabel,
        panel.scale,
        panel.notes,
        panel.waiting,
        panel.show_grid,
        panel.show_legend,
        panel.quiet,
        tuple((c.metric, c.label, c.look) for c in panel.curves),
    )
