"""One value a run of each metric asked for: what ranks and sweeps are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store.base.errors import ConfigurationError, MetricNotFoundError
from stepwell.store.base.sql_literals import literals
from stepwell.store.inputs.metrics import shown
from stepwell.store.inputs.text_checks import is_any
from stepwell.store.queries.runs import Chosen
from stepwell.store.schema.contents import require_views

from .goal import check_goal, goal_of
from .run_columns import RunFrame, floats, places_of

At = str | int
"""At which point runs are compared: `best`, `last`, or a step."""

# Places number the runs by age, so that a value finds its row without a join by id.
_CHOSEN = """
chosen as (
    select
        run_id, name, project, group_name, status, created_at, finished_at, attempt,
        row_number() over (order by created_at nulls first, run_id) - 1 as place
    from store.main.runs where run_id in ({})
)
"""
# What the totals say themselves, and whether each row is all that there is of its metric.
_ROWS = """
select
    r.rowid as place, list_position([{wanted}], metric) - 1 as code,
    {value} as value, {step} as step,
    superseded_from is null or superseded_from > last_step as is_whole
from store.main.totals_ t join store.main.runs r on r.run_id = t.run_id
where metric in ({wanted}) and {within}
"""
_TOTALS = """
select
    run_id, metric,
    min(minimum) as min, arg_min(minimum_step, (minimum, minimum_step)) as min_step,
    max(maximum) as max, arg_min(maximum_step, (-maximum, maximum_step)) as max_step,
    arg_max(last_value, (last_step, last_time)) as current, max(last_step) as last_step
from store.main.totals_
where metric in (select metric from wanted) and run_id in (select run_id from chosen)
group by run_id, metric
"""
_SUMMARY = """
select run_id, metric, min, min_step, max, max_step, current, last_step from summary
where metric in (select metric from wanted) and run_id in (select run_id from chosen)
"""
_UP_TO = """
select
    p.run_id, p.metric, arg_max(p.value, (p.step, p.time)) as current,
    max(p.step) as last_step
from points p {joined}
where p.metric in (select metric from wanted) and p.step <= {step}
    and p.run_id in (select run_id from chosen) {condition}
group by p.run_id, p.metric
"""
SUPERSEDED = """
left join superseded_ s on s.run_id = p.run_id and s.metric = p.metric
    and s.rank = p.rank and s.attempt = p.attempt
"""
"""Joins points `p` with the step from which later attempts supersede them."""

NOT_SUPERSEDED = "and (s.from_step is null or p.step < s.from_step)"
"""The condition of points so joined that are not superseded."""

_WANTED = """
wanted as (
    select unnest([{metrics}]) as metric, unnest([{sides}]) as goal,
        generate_subscripts([{metrics}], 1) - 1 as code
)
"""
_VALUES = """
with {chosen}, {wanted}, found as ({found})
select
    place, code,
    case goal when 'min' then min when 'max' then max else current end as value,
    case goal when 'min' then min_step when 'max' then max_step else last_step end as step
