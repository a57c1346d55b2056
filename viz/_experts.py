"""The load of many experts over time, as a map of shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stepwell.store import metric_words

from ._config import MetricConfig
from ._meaning import Member, member

if TYPE_CHECKING:
    from stepwell.store import ReducedSeries

Floats = NDArray[np.float64]
FEWEST_EXPERTS = 4
_MOST_COLUMNS = 300


@dataclass(frozen=True, slots=True, eq=False)
class ShareMap:
    """How much of the load each expert takes, where 1.0 is an even share.

    Attributes:
        labels: Short name of each expert, in order of their numbers: "e0", "e1".
        edges: Steps between the columns, one more than there are columns.
        shares: One row an expert, one column a stretch of steps; NaN where unknown.
    """

    labels: tuple[str, ...]
    edges: Floats
    shares: Floats

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ShareMap):
            return NotImplemented
        return (
            self.labels == other.labels
            and np.array_equal(self.edges, other.edges)
            and np.array_equal(self.shares, other.shares, equal_nan=True)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def current(self) -> Floats:
        """The newest known share of each expert; NaN where there is none."""
        known = np.isfinite(self.shares)
        last = self.shares.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        newest: Floats = self.shares[np.arange(len(self.labels)), last]
        return newest


def experts_among(metrics: Sequence[MetricConfig]) -> tuple[MetricConfig, ...]:
    """The metrics that stand for single experts, by number; none if they are few.

    An expert's metric has a number at its end and "expert" or "experts" before it, such
    as "expert_3".
    """
    found = [
        (numbered, metric)
        for metric in metrics
        if (numbered := member(metric.metric_name)) and _is_expert(numbered)
    ]
    if len(found) < FEWEST_EXPERTS:
        return ()
    found.sort(key=lambda pair: (pair[0].family, pair[0].number))
    return tuple(metric for _, metric in found)


def share_map(series: Sequence["ReducedSeries"]) -> ShareMap:
    """The map of *series*, one for each expert, in their order."""
    first = min(int(one.first_step[0]) for one in series)
    last = max(int(one.last_step[-1]) for one in series)
    columns = min(_MOST_COLUMNS, max(len(one.mean) for one in series))
    edges = np.linspace(first, max(last, first + 1), columns + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    loads = np.stack([_held(one, centres) for one in series])
    known = np.isfinite(loads)
    total = np.where(known, loads, 0.0).sum(axis=0)
    even = np.divide(total, known.sum(axis=0), out=np.zeros_like(total), where=total > 0)
    shares = np.divide(loads, even, out=np.full_like(loads, np.nan), where=even > 0)
    return ShareMap(tuple(_label(one.metric) for one in series), edges, shares)


def _held(series: "ReducedSeries", centres: Floats) -> Floats:
    """The load at *centres*: that of the latest point before, NaN outside the data."""
    index = np.searchsorted(series.first_step, centres, side="right") - 1
    pause = max(float(series.last_step[-1] - series.first_step[0]), 1.0) / max(
        len(series.mean) - 1, 1
    )
    inside = (index >= 0) & (centres <= float(series.last_step[-1]) + pause)
    return np.where(inside, series.mean[np.maximum(index, 0)], np.nan)


def _is_expert(numbered: Member) -> bool:
    return not {"expert", "experts"}.isdisjoint(metric_words(numbered.family))


def _label(metric: str) -> str:
    numbered = member(metric)
    return f"e{numbered.number}" if numbered else metric
