"""What each metric of a run came to."""

import math

import duckdb

from ._run_values import RunInfo
from ._values import MetricSummary

_QUERY = """
select
    metric, current, min, max, mean, count, non_finite, min_step, max_step, last_step
from summary where run_id = ?::uuid order by first_time, position, metric
"""


def select_summary(
    connection: duckdb.DuckDBPyConnection, run: RunInfo
) -> dict[str, MetricSummary]:
    """Summaries by metric, in order of first appearance."""
    rows = connection.execute(_QUERY, [run.run_id]).fetchall()
    return {
        metric: MetricSummary(
            current=current,
            min=math.nan if least is None else least,
            max=math.nan if greatest is None else greatest,
            mean=math.nan if mean is None else mean,
            count=count,
            non_finite=non_finite,
            min_step=min_step,
            max_step=max_step,
            last_step=last_step,
        )
        for (
            metric,
            current,
            least,
            greatest,
            mean,
            count,
            non_finite,
            min_step,
            max_step,
            last_step,
        ) in rows
    }