from found f
join wanted w on w.metric = f.metric
join chosen c on c.run_id = f.run_id
"""
_VALUES_UP_TO = """
with {chosen}, {wanted}, found as ({found})
select place, code, current as value, last_step as step
from found f
join wanted w on w.metric = f.metric
join chosen c on c.run_id = f.run_id
"""


@dataclass(frozen=True, slots=True, eq=False)
class RunValues:
    """One metric's value for each run of a frame.

    Attributes:
        goal: `min`, `max`, or None where no side was asked for.
        value: float64; NaN where a run has no point, or none that is finite.
        step: int64, where the value stands; 0 where there is none.
    """

    goal: str | None
    value: NDArray[np.float64]
    step: NDArray[np.int64]


def chosen_sql(chosen: Chosen) -> str:
    """A common table expression `chosen`: a row a run, and its `place` by age."""
    return _CHOSEN.format(chosen.sql)


def select_values(  # noqa: PLR0913
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    frame: RunFrame,
    metrics: Sequence[str],
    *,
    at: At,
    goals: Mapping[str, str | None],
    ranked: bool = True,
) -> dict[str, RunValues]:
    """One value of each metric for each run of *frame*, from the totals where these do.

    Args:
        connection: The store.
        chosen: The runs.
        frame: The same runs.
        metrics: The metrics' names.
        at: `best`, `last`, or a step: then the value at the greatest step up to it.
        goals: `min` or `max` by metric; None, or absent, where the name is to tell.
        ranked: Whether a goal is needed even where *at* is not `best`.

    Raises:
        MetricNotFoundError: If there are runs, and none has a metric.
        ConfigurationError: If *at* is none of these, or a goal is needed and unknown.
    """
    _check_at(at)
    for goal in goals.values():
        check_goal(goal)
    wanted = list(dict.fromkeys(metrics))
    needed = ranked or at == "best"
    try:
        sides = {m: goal_of(m, goals.get(m)) if needed else goals.get(m) for m in wanted}
    except ConfigurationError:
        if len(frame):
            _check_metrics(connection, chosen, wanted)
        raise
    columns = {
        metric: RunValues(goal, np.full(len(frame), np.nan), np.zeros(len(frame), np.int64))
        for metric, goal in sides.items()
    }
    if not len(frame) or not wanted:
        return columns
    found = _from_totals(connection, chosen, frame, sides, at)
    if found is None:
        found = _from_views(connection, chosen, sides, at, resumed=frame.resumed)
    if len(set(found["code"].tolist())) < len(wanted):
        _check_metrics(connection, chosen, wanted)
    values, steps = floats(found["value"]), np.ma.filled(found["step"], 0)
    for code, column in enumerate(columns.values()):
        rows = (found["code"] == code) & np.isfinite(values)
        places = found["place"][rows]
        column.value[places] = values[rows]
        column.step[places] = steps[rows]
    return columns


def _from_totals(
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    frame: RunFrame,
    goals: Mapping[str, str | None],
    at: At,
) -> dict[str, Any] | None:
    """What the totals say as they stand, without a group; None where that is not all."""
    if isinstance(at, int):
        return None
    sides = {"min": "minimum", "max": "maximum"} if at == "best" else {}
    value, step = "last_value", "last_step"
    for side, column in sides.items():
        if metrics := [metric for metric, goal in goals.items() if goal == side]:
            is_side = f"case when metric in ({literals(metrics)}) then"
            value = f"{is_side} {column} else {value} end"
            step = f"{is_side} {column}_step else {step} end"
    query = _ROWS.format(
        wanted=literals(goals), value=value, step=step, within=chosen.within("r")
    )
    found: dict[str, Any] = connection.execute(query).fetchnumpy()
    cells = found["place"] * len(goals) + found["code"]
    # Of several ranks or attempts each has a row: which value counts is then for the views.
    if not found["is_whole"].all() or len(np.unique(cells)) < len(cells):
        return None
    places, are_here = places_of(frame.row, found["place"])
    rest = {name: found[name][are_here] for name in ("code", "value", "step")}
    return {"place": places, **rest}


def _from_views(
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    goals: Mapping[str, str | None],
    at: At,
    *,
    resumed: bool,
) -> dict[str, Any]:
    require_views(connection)
    query = _query(chosen, goals, at, resumed=resumed)
    found: dict[str, Any] = connection.execute(query).fetchnumpy()
    return found


def _query(
    chosen: Chosen, goals: Mapping[str, str | None], at: At, *, resumed: bool
) -> str:
    sides = [str(goal) if at == "best" else "last" for goal in goals.values()]
    if isinstance(at, int):
        joined, condition = (SUPERSEDED, NOT_SUPERSEDED) if resumed else ("", "")
        template, found = (
            _VALUES_UP_TO,
            _UP_TO.format(joined=joined, condition=condition, step=at),
        )
    else:
        template, found = _VALUES, _SUMMARY if resumed else _TOTALS
    wanted = _WANTED.format(metrics=literals(goals), sides=literals(sides))
    return template.format(chosen=chosen_sql(chosen), wanted=wanted, found=found)


def _check_at(at: At) -> None:
    is_step = type(at) is int and -(2**63) <= at < 2**63
    if not is_step and not is_any(at, "best", "last"):
        raise ConfigurationError(f"at must be 'best', 'last' or a step, not {shown(at)}")


def _check_metrics(
    connection: duckdb.DuckDBPyConnection, chosen: Chosen, metrics: Sequence[str]
) -> None:
    query = f"select distinct metric from store.main.totals_ where run_id in ({chosen.sql})"  # noqa: S608
    known = {str(row[0]) for row in connection.execute(query).fetchall()}
    for metric in metrics:
        if metric not in known:
            raise MetricNotFoundError(metric, None, known)
