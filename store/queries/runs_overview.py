"""What a list of runs shows."""

import json
from collections.abc import Sequence
from datetime import datetime

import duckdb

from stepwell.store.base.sql_literals import literal
from stepwell.store.schema.stored_values import stored_moment
from stepwell.store.values.run_info import RunInfo
from stepwell.store.values.run_overview import RunOverview

# The last point that is not superseded is of an attempt of which nothing is.
_QUERY = """
select
    run_id::varchar, metric, arg_max(last_value, (last_step, last_time))
        filter (superseded_from is null or superseded_from > last_step),
    sum(count)::bigint, max(last_step), max(last_time)
from store.main.totals_
where run_id between {}::uuid and {}::uuid
    and run_id in (select unnest(from_json({}, '["UUID"]')))
group by run_id, metric order by min(first_time), min(position), metric
"""


def select_overview(
    connection: duckdb.DuckDBPyConnection, runs: Sequence[RunInfo]
) -> list[RunOverview]:
    """Extent and current values of *runs*, in their order; from the totals alone."""
    current: dict[str, dict[str, float]] = {run.run_id: {} for run in runs}
    points = dict.fromkeys(current, 0)
    last_steps: dict[str, int] = {}
    last_times: dict[str, datetime] = {}
    if not current:
        return []
    # Ids are in the order of time, so that the bounds spare all but a page's rows.
    who = [min(current), max(current), json.dumps(list(current))]
    rows = connection.execute(_QUERY.format(*map(literal, who))).fetchall()
    for run_id, metric, value, count, step, time in rows:
        current[run_id][metric] = value
        points[run_id] += count
        last_steps[run_id] = max(step, last_steps.get(run_id, step))
        if (moment := stored_moment(time)) is not None:
            last_times[run_id] = max(moment, last_times.get(run_id, moment))
    return [
        RunOverview(
            run=run,
            points=points[run.run_id],
            last_step=last_steps.get(run.run_id),
            last_time=last_times.get(run.run_id),
            current=current[run.run_id],
        )
        for run in runs
    ]
