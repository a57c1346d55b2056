"""The plots of many runs by their short names: for kept figures and the command line."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepwell.store import ConfigurationError, shown
from stepwell.viz.base.smoothing import smoothing_of
from stepwell.viz.base.theme import DOTS_PER_INCH
from stepwell.viz.drawing.heading import retitle
from stepwell.viz.drawing.picture_file import content_of, target_path, write_whole
from stepwell.viz.drawing.plot_axes import Margins, fit, new_axes, theme_of
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.drawing.text import clean
from stepwell.viz.sweep_data.bands import band_for
from stepwell.viz.sweep_plots.curves_data import COLUMNS, PAGE_COLUMNS
from stepwell.viz.sweep_plots.plot_functions import (
    IMPORTANCES_MARGINS,
    LEADERBOARD_MARGINS,
    PARALLEL_MARGINS,
)

from .pinned_runs import runs_now
from .style import STYLES, FigureStyle, style_of

if TYPE_CHECKING:
    from stepwell.store import FigureSpec, Runs, Store, SweepData

_GIVEN = frozenset({"store", "runs", "ax", "theme", "size", "title"})


@dataclass(frozen=True, slots=True)
class PlotKind:
    """A plot of many runs.

    Attributes:
        module: The module that draws it, below `stepwell.viz`.
        function: The function there. It takes a store and a metric, `runs`, `theme`, and
            options of its own. It draws on `ax`, and gives the axes; or it takes `size`
            and `title`, and gives a figure. Beside it stands one called so with `_of`
            behind, which draws a sweep that the store was asked for before.
        margins: Inches left, below, right and above the axes, where these stay as they
            are made.
        columns: In how many columns it shows curves; 0 where it shows none.
    """

    module: str
    function: str
    margins: Margins | None = None
    columns: int = 0

    @property
    def plot(self) -> Callable[..., Any]:
        """The function itself."""
        return self._named(self.function)

    @property
    def plot_of(self) -> Callable[..., Any]:
        """The function that draws a sweep."""
        return self._named(f"{self.function}_of")

    @property
    def options(self) -> tuple[str, ...]:
        """What a figure of this kind can be told, its metric first."""
        names = inspect.signature(self.plot).parameters
        return tuple(name for name in names if name not in _GIVEN)

    @property
    def needed(self) -> tuple[str, ...]:
        """The options, all of them text, without which there is no figure."""
        found = inspect.signature(self.plot).parameters
        return tuple(n for n in self.options if found[n].default is inspect.Parameter.empty)

    def unanswered(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of *options* that a sweep leaves open."""
        taken = inspect.signature(self.plot_of).parameters
        return {name: value for name, value in options.items() if name in taken}

    def _named(self, function: str) -> Callable[..., Any]:
        module = import_module(f"stepwell.viz.{self.module}")
        found: Callable[..., Any] = getattr(module, function)
        return found


PLOTS: Mapping[str, PlotKind] = {
    "curves": PlotKind("sweep_plots.curves", "plot_curves", columns=COLUMNS),
    "slice": PlotKind("sweep_plots.slice", "plot_slice"),
    "contour": PlotKind("sweep_plots.contour", "plot_contour"),
    "history": PlotKind("sweep_plots.optimization_history", "plot_optimization_history"),
    "edf": PlotKind("sweep_plots.edf", "plot_edf"),
    "parallel": PlotKind(
        "sweep_plots.plot_functions", "plot_parallel_coordinate", PARALLEL_MARGINS
    ),
    "importances": PlotKind(
        "sweep_plots.plot_functions", "plot_param_importances", IMPORTANCES_MARGINS
    ),
    "leaderboard": PlotKind(
        "sweep_plots.plot_functions", "plot_leaderboard", LEADERBOARD_MARGINS
    ),
    "report": PlotKind("sweep_report.draw_report", "plot_report", columns=PAGE_COLUMNS),
}
"""The plots by the names that figures of their kind have."""


def spec_of_plot(
    kind: str, metric: str, *, runs: "Runs" = None, theme: str = "light", **options: Any
) -> "FigureSpec":
    """The figure of one metric of many runs; options that are None are left out."""
    from stepwell.store import FigureSpec, as_selection  # noqa: PLC0415 (parts of it)

    told = {name: value for name, value in options.items() if value is not None}
    return FigureSpec(kind, as_selection(runs), {"metric": metric} | told, {"theme": theme})


