"""The plots of a sweep as files, one a plot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stepwell.store import ConfigurationError, shown
from stepwell.viz.sweep_plots.default_options import choose_options

from .plot_kinds import PLOTS, save_figure_file, spec_of_plot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stepwell.store import Runs, Store

_SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True)
class SweepPictures:
    """The pictures of a sweep.

    Attributes:
        files: The files by the plots' names.
        left_out: Why there is no picture, by the names of the plots that the sweep can't
            give, such as a map of two parameters where one varies.
    """

    files: Mapping[str, Path]
    left_out: Mapping[str, str]


def save_sweep(  # noqa: PLR0913 (a choice an argument)
    store: Store,
    metric: str,
    folder: str | Path,
    plots: Sequence[str] = (),
    *,
    params: Sequence[str] = (),
    runs: Runs = None,
    goal: str | None = None,
    at: str | int = "best",
    theme: str = "light",
    suffix: str = ".png",
) -> SweepPictures:
    """Draw plots of a sweep into a folder, each into a file of its name.

    Args:
        store: The store.
        metric: The metric's name.
        folder: Where the files go; made where it is missing.
        plots: Of `curves`, `slice`, `contour`, `history`, `edf`, `parallel`,
            `importances`, `leaderboard` and `report`; all when empty.
        params: Configuration keys to draw by, the most important first; when empty they
            are ranked by how much of the metric they explain.
        runs: Which runs; all of them when absent.
        goal: `min` or `max`; where it is not given, the metric's name must tell.
        at: `best`, `last`, or a step.
        theme: `light` or `dark`.
        suffix: `.png`, `.svg` or `.pdf`.

    Raises:
        MetricNotFoundError: If there are runs, and none has the metric.
        ConfigurationError: If a plot, a key, the theme or the suffix is unknown, the goal
            is neither given nor told by the name, or none of the plots can be drawn.
        OSError: If a file can't be written.
    """
    for name in plots:
        if name not in PLOTS:
            raise ConfigurationError(f"no plot {shown(name)}; use {', '.join(PLOTS)}")
    if suffix not in _SUFFIXES:
        raise ConfigurationError(
            f"suffix must be {', '.join(_SUFFIXES)}, not {shown(suffix)}"
        )
    names = list(dict.fromkeys(plots or PLOTS))
    columns = sorted({PLOTS[name].columns for name in names} - {0})
    sweep = store.sweep(metric, goal, at, runs=runs, columns=columns)
    chosen = choose_options(sweep, names, params=params)
    if not chosen.options:
        why = "; ".join(f"{name}: {text}" for name, text in chosen.left_out.items())
        raise ConfigurationError(f"nothing to draw ({why})")
    files: dict[str, Path] = {}
    for name, options in chosen.options.items():
        told = {"goal": goal, "at": at, **options}
        fitting = {key: told[key] for key in told if key in PLOTS[name].options}
        spec = spec_of_plot(name, metric, runs=runs, theme=theme, **fitting)
        target = Path(folder).expanduser() / f"{name}{suffix}"
        files[name] = save_figure_file(store, spec, target, sweep)
    return SweepPictures(files, chosen.left_out)


def report(  # noqa: PLR0913 (a choice an argument)
    store: Store,
    metric: str,
    path: str | Path,
    *,
    runs: Runs = None,
    goal: str | None = None,
    at: str | int = "best",
    theme: str = "light",
) -> Path:
    """Draw one page about a sweep into a file.

    It shows the curves by the most important parameter, parallel coordinates, the metric
    against the three most important parameters and against two at once, the importances,
    and the best runs.

    Args:
        store: The store.
        metric: The metric's name.
        path: The file: .png, .pdf or .svg.
        runs: Which runs; all of them when absent.
        goal: `min` or `max`; where it is not given, the metric's name must tell.
        at: `best`, `last`, or a step.
        theme: `light` or `dark`.

    Returns:
        The path of the file.

    Raises:
        MetricNotFoundError: If there are runs, and none has the metric.
        ConfigurationError: If the goal is neither given nor told by the name, or the
            suffix or the theme is unknown.
        OSError: If the file can't be written.
    """
    spec = spec_of_plot("report", metric, runs=runs, goal=goal, at=at, theme=theme)
    return save_figure_file(store, spec, path)
