"""How the values of a metric are distributed over runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from stepwell.viz.base.axis import linear_scale
from stepwell.viz.base.numbers import short_value
from stepwell.viz.base.theme import Theme
from stepwell.viz.drawing.end_labels import EndLabel, draw_end_labels
from stepwell.viz.drawing.plot_axes import (
    draw_empty,
    draw_names,
    finish,
    new_axes,
    set_scales,
    styled,
    theme_of,
)
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.sweep_data.notes import counted, going_note, group_colors, noted
from stepwell.viz.sweep_data.runs_as_points import (
    Floats,
    RunValues,
    name_of_key,
    run_values,
)

from .curves_data import group_names

if TYPE_CHECKING:
    from stepwell.store import Runs, Store, SweepData

SIZE = (7.0, 4.0)


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """The values of a group of runs.

    Attributes:
        name: The group's name; empty for all runs together.
        value: float64, ascending.
        share: float64, the share of the group's runs with at most that value.
    """

    name: str
    value: Floats
    share: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Distributions:
    """Groups of runs side by side.

    Attributes:
        metric: The metric's name.
        by: Short names of the keys that make the groups; empty where none do.
        note: What is shown, in words.
        groups: The groups that have a value.
    """

    metric: str
    by: str
    note: str
    groups: tuple[Distribution, ...]


def prepare_edf(found: RunValues, *, group_by: str | Sequence[str] = ()) -> Distributions:
    """What `plot_edf` draws."""
    keys = (group_by,) if isinstance(group_by, str) else tuple(group_by)
    names = group_names(found.table, keys)
    own = np.array([names[str(found.table.run_id[row])] for row in found.rows], object)
    groups = []
    for name in dict.fromkeys(names.values()):
        value = np.sort(found.value[own == name])
        if len(value):
            share = np.arange(1, len(value) + 1) / len(value)
            groups.append(Distribution(name, value, share))
    note = noted(
        counted(len(found.value), "run"), going_note(found.status), found.direction
    )
    by = ", ".join(name_of_key(found.table, key) for key in keys)
    return Distributions(found.metric, by, note, tuple(groups))


def plot_edf(  # noqa: PLR0913 (an option an argument)
    store: "Store",
    metric: str,
    *,
    group_by: str | Sequence[str] = (),
    goal: str | None = None,
    at: str | int = "best",
    runs: "Runs" = None,
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw which share of the runs has a value up to each x.

    Args:
        store: Where the runs are.
        metric: The metric's name.
        group_by: Configuration keys; a line a group of runs.
        goal: `min` or `max`; by default as the metric's name tells.
        at: `best`, `last`, or a step.
        runs: Which runs; all of them when absent.
        ax: Where to draw; a figure of its own when absent.
        theme: "light" or "dark".

    Raises:
        MetricNotFoundError: There are runs, and none has the metric.
        ConfigurationError: An option is wrong.
    """
    sweep = store.sweep(metric, goal, at, runs=runs)
    return plot_edf_of(sweep, group_by=group_by, ax=ax, theme=theme)


def plot_edf_of(
    sweep: "SweepData",
    *,
    group_by: str | Sequence[str] = (),
    ax: Axes | None = None,
    theme: "str | Theme" = "light",
) -> Axes:
    """Draw what `plot_edf` does of a sweep."""
    look = theme_of(theme)
    value = prepare_edf(run_values(sweep), group_by=group_by)
    return draw_edf(value, ax or new_axes(SIZE, look), look)


def draw_edf(value: Distributions, ax: Axes, theme: Theme) -> Axes:
    """Draw what `prepare_edf` made."""
    with own_style():
        styled(ax, theme)
        title = f"{value.metric} over runs" + (f" by {value.by}" if value.by else "")
        if not value.groups:
            draw_empty(ax, f"no run with {value.metric}", theme)
            return finish(ax, title, "", theme)
        every = np.concatenate([group.value for group in value.groups])
        across = linear_scale(float(every.min()), float(every.max()))
        set_scales(ax, across, None)
        ax.set_ylim(0.0, 1.02)
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        colors = group_colors([group.name for group in value.groups], theme)
        labels = []
        for group in value.groups:
            color = colors[group.name] if group.name else theme.palette[0]
            x = np.concatenate([[across.low], group.value, [across.high]])
            y = np.concatenate([[0.0], group.share, [1.0]])
            ax.step(x, y, where="post", color=color, linewidth=1.8, zorder=3)
            middle = float(np.median(group.value))
            name = group.name.removeprefix(f"{value.by} ")
            key = "" if name == group.name else f"{value.by} "
            said = f"{': ' if name else ''}median {short_value(middle)}"
            n = f", n={len(group.value)}"
            labels.append(EndLabel(name, said, 1.0, color, n, key))
        draw_names(ax, theme, value.metric, "share of runs")
        draw_end_labels(ax, labels, theme)
        return finish(ax, title, value.note, theme)
