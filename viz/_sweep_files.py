"""The plots of a sweep as files, one a plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stepwell.store import ConfigurationError

from ._plots import save_figure_file, spec_of_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stepwell.store import Runs, Store

_KINDS = ("parallel", "importances", "leaderboard", "report")
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
    for name in plots:
        if name not in _KINDS:
            raise ConfigurationError(f"no plot {name!r}; use {', '.join(_KINDS)}")
    if suffix not in _SUFFIXES:
        raise ConfigurationError(f"suffix must be {', '.join(_SUFFIXES)}, not {suffix!r}")
    paths: dict[str, Path] = {}
    for name in dict.fromkeys(plots or _KINDS):
        spec = spec_of_plot(name, metric, runs=runs, goal=goal, at=at, theme=theme)
        target = Path(folder).expanduser() / f"{name}{suffix}"
        paths[name] = save_figure_file(store, spec, target)
    return paths
