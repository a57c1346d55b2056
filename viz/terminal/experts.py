"""How evenly the load is spread over the experts of a run."""

from collections.abc import Mapping
from math import fsum, isfinite, isnan, log2

from stepwell.viz.base.expert_metrics import (
    FEWEST_EXPERTS,
    expert_names,
    expert_order,
    expert_shares,
)
from stepwell.viz.terminal.render.view import ExpertLoad

_DEAD = 0.01  # of an even share


def expert_load(values: Mapping[str, float]) -> ExpertLoad | None:
    """How the load is spread; None where there are no two experts with a load.

    Args:
        values: The newest values of the experts' metrics.
    """
    found = sorted((n for n, value in values.items() if isfinite(value)), key=expert_order)
    shares = expert_shares([values[name] for name in found])
    if len(found) < FEWEST_EXPERTS or isnan(shares[0]):
        return None
    parts = [share / len(shares) for share in shares]
    return ExpertLoad(
        labels=expert_names(found),
        shares=shares,
        entropy=-fsum(part * log2(part) for part in parts if part > 0),
        most_entropy=log2(len(parts)),
        dead=tuple(place for place, share in enumerate(shares) if share < _DEAD),
    )
