"""What a run has recorded since it was last looked at."""

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np

from stepwell.store.schema.stored_values import stored_moment
from stepwell.store.values.run_info import RunInfo
from stepwell.store.values.series import News

from .series import select_points
from .summary import select_summary

_ENDS = "select max(last_time), min(first_step) from totals_ where run_id = ?::uuid"


def select_news(  # noqa: C901 (the cases of one question)
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    metrics: Sequence[str],
    known: Mapping[str, tuple[int, int]],
) -> News:
    """The points of *metrics* that are not *known* yet, and how the run stands.

    Points are asked for by their step. Where that does not find as many as were recorded,
    some came late or out of order, and the metric is given whole.

    Args:
        connection: The store.
        run: The run.
        metrics: What to give points of.
        known: For each metric looked at before its number of points, and its last step.
    """
    summary = select_summary(connection, run)
    fresh: dict[str, int] = {}
    whole: list[str] = []
    for metric in metrics:
        if metric not in summary:
            continue
        count, last_step = known.get(metric, (0, 0))
        if summary[metric].count != count:
            if count and summary[metric].count > count:
                fresh[metric] = last_step
            else:
                whole.append(metric)
    points = {}
    if fresh:
        bounds = (min(fresh.values()) + 1, None)
        counts = {metric: summary[metric].count - known[metric][0] for metric in fresh}
        found = dict(select_points(connection, run, counts, bounds))
        for metric, last_step in fresh.items():
            steps, values = found.get(metric, (np.empty(0, np.int64), np.empty(0)))
            first = int(np.searchsorted(steps, last_step, side="right"))
            if len(steps) - first == counts[metric]:
                points[metric] = (steps[first:], values[first:])
            else:
                whole.append(metric)
    if whole:
        counts = {metric: summary[metric].count for metric in whole}
        points.update(select_points(connection, run, counts, (None, None)))
    ((last_time, first_step),) = connection.execute(_ENDS, [run.run_id]).fetchall()
    moment = stored_moment(last_time)
    return News(run, summary, points, frozenset(whole), moment, first_step)