def check_plot(spec: "FigureSpec") -> None:
    """Refuse a figure that could not be drawn from any store.

    Raises:
        ConfigurationError: Its kind, an option or a style is unknown, or one is missing.
    """
    if spec.kind not in PLOTS:
        known = ", ".join(("run", *PLOTS))
        raise ConfigurationError(f"figures of kind {spec.kind!r} are unknown; use {known}")
    for what, given, known_names in (
        ("option", spec.options, PLOTS[spec.kind].options),
        ("style", spec.style, STYLES),
    ):
        for name in given:
            if name not in known_names:
                raise ConfigurationError(
                    f"a figure of kind {spec.kind!r} has no {what} {name!r}; it has"
                    f" {', '.join(known_names)}"
                )
    needed = PLOTS[spec.kind].needed
    if not all(isinstance(spec.options.get(name), str) for name in needed):
        raise ConfigurationError(
            f"a figure of kind {spec.kind!r} needs {', '.join(needed)}, each a name"
        )
    _check_told(spec.options)
    _style(spec)


def _check_told(options: Mapping[str, Any]) -> None:
    """Refuse values of options that are wrong whatever the store holds."""
    goal, at = options.get("goal"), options.get("at", "best")
    if goal not in (None, "min", "max"):
        raise ConfigurationError(f"goal must be 'min' or 'max', not {shown(goal)}")
    if type(at) is not int and at not in ("best", "last"):
        raise ConfigurationError(f"at must be 'best', 'last' or a step, not {shown(at)}")
    band_for(options.get("band", "auto"), ())
    smoothing_of(options.get("smooth"))


def _style(spec: "FigureSpec") -> FigureStyle:
    return style_of(spec.style, DOTS_PER_INCH)


def draw_figure(
    store: "Store", spec: "FigureSpec", sweep: "SweepData | None" = None
) -> Figure:
    """A figure of many runs, from what the store holds now.

    Args:
        store: Where the runs are.
        spec: What to draw, and how.
        sweep: What the store said of the very runs, metric and options already.

    Raises:
        LookupFailedError: There is no such run or metric.
        ConfigurationError: It can't be drawn so; see `check_plot`.
    """
    check_plot(spec)
    kind, style = PLOTS[spec.kind], _style(spec)
    theme = style.theme or "light"
    look: dict[str, Any] = {"theme": theme}
    is_page = "title" in inspect.signature(kind.plot).parameters
    if style.size and is_page:
        look["size"] = style.size
    elif style.size:
        look["ax"] = new_axes(style.size, theme_of(theme), kind.margins)
    if style.title and is_page:
        look["title"] = style.title
    if sweep is None:
        runs = runs_now(store, spec)
        plot = partial(kind.plot, store, runs=runs, **look, **spec.options)
    else:
        plot = partial(kind.plot_of, sweep, **look, **kind.unanswered(spec.options))
    try:
        drawn = plot()
    except TypeError as error:
        raise ConfigurationError(
            f"a figure of kind {spec.kind!r} can't be drawn with {dict(spec.options)}:"
            f" {error}"
        ) from error
    if isinstance(drawn, Axes) and style.title:
        with own_style():
            retitle(drawn, style.title)
            fit(drawn)
    figure = drawn.get_figure(root=True) if isinstance(drawn, Axes) else drawn
    if not isinstance(figure, Figure):
        raise TypeError(f"the plot {spec.kind!r} is on no figure")
    return figure


def save_figure_file(
    store: "Store",
    spec: "FigureSpec",
    path: str | Path,
    sweep: "SweepData | None" = None,
) -> Path:
    """Draw a figure of many runs into a file, which keeps how; return its path.

    Args:
        store: Where the runs are.
        spec: What to draw, and how.
        path: The file: .png, .pdf or .svg.
        sweep: As for `draw_figure`.

    Raises:
        LookupFailedError: There is no such run or metric.
        ConfigurationError: It can't be drawn so; see `check_plot`.
        OSError: The file can't be written.
    """
    target = target_path(path)
    figure, style = draw_figure(store, spec, sweep), _style(spec)
    with own_style():
        content = content_of(
            figure,
            target.suffix.lower(),
            title=clean(style.title or f"{spec.kind} of {spec.options['metric']}"),
            background=theme_of(style.theme or "light").background,
            spec=spec,
            dpi=style.dpi,
        )
    return write_whole(target, content)
