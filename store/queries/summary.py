"""What each metric of a run came to."""

import math

import duckdb

from stepwell.store.base.sql_literals import literal
from stepwell.store.schema.contents import require_views
from stepwell.store.values.metric_summary import MetricSummary
from stepwell.store.values.run_info import RunInfo

# What the totals say themselves, and whether each row is all that there is of its metric.
_TOTALS = """
select
    metric, last_value, minimum, maximum, total / nullif(count - non_finite, 0),
    count, non_finite, minimum_step, maximum_step, last_step,
    isfinite(total) and (superseded_from is null or superseded_from > last_step)
from store.main.totals_ where run_id = {}::uuid order by first_time, position, metric
"""
_VIEW = """
select
    metric, current, min, max, mean, count, non_finite, min_step, max_step, last_step
from summary where run_id = {}::uuid order by first_time, position, metric
"""
_LAST_ATTEMPTS = """
select t.metric, arg_max(n.number, (t.last_step, t.last_time))
from totals_ t join (
    select distinct attempt, number from attempts_ where run_id = ?::uuid
) n on n.attempt = t.attempt
where t.run_id = ?::uuid
    and (t.superseded_from is null or t.superseded_from > t.last_step)
group by t.metric order by min(t.first_time), min(t.position), t.metric
"""


def select_last_attempts(
    connection: duckdb.DuckDBPyConnection, run: RunInfo
) -> dict[str, int]:
    """The number of the attempt that recorded each metric's last point."""
    found = connection.execute(_LAST_ATTEMPTS, [run.run_id, run.run_id]).fetchall()
    return {str(metric): int(number) for metric, number in found}


def select_summary(
    connection: duckdb.DuckDBPyConnection, run: RunInfo
) -> dict[str, MetricSummary]:
    """Summaries by metric, in order of first appearance."""
    which = literal(run.run_id)
    found = connection.execute(_TOTALS.format(which)).fetchall()
    rows = [row[:-1] for row in found if row[-1]]
    if len(rows) < len(found) or len({row[0] for row in rows}) < len(rows):
        require_views(connection)
        rows = connection.execute(_VIEW.format(which)).fetchall()
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
