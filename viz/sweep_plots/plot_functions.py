"""The plots of a sweep that show all its parameters at once, as their callers see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.viz.drawing.plot_axes import new_axes, theme_of
from stepwell.viz.drawing.rc_params import own_style

from .importances import draw_param_importances
from .leaderboard import draw_leaderboard
from .leaderboard_data import prepare_leaderboard
from .parallel import draw_parallel_coordinate
from .parallel_data import prepare_parallel_coordinate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from stepwell.store import Runs, Store, SweepData

PARALLEL_MARGINS = (0.85, 0.2, 0.85, 0.85)
IMPORTANCES_MARGINS = (1.6, 0.9, 0.5, 0.55)
LEADERBOARD_MARGINS = (0.25, 0.2, 0.25, 0.6)


def plot_parallel_coordinate(  # noqa: PLR0913 (a choice an argument)
    store: Store,
    metric: str,
    *,
    params: Sequence[str] | None = None,
    goal: str | None = None,
    at: str | int = "best",
    runs: Runs = None,
    ax: Axes | None = None,
    theme: str = "light",
) -> Axes:
    """Each run as a line across its parameters, to the metric at the right.

    An axis is logarithmic where its values are told apart by their ratios. The better a
    run the darker its line, and the best is on top in a colour of its own. Of more than
    400 runs, the best hundred and evenly chosen others are drawn.

    Args:
        store: The store.
        metric: The metric's name.
        params: Configuration keys, in order; when absent the first eight that vary.
        goal: `min` or `max`; where it is not given, the metric's name must tell.
        at: `best`, `last`, or a step.
        runs: Which runs; all of them when absent.
        ax: Where to draw; a new figure when absent.
        theme: `light` or `dark`.

    Returns:
        The axes.

    Raises:
        MetricNotFoundError: If there are runs, and none has the metric.
        ConfigurationError: If the goal is neither given nor told by the name.
    """
    sweep = store.sweep(metric, goal, at, runs=runs)
    return plot_parallel_coordinate_of(sweep, params=params, ax=ax, theme=theme)


def plot_parallel_coordinate_of(
    sweep: SweepData,
    *,
    params: Sequence[str] | None = None,
    ax: Axes | None = None,
    theme: str = "light",
) -> Axes:
    """Draw what `plot_parallel_coordinate` does of a sweep."""
    value = prepare_parallel_coordinate(sweep, params=params)
    colors = theme_of(theme)
    with own_style():
        if ax is None:
            ax = new_axes((8.0, 4.6), colors, PARALLEL_MARGINS)
        return draw_parallel_coordinate(value, ax, colors)


def plot_param_importances(  # noqa: PLR0913 (a choice an argument)
    store: Store,
    metric: str,
    *,
    goal: str | None = None,
    at: str | int = "best",
    runs: Runs = None,
    ax: Axes | None = None,
    theme: str = "light",
) -> Axes:
    """How much of the metric's variance each parameter explains by itself, as bars.

    The method, the number of runs, and what speaks against relying on it are said below.

    Args:
        store: The store.
        metric: The metric's name.
        goal: `min` or `max`; where it is not given, the metric's name must tell.
        at: `best`, `last`, or a step.
        runs: Which runs; all of them when absent.
        ax: Where to draw; a new figure when absent.
        theme: `light` or `dark`.

    Returns:
        The axes.

    Raises:
        MetricNotFoundError: If there are runs, and none has the metric.
        ConfigurationError: If the goal is neither given nor told by the name.
    """
    sweep = store.sweep(metric, goal, at, runs=runs)
    return plot_param_importances_of(sweep, ax=ax, theme=theme)


def plot_param_importances_of(
    sweep: SweepData, *, ax: Axes | None = None, theme: str = "light"
) -> Axes:
    """Draw what `plot_param_importances` does of a sweep."""
    value = sweep.importance
    colors = theme_of(theme)
    with own_style():
        if ax is None:
            height = 1.6 + 0.32 * max(2, min(12, len(value)))
            ax = new_axes((6.0, height), colors, IMPORTANCES_MARGINS)
        return draw_param_importances(value, ax, colors)


def plot_leaderboard(  # noqa: PLR0913 (a choice an argument)
    store: Store,
    metric: str,
    *,
    limit: int = 10,
    params: Sequence[str] | None = None,
    goal: str | None = None,
    at: str | int = "best",
    runs: Runs = None,
    ax: Axes | None = None,
    theme: str = "light",
) -> Axes:
    """The best runs as a table, with the parameters that vary, as far as they fit.

    A bar says how good a value is among all runs: full for the best, none for the worst
    twentieth.

    Args:
        store: The store.
        metric: The metric's name.
        limit: Rows at most.
        params: Configuration keys, in order; when absent all that vary.
        goal: `min` or `max`; where it is not given, the metric's name must tell.
        at: `best`, `last`, or a step.
        runs: Which runs; all of them when absent.
        ax: Where to draw; a new figure when absent.
        theme: `light` or `dark`.

    Returns:
        The axes.

    Raises:
        MetricNotFoundError: If there are runs, and none has the metric.
        ConfigurationError: If the goal is neither given nor told by the name.
    """
    sweep = store.sweep(metric, goal, at, runs=runs)
    return plot_leaderboard_of(sweep, limit=limit, params=params, ax=ax, theme=theme)


def plot_leaderboard_of(
    sweep: SweepData,
    *,
    limit: int = 10,
    params: Sequence[str] | None = None,
    ax: Axes | None = None,
    theme: str = "light",
) -> Axes:
    """Draw what `plot_leaderboard` does of a sweep."""
    value = prepare_leaderboard(sweep, limit=limit, params=params)
    colors = theme_of(theme)
    with own_style():
        if ax is None:
            height = 0.95 + 0.27 * (max(1, len(value.rows)) + 1)
            ax = new_axes((11.0, height), colors, LEADERBOARD_MARGINS)
        return draw_leaderboard(value, ax, colors)
