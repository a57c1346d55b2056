"""What each plot of a sweep is told, where its caller leaves that open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.viz.sweep_data.notes import MOST_COLORED
from stepwell.viz.sweep_data.runs_as_points import axis_of, column_of, keys_by_importance

from .curves_data import MOST_KINDS, RANGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stepwell.store import Importance, SweepData, SweepTable

_NOTABLE = 0.1  # explained share from which curves are put into groups by a key
_FEWEST_IN_GROUP = 2  # runs, on average
_NEEDED = {"slice": 1, "parallel": 1, "importances": 1, "contour": 2}
"""How many parameters must vary for a plot to say anything."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Options for plots of one sweep.

    Attributes:
        options: What each plot that can be drawn is told besides its metric.
        left_out: Why each of the others can't be drawn, in a few words.
    """

    options: Mapping[str, Mapping[str, Any]]
    left_out: Mapping[str, str]


def choose_options(
    sweep: SweepData, plots: Iterable[str], *, params: Sequence[str] = ()
) -> Choice:
    """Options of *plots* by the parameters that matter most in the sweep.

    The parameters are ranked by how much of the metric each explains; the seed is last.
    Curves and distributions are grouped by the first one; see `group_key`.

    Args:
        sweep: The sweep.
        plots: Names of plots.
        params: Configuration keys to take instead, the most important first.

    Raises:
        ConfigurationError: If no run has a key.
    """
    found, table = sweep.importance, sweep.table
    for key in params:
        column_of(table, key)
    keys = list(params) or keys_by_importance(found)
    group = list(params[:1]) or group_key(found, table)
    options: dict[str, Mapping[str, Any]] = {}
    left_out: dict[str, str] = {}
    for plot in plots:
        if len(keys) < _NEEDED.get(plot, 0):
            left_out[plot] = (
                f"only {keys[0]} varies, and it needs two"
                if keys
                else "no parameter varies"
            )
            continue
        options[plot] = _options(plot, keys, group, params)
    return Choice(options, left_out)


def _options(
    plot: str, keys: Sequence[str], group: Sequence[str], params: Sequence[str]
) -> dict[str, Any]:
    if plot == "slice":
        return {"param": keys[0]}
    if plot == "contour":
        return {"x": keys[0], "y": keys[1]}
    if plot in {"curves", "edf"} and group:
        return {"group_by": list(group)}
    if plot in {"parallel", "leaderboard"} and params:
        return {"params": list(params)}
    return {}


def group_key(importance: Importance, table: SweepTable) -> list[str]:
    """The key to group the runs by: the one that explains most, or none.

    It is one that explains a tenth or more, and gives so few groups that each can have a
    colour, and two runs on average.
    """
    shares = dict(zip(importance.key.tolist(), importance.eta2.tolist(), strict=True))
    for key in keys_by_importance(importance)[:1]:
        column = column_of(table, key)
        is_number = column.dtype == np.float64
        kinds = len(np.unique(axis_of(column, key).x))
        groups = RANGES if is_number and kinds > MOST_KINDS else kinds
        few = min(MOST_COLORED, len(column) // _FEWEST_IN_GROUP)
        if shares[key] >= _NOTABLE and groups <= few:
            return [key]
    return []
