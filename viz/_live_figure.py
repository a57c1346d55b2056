"""A figure that follows a run: the cheapest drawing that shows what is new.

Cheapest first: nothing new, nothing done; the axes stand, so a panel's background is put
back and its curves are drawn over it; a panel's axes moved, so that panel alone is drawn
anew; the figure was resized or drawn by somebody else, so everything is drawn and kept.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from matplotlib.artist import Artist
from matplotlib.backend_bases import Event
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox, IdentityTransform

from ._arrangement import Arrangement, Place, arrange
from ._config import TrainingVisualizerConfig
from ._feed import Feed
from ._live_head import SECONDS, LiveHead
from ._live_page import LivePage
from ._live_panel import LivePanel
from ._panel import Panel
from ._style import own_style


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
        figure: Figure,
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
        self._backgrounds: dict[int, tuple[Any, Any]] = {}
        self._worded: dict[int, float] = {}
        self._arrangement: Arrangement | None = None
        self._dirty: list[int] = []
        self._size: tuple[float, float, float] | None = None
        self._is_drawing = False
        figure.set_facecolor(self._values.theme.background)
        self._canvas.mpl_connect("draw_event", self._drawn_by_other)

    @property
    def _canvas(self) -> Any:
        return self.figure.canvas

    @property
    def status(self) -> str:
        """Status of the run at the last look."""
        return self._values.look.info.status if self._values.look else "running"

    @property
    def last_step(self) -> int:
        """The run's greatest step at the last look; -1 before the first point."""
        summary = self._values.look.summary if self._values.look else {}
        return max((one.last_step for one in summary.values()), default=-1)

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
        if self._present_size() != self._size:
            return self.redraw()
        deadline = self._clock() + seconds
        changed: list[Bbox] = []
        while self._dirty:
            index = self._dirty.pop(0)
            panel = self._values.panel(index)
            if self.is_following and not self._values.fits(panel):
                return self.redraw()
            changed += self._draw_panel(index, panel)
            if self._clock() >= deadline:
                break
        return changed + self._draw_head()

    def frame_if_resized(self) -> list[Bbox]:
        """Draw everything if the figure has another size than before, else nothing."""
        return [] if self._present_size() == self._size else self.redraw()

    def redraw(self) -> list[Bbox]:
        """Draw everything, with the whole run in view."""
        self._size = self._present_size()
        self._dirty.clear()
        values = self._values
        values.move_steps()
        for index in values.cells:
            values.panels[index] = values.panel(index)
        page = values.page(self._size[:2])
        self._is_drawing = True
        try:
            with own_style():
                self.figure.clear()
                self.figure.set_facecolor(values.theme.background)
                self._arrangement = arrange(page)
                self._head.make(page, self._arrangement)
                for place in self._arrangement.places:
                    self._live[place.panel.index] = self._new_panel(place)
                self._canvas.draw()
        finally:
            self._is_drawing = False
        self._keep_backgrounds()
        self.full_draws += 1
        return [self.figure.bbox.frozen()]

    def _present_size(self) -> tuple[float, float, float]:
        width, height = self.figure.get_size_inches()
        return float(width), float(height), float(self.figure.dpi)

    def _new_panel(self, place: Place) -> LivePanel:
        page = self._values.page(self._present_size()[:2])
        live = LivePanel(self.figure, place, page)
        live.set_curves(place, page)
        live.set_words()
        self._worded[place.panel.index] = self._clock()
        return live

    def _draw_panel(self, index: int, panel: Panel) -> list[Bbox]:
        live, old = self._live[index], self._values.panels[index]
        self._values.panels[index] = panel
        has_moved = static_part(old) != static_part(panel) or panel.experts is not None
        if has_moved and live.is_at_home:
            return self._draw_whole_panel(live)
        page = self._values.page(self._present_size()[:2])
        curves_ground, words_ground = self._backgrounds[index]
        changed = [live.area()]
        live.set_curves(replace(live.place, panel=panel), page)
        self._canvas.restore_region(curves_ground)
        if self._clock() - self._worded[index] >= SECONDS:
            self._worded[index] = self._clock()
            live.place = self._with_present_words(live.place)
            with own_style():
                live.set_words()
            self._canvas.restore_region(words_ground)
            self._draw(live.words)
            changed.append(live.words_area())
        self._draw(live.moving())
        self.curve_draws += 1
        return changed

    def _draw_whole_panel(self, live: LivePanel) -> list[Bbox]:
        with own_style():
            live.remove()
            live = self._new_panel(self._with_present_words(live.place))
            self._live[live.place.panel.index] = live
            self._fill(live.cell())
            self._draw(live.all_axes)
            self._keep_background(live)
            self._draw([*live.moving(), *live.words])
        self.panel_draws += 1
        return [live.cell()]

    def _with_present_words(self, place: Place) -> Place:
        """*place* with its panel and labels as they are now, in the same boxes."""
        page = self._values.page(self._present_size()[:2])
        fresh = {there.panel.index: there for there in arrange(page).places}
        now = fresh[place.panel.index]
        return replace(place, labels=now.labels, panel=now.panel)

    def _draw_head(self) -> list[Bbox]:
        if self._arrangement is None or not self._head.is_due:
            return []
        with own_style():
            page = self._values.page(self._present_size()[:2])
            self._head.make(page, self._arrangement)
        areas = self._head.areas(self._arrangement)
        for area in areas:
            self._fill(area)
        self._draw(self._head.artists)
        return areas

    def _draw(self, artists: Iterable[Artist]) -> None:
        renderer = self._canvas.get_renderer()
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
        copy = self._canvas.copy_from_bbox
        regions = copy(live.area()), copy(live.words_area())
        self._backgrounds[live.place.panel.index] = regions

    def _keep_backgrounds(self) -> None:
        """Keep what stands still, just drawn; then draw what moves over it."""
        for live in self._live.values():
            self._keep_background(live)
        for live in self._live.values():
            self._draw([*live.moving(), *live.words])
        self._draw(self._head.artists)

    def _drawn_by_other(self, event: Event) -> None:
        # The toolbar, or a window that was hidden: drawn without what moves.
        is_ours = event.canvas is self._canvas and not self._is_drawing
        if is_ours and self._live and self._present_size() == self._size:
            self._keep_backgrounds()


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
