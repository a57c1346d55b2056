"""What each plot of a sweep is told, where its caller leaves that open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.store import ConfigurationError

from ._comparing import MOST_COLORED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stepwell.store import Runs, Store, SweepTable

_NOTABLE = 0.1  # explained share from which curves are put into groups by a key
_FEWEST_IN_GROUP = 2  # runs, on average
_LAST = "seed"
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


def choose_options(  # noqa: PLR0913 (a choice an argument)
    store: Store,
    metric: str,
    plots: Iterable[str],
    *,
    params: Sequence[str] = (),
    goal: str | None = None,
    at: str | int = "best",
    runs: Runs = None,
) -> Choice:
    """Options of *plots* by the parameters that matter most in the sweep.

    The parameters are ranked by how much of the metric each explains; the seed is last.
    Curves and distributions are grouped by the first one where it explains a tenth or
    more, and takes so few values that a group has two runs or more.

    Args:
        store: The store.
        metric: The metric's name.
        plots: Names of plots.
        params: Configuration keys to take instead, the most important first.
        goal: `min` or `max`; where it is not given, the metric's name must tell.
        at: `best`, `last`, or a step.
        runs: Which runs; all of them when absent.

    Raises:
        MetricNotFoundError: If there are runs, and none has the metric.
        ConfigurationError: If no run has a key, or the goal is neither given nor told by
            the name.
    """
    found = store.importance(metric, runs=runs, goal=goal, at=at)
    table = store.sweep_table(runs=runs)
    shares = dict(zip(map(str, found.key), found.eta2.tolist(), strict=True))
    if params:
        _check_keys(params, table)
        keys, group = list(params), list(params[:1])
    else:
        keys = sorted(shares, key=lambda key: key.rpartition(".")[2] == _LAST)
        group = [key for key in keys[:1] if shares[key] >= _NOTABLE and _is_few(key, table)]
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


def _check_keys(params: Sequence[str], table: SweepTable) -> None:
    known = [*table.params, *table.constants]
    for key in params:
        if key not in known and len(table):
            shown = ", ".join(known[:12]) or "none"
            raise ConfigurationError(
                f"no run has the configuration key {key!r}; there are: {shown}"
            )


def _is_few(key: str, table: SweepTable) -> bool:
    column = table.params[key]
    if column.dtype == np.float64:
        kinds = len(np.unique(column[np.isfinite(column.astype(float))]))
    else:
        kinds = len({cell for cell in column.tolist() if cell is not None})
    return kinds <= min(MOST_COLORED, len(column) // _FEWEST_IN_GROUP)
