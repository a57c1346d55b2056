"""How often a run of one group is better than a run of another."""

import duckdb
import numpy as np

from stepwell.store.queries.runs import Chosen
from stepwell.store.values.sweep import ProbabilityBetter

from .metric_per_run import At, select_values
from .run_columns import select_frame
from .statistics import probability_above, probability_interval


def select_probability(  # noqa: PLR0913
    connection: duckdb.DuckDBPyConnection,
    group_a: Chosen,
    group_b: Chosen,
    metric: str,
    *,
    goal: str | None,
    at: At,
) -> ProbabilityBetter:
    """The probability, its interval and the runs' numbers; see `Store`."""
    samples = []
    for group in (group_a, group_b):
        frame = select_frame(connection, group)
        found = select_values(
            connection, group, frame, [metric], at=at, goals={metric: goal}
        )[metric]
        sign = 1.0 if found.goal == "max" else -1.0
        samples.append(sign * found.value[np.isfinite(found.value)])
    a, b = samples
    low, high = probability_interval(a, b)
    return ProbabilityBetter(probability_above(a, b), low, high, len(a), len(b))
