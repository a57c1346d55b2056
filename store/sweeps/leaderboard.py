"""Which runs did best."""

import math
import sys
from typing import TYPE_CHECKING

import duckdb

from stepwell.store.base.errors import ConfigurationError
from stepwell.store.base.sql_literals import literal
from stepwell.store.inputs.arguments import check_count
from stepwell.store.inputs.text_checks import is_any
from stepwell.store.queries.runs import Chosen
from stepwell.store.values.sweep import Leaderboard

from .goal import check_goal, goal_of

if TYPE_CHECKING:
    from .metric_per_run import At, RunValues
    from .run_columns import RunFrame

# What the totals say themselves, and whether each row is all that there is of its run.
_RANKS = """
select
    r.run_id::varchar, r.name, r.project, r.group_name, r.status, {value}, {step},
    t.metric is not null, t.superseded_from is null or t.superseded_from > t.last_step
from store.main.runs r
left join store.main.totals_ t on t.run_id = r.run_id and t.metric = {metric}
where {within} order by r.created_at nulls first, r.run_id
"""
_SIDES = {"min": "minimum", "max": "maximum"}
_VALUE = 5  # place of it in a row
_MANY = 1000


def select_leaderboard(  # noqa: PLR0913
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metric: str,
    *,
    goal: str | None,
    at: "At",
    limit: int | None,
) -> Leaderboard:
    """The chosen runs by one metric, the best first; see `Store.leaderboard`."""
    if limit is not None:
        check_count(limit, "limit", 0)
    # Loading numpy takes longer than ranking as many runs as most stores have.
    if "numpy" not in sys.modules or not _are_many(connection):
        quick = _from_totals(connection, chosen, metric, goal, at, limit)
        if quick is not None:
            return quick
    return _from_values(connection, chosen, metric, goal, at, limit)


def _are_many(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there are so many runs that numpy, once it is loaded, is quicker."""
    found = connection.execute("select count(*) from store.main.runs").fetchone()
    return found is not None and int(found[0]) > _MANY


def _from_totals(  # noqa: PLR0913, PLR0917
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metric: str,
    goal: str | None,
    at: "At",
    limit: int | None,
) -> Leaderboard | None:
    """What one statement says, without numpy; None where that is not all, or an error."""
    if not is_any(at, "best", "last"):
        return None
    try:
        check_goal(goal)
        side = goal_of(metric, goal)
    except ConfigurationError:
        return None
    value = _SIDES[side] if at == "best" else "last_value"
    step = f"{value}_step" if at == "best" else "last_step"
    query = _RANKS.format(
        value=value, step=step, metric=literal(metric), within=chosen.within("r")
    )
    rows = connection.execute(query).fetchall()
    is_known = any(row[-2] for row in rows)
    is_whole = all(row[-1] for row in rows) and len({row[0] for row in rows}) == len(rows)
    if not is_known or not is_whole:
        return None
    ranked = [row[:-2] for row in rows if row[_VALUE] is not None]
    ranked = [row for row in ranked if math.isfinite(row[_VALUE])]
    sign = 1 if side == "min" else -1
    ranked.sort(key=lambda row: sign * row[_VALUE])  # of equal runs the older
    without = len(rows) - len(ranked)
    return Leaderboard.of_rows(
        ranked[:limit], metric=metric, goal=side, at=at, runs_without=without
    )


def _from_values(  # noqa: PLR0913, PLR0917
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metric: str,
    goal: str | None,
    at: "At",
    limit: int | None,
) -> Leaderboard:
    from .metric_per_run import select_values  # noqa: PLC0415 (loads numpy)
    from .run_columns import select_frame  # noqa: PLC0415 (the same)

    frame = select_frame(connection, chosen)
    found = select_values(connection, chosen, frame, [metric], at=at, goals={metric: goal})[
        metric
    ]
    return leaderboard_of(frame, found, metric, at=at, limit=limit)


def leaderboard_of(
    frame: "RunFrame",
    found: "RunValues",
    metric: str,
    *,
    at: "At",
    limit: int | None = None,
) -> Leaderboard:
    """The runs of *frame* that have a finite value, the best first."""
    import numpy as np  # noqa: PLC0415 (slow to import)

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
