"""The load of many experts over time, as a map of shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stepwell.viz.base.expert_metrics import expert_names, expert_shares, split_experts
from stepwell.viz.config.visualizer_config import MetricConfig

if TYPE_CHECKING:
    from stepwell.store import ReducedSeries

Floats = NDArray[np.float64]
_MOST_COLUMNS = 300


@dataclass(frozen=True, slots=True, eq=False)
class ShareMap:
    """How much of the load each expert takes, where 1.0 is an even share.

    Attributes:
        labels: Short name of each expert, in order of their numbers and names.
        edges: Steps between the columns, one more than there are columns.
        shares: One row an expert, one column a stretch of steps; NaN where unknown.
        current: Share of each expert's newest point; NaN where unknown.
    """

    labels: tuple[str, ...]
    edges: Floats
    shares: Floats
    current: tuple[float, ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ShareMap):
            return NotImplemented
        return (
            (self.labels, repr(self.current)) == (other.labels, repr(other.current))
            and np.array_equal(self.edges, other.edges)
            and np.array_equal(self.shares, other.shares, equal_nan=True)
        )

    __hash__ = None  # type: ignore[assignment]


def experts_among(metrics: Sequence[MetricConfig]) -> tuple[MetricConfig, ...]:
    """The metrics that are loads of experts, in order; see `split_experts`."""
    known = {metric.metric_name: metric for metric in metrics}
    _, experts = split_experts(known)
    return tuple(known[name] for name in experts)


def share_map(series: Sequence["ReducedSeries"]) -> ShareMap:
    """The map of *series*, one for each expert, in their order."""
    first = min(int(one.first_step[0]) for one in series)
    last = max(int(one.last_step[-1]) for one in series)
    columns = min(_MOST_COLUMNS, max(len(one.mean) for one in series))
    edges = np.linspace(first, max(last, first + 1), columns + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    loads = np.maximum(np.stack([_held(one, centres) for one in series]), 0.0)
    known = np.isfinite(loads)
    total = np.where(known, loads, 0.0).sum(axis=0)
    even = np.divide(total, known.sum(axis=0), out=np.zeros_like(total), where=total > 0)
    shares = np.divide(loads, even, out=np.full_like(loads, np.nan), where=even > 0)
    names = expert_names([one.metric for one in series])
    current = expert_shares([float(one.last[-1]) for one in series])
    return ShareMap(names, edges, shares, current)


def _held(series: "ReducedSeries", centres: Floats) -> Floats:
    """The load at *centres*: that of the latest point before, NaN outside the data."""
    index = np.searchsorted(series.first_step, centres, side="right") - 1
    # A load holds for one more mean interval behind its last point; beyond that nothing is
    # known of it.
    pause = max(float(series.last_step[-1] - series.first_step[0]), 1.0) / max(
        len(series.mean) - 1, 1
    )
    inside = (index >= 0) & (centres <= float(series.last_step[-1]) + pause)
    return np.where(inside, series.mean[np.maximum(index, 0)], np.nan)
