"""Which metrics are the loads of single experts, and how those are called."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from stepwell.store import metric_words

from .metric_names import member

FEWEST_EXPERTS = 2
"""So many of them have a balance; a lone one is a metric like others."""

_NAMED = "expert_utilization/"
_WORDS = frozenset({"expert", "experts"})


@lru_cache(maxsize=4096)
def is_expert(metric: str) -> bool:
    """Whether *metric* is the load of one expert.

    It has a number at its end and "expert" or "experts" before it, such as "expert_3", or
    the expert's own name after "expert_utilization/".
    """
    if metric.startswith(_NAMED):
        return True
    numbered = member(metric)
    return numbered is not None and not _WORDS.isdisjoint(metric_words(numbered.family))


def expert_metric(key: Any) -> str:
    """The metric of an expert: "expert_3" for 3 or "3", or by the expert's own name."""
    name = str(key)
    if name.isdecimal():
        return f"expert_{int(name)}"
    return name if is_expert(name) else _NAMED + name


def split_experts(metrics: Iterable[str]) -> tuple[list[str], list[str]]:
    """The metrics that are no experts, and those that are, by number and name."""
    plain: list[str] = []
    experts: list[str] = []
    names = list(metrics)
    for name in names:
        (experts if is_expert(name) else plain).append(name)
    if len(experts) < FEWEST_EXPERTS:
        return names, []
    return plain, sorted(experts, key=expert_order)


def expert_order(metric: str) -> tuple[str, int, str]:
    """A key to sort the metrics of experts by."""
    numbered = member(metric)
    return (numbered.family, numbered.number, "") if numbered else ("", 0, metric)


def expert_names(metrics: Sequence[str]) -> tuple[str, ...]:
    """Short names of experts: "e3" for "expert_3", where they differ."""
    short = tuple(map(_short, metrics))
    return short if len(set(short)) == len(short) else tuple(metrics)


def expert_shares(values: Sequence[float]) -> tuple[float, ...]:
    """Each load by an even share of all; NaN for what is no load, and without any load."""
    loads = [max(value, 0.0) if math.isfinite(value) else math.nan for value in values]
    known = [load for load in loads if not math.isnan(load)]
    most = max(known, default=0.0)
    if not most:
        return (math.nan,) * len(loads)
    # Scaled by a power of two, which rounds nothing: any double can hold their sum.
    _, exponent = math.frexp(most)
    total = math.fsum(math.ldexp(load, -exponent) for load in known)
    return tuple(math.ldexp(load, -exponent) / total * len(known) for load in loads)


def _short(metric: str) -> str:
    if metric.startswith(_NAMED):
        return metric.removeprefix(_NAMED)
    numbered = member(metric)
    return f"e{numbered.number}" if numbered else metric
