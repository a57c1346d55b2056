"""The one-page report of a sweep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stepwell.viz.base.boxes import Box
from stepwell.viz.base.theme import DOTS_PER_INCH
from stepwell.viz.drawing.heading import draw_heading
from stepwell.viz.drawing.plot_axes import draw_empty, theme_of
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.drawing.text import fitted
from stepwell.viz.sweep_plots.contour import draw_contour
from stepwell.viz.sweep_plots.curves import draw_curves_plot
from stepwell.viz.sweep_plots.curves_data import PAGE_COLUMNS
from stepwell.viz.sweep_plots.importances import draw_param_importances
from stepwell.viz.sweep_plots.leaderboard import draw_leaderboard
from stepwell.viz.sweep_plots.parallel import draw_parallel_coordinate
from stepwell.viz.sweep_plots.slice import draw_slice

from .report_data import Report, prepare_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from stepwell.store import Runs, Store, SweepData
    from stepwell.viz.base.theme import Theme

SIZE = (14.0, 10.4)
_TITLE_SIZE = 16.0
_FACT_SIZE = 9.0
_LEFT = 0.65
_LABEL_ROOM = 2.0
_CURVES = Box(_LEFT, 5.95, 5.5, 2.95)
_PARALLEL = Box(8.75, 5.55, 4.35, 3.1)
_SLICES = tuple(Box(_LEFT + 2.2 * number, 3.45, 1.8, 1.65) for number in range(3))
_CELLS = Box(7.75, 3.45, 2.5, 1.65)
_BARS = Box(11.85, 3.92, 1.7, 1.18)
_BOARD = Box(_LEFT, 0.25, 12.9, 2.35)


def plot_report(  # noqa: PLR0913 (a choice an argument)
    store: Store,
    metric: str,
    *,
    runs: Runs = None,
    goal: str | None = None,
    at: str | int = "best",
    theme: str = "light",
    size: tuple[float, float] = SIZE,
    title: str | None = None,
) -> Figure:
    """The page as a figure; see `report`."""
    sweep = store.sweep(metric, goal, at, runs=runs, columns=[PAGE_COLUMNS])
    return plot_report_of(sweep, theme=theme, size=size, title=title)


def plot_report_of(
    sweep: SweepData,
    *,
    theme: str = "light",
    size: tuple[float, float] = SIZE,
    title: str | None = None,
) -> Figure:
    """The page about a sweep as a figure."""
    colors = theme_of(theme)
    value = prepare_report(sweep)
    if title is not None:
        value = replace(value, title=title)
    return draw_report(value, colors, size)


def draw_report(value: Report, theme: Theme, size: tuple[float, float] = SIZE) -> Figure:
    """The page, on a figure of its own, *size* inches wide and high."""
    with own_style():
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor=theme.background)
        FigureCanvasAgg(figure)
        _draw_head(figure, value, theme)
        axes = _axes(figure, _CURVES)
        draw_curves_plot(value.curves, axes, theme, small_room=_LABEL_ROOM)
        draw_parallel_coordinate(value.parallel, _axes(figure, _PARALLEL), theme)
        for part, box in zip(value.slices, _SLICES, strict=False):
            draw_slice(part, _axes(figure, box), theme, is_small=True)
        _draw_cells(value, _axes(figure, _CELLS), theme)
        draw_param_importances(value.importance, _axes(figure, _BARS), theme)
        draw_leaderboard(value.board, _axes(figure, _BOARD), theme)
    return figure


def _draw_cells(value: Report, axes: Axes, theme: Theme) -> None:
    if value.cells is not None:
        draw_contour(value.cells, axes, theme, is_small=True)
        return
    axes.set_axis_off()
    draw_heading(axes, "Two parameters", [], theme)
    draw_empty(axes, "fewer than two vary", theme)


def _axes(figure: Figure, box: Box) -> Axes:
    axes = figure.add_axes(box.shares(SIZE))
    axes.set_facecolor("none")
    return axes


def _draw_head(figure: Figure, value: Report, theme: Theme) -> None:
    left = _LEFT / SIZE[0]
    room = float(figure.get_size_inches()[0]) * (1 - 2 * left)
    figure.text(
        left,
        1 - 0.45 / SIZE[1],
        fitted(value.title, _TITLE_SIZE, room, "bold"),
        color=theme.text,
        fontsize=_TITLE_SIZE,
        fontweight="bold",
        va="center",
    )
    facts = list(value.facts)
    figure.text(
        left,
        1 - 0.8 / SIZE[1],
        fitted("   ·   ".join(facts), _FACT_SIZE, room),
        color=theme.muted,
        fontsize=_FACT_SIZE,
        va="center",
    )
