"""The plots of a sweep as files, one a plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from stepwell.store import ConfigurationError

from ._comparing import theme_of
from ._files import content_of, write_whole
from ._report import draw_report
from ._report_value import prepare_report
from ._style import own_style
from ._sweep_figure import (
    plot_leaderboard,
    plot_parallel_coordinate,
    plot_param_importances,
)
from ._text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stepwell.store import Runs, Store

_PLOTS = {
    "parallel": plot_parallel_coordinate,
    "importances": plot_param_importances,
    "leaderboard": plot_leaderboard,
}
_REPORT = "report"
_SUFFIXES = (".png", ".svg", ".pdf")


def save_sweep(  # noqa: PLR0913 (a choice an argument)
    store: Store,
    metric: str,
    folder: str | Path,
    plots: Sequence[str] = (),
    *,
    runs: Runs = None,
    goal: str | None = None,
    at: str | int = "best",
    theme: str = "light",
    suffix: str = ".png",
) -> dict[str, Path]:
    """Draw plots of a sweep into a folder, each into a file of its name.

    Args:
        store: The store.
        metric: The metric's name.
        folder: Where the files go; made where it is missing.
        plots: Of `parallel`, `importances`, `leaderboard` and `report`; all when empty.
        runs: Which runs; all of them when absent.
        goal: `min` or `max`; where it is not given, the metric's name must tell.
        at: `best`, `last`, or a step.
        theme: `light` or `dark`.
        suffix: `.png`, `.svg` or `.pdf`.

    Returns:
        The files by the plots' names.

    Raises:
        MetricNotFoundError: If there are runs, and none has the metric.
        ConfigurationError: If a plot, the theme or the suffix is unknown, or the goal is
            neither given nor told by the name.
        OSError: If a file can't be written.
    """
    known = (*_PLOTS, _REPORT)
    for name in plots:
        if name not in known:
            raise ConfigurationError(f"no plot {name!r}; use {', '.join(known)}")
    if suffix not in _SUFFIXES:
        raise ConfigurationError(f"suffix must be {', '.join(_SUFFIXES)}, not {suffix!r}")
    colors = theme_of(theme)
    paths: dict[str, Path] = {}
    for name in dict.fromkeys(plots or known):
        with own_style():
            if name == _REPORT:
                page = prepare_report(store, metric, goal=goal, at=at, runs=runs)
                figure = draw_report(page, colors)
            else:
                axes = _PLOTS[name](store, metric, goal=goal, at=at, runs=runs, theme=theme)
                figure = axes.get_figure(root=True)  # type: ignore[assignment]
            if not isinstance(figure, Figure):
                raise TypeError("the axes are on no figure")
            content = content_of(
                figure,
                suffix,
                title=clean(f"{name} of {metric}"),
                background=colors.background,
            )
        paths[name] = write_whole(Path(folder).expanduser() / f"{name}{suffix}", content)
    return paths
