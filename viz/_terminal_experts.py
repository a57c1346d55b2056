"""Which metrics are loads of experts, and how evenly the load is spread."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from stepwell.store import metric_words

from ._meaning import member
from ._terminal_value import ExpertLoad

_NAMED = "expert_utilization/"
_DEAD = 0.01  # of an even share
_FEWEST = 2


def expert_metric(key: Any) -> str:
    """The metric of an expert: "expert_3" for 3 or "3", or by the expert's own name."""
    name = str(key)
    if name.isdecimal():
        return f"expert_{int(name)}"
    return name if is_expert(name) else _NAMED + name


@lru_cache(maxsize=4096)
def is_expert(metric: str) -> bool:
    """Whether *metric* is the load of one expert."""
    if metric.startswith(_NAMED):
        return True
    numbered = member(metric)
    return numbered is not None and not {"expert", "experts"}.isdisjoint(
        metric_words(numbered.family)
    )


def expert_load(values: Mapping[str, float]) -> ExpertLoad | None:
    """How the load is spread; None where there are no two experts with a load.

    Args:
        values: The newest values of the experts' metrics.
    """
    found = {name: value for name, value in values.items() if math.isfinite(value)}
    loads = {name: max(value, 0.0) for name, value in found.items()}
    most = max(loads.values(), default=0.0)
    if len(found) < _FEWEST or not most:
        return None
    names = sorted(found, key=_place)
    # Scaled by a power of two, which rounds nothing: any double can hold their sum.
    _, exponent = math.frexp(most)
    scaled = [math.ldexp(loads[name], -exponent) for name in names]
    total = math.fsum(scaled)
    parts = [part / total for part in scaled]
    shares = tuple(part * len(parts) for part in parts)
    return ExpertLoad(
        labels=labels(names),
        shares=shares,
        entropy=-math.fsum(part * math.log2(part) for part in parts if part > 0),
        most_entropy=math.log2(len(parts)),
        dead=tuple(place for place, share in enumerate(shares) if share < _DEAD),
    )


def labels(names: Sequence[str]) -> tuple[str, ...]:
    """Short names: "e3" for "expert_3", where they differ."""
    short = tuple(_label(name) for name in names)
    return short if len(set(short)) == len(short) else tuple(names)


def split(metrics: Iterable[str]) -> tuple[list[str], list[str]]:
    """The metrics that are no experts, and those that are."""
    plain: list[str] = []
    experts: list[str] = []
    for name in metrics:
        (experts if is_expert(name) else plain).append(name)
    return plain, experts


def _place(name: str) -> tuple[str, int, str]:
    numbered = member(name)
    return (numbered.family, numbered.number, "") if numbered else ("", 0, name)


def _label(name: str) -> str:
    if name.startswith(_NAMED):
        return name.removeprefix(_NAMED)
    numbered = member(name)
    return f"e{numbered.number}" if numbered else name
