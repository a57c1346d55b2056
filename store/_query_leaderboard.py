"""Which runs did best."""

import duckdb
import numpy as np

from ._arguments import check_count
from ._query_runs import Chosen
from ._query_values import At, select_values
from ._run_frame import select_frame
from ._sweep_values import Leaderboard


def select_leaderboard(  # noqa: PLR0913
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metric: str,
    *,
    goal: str | None,
    at: At,
    limit: int | None,
) -> Leaderboard:
    """The chosen runs by one metric, the best first; see `Store.leaderboard`."""
    if limit is not None:
        check_count(limit, "limit", 0)
    frame = select_frame(connection, chosen)
    found = select_values(connection, chosen, frame, [metric], at=at, goals={metric: goal})[
        metric
    ]
    rows = np.flatnonzero(np.isfinite(found.value))
    key = found.value[rows] if found.goal == "min" else -found.value[rows]
    rows = rows[np.argsort(key, kind="stable")]  # of equal runs the older
    without = len(frame) - len(rows)
    rows = rows[:limit]
    return Leaderboard(
        metric=metric,
        goal=str(found.goal),
        at=at,
        run_id=frame.run_id[rows],
        run=frame.run[rows],
        project=frame.project[rows],
        group_name=frame.group_name[rows],
        status=frame.status[rows],
        value=found.value[rows],
        step=found.step[rows],
        runs_without=without,
    )
