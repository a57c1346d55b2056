"""One value a run of each metric asked for: what ranks and sweeps are made of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from ._better import check_goal, goal_of
from ._errors import ConfigurationError, MetricNotFoundError
from ._query_runs import Chosen
from ._table import texts
from ._texts import is_any

At = str | int
"""At which point runs are compared: `best`, `last`, or a step."""

# Places number the runs by age, so that a value finds its row without a join by id.
_CHOSEN = """
chosen as (
    select
        run_id, name, project, group_name, status, created_at, finished_at, attempt,
        row_number() over (order by created_at nulls first, run_id) - 1 as place
    from runs where run_id in ({})
)
"""
_FRAME = """
with {chosen}, newest as (
    select run_id, max(last_time) as last_time from totals_
    where run_id in (select run_id from chosen where finished_at is null) group by run_id
)
select
    c.run_id::varchar as run_id, name, project, group_name, status, created_at, attempt,
    epoch(coalesce(finished_at, last_time) - created_at) as seconds
from chosen c left join newest n on n.run_id = c.run_id order by place
"""
_TOTALS = """
select
    run_id, metric,
    min(minimum) as min, arg_min(minimum_step, (minimum, minimum_step)) as min_step,
    max(maximum) as max, arg_min(maximum_step, (-maximum, maximum_step)) as max_step,
    arg_max(last_value, (last_step, last_time)) as current, max(last_step) as last_step
from totals_
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
where p.metric in (select metric from wanted) and p.step <= ?
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
    select unnest(from_json(?, '["VARCHAR"]')) as metric,
        unnest(from_json(?, '["VARCHAR"]')) as goal,
        generate_subscripts(from_json(?, '["VARCHAR"]'), 1) - 1 as code
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
class RunFrame:
    """The chosen runs, the oldest first.

    Attributes:
        run_id: Object array of UUIDs as text, n values.
        run: Object array of names.
        project: Object array of texts or None.
        group_name: Object array of texts or None.
        status: Object array of texts.
        created_at: datetime64[us] in UTC.
        seconds: float64, how long they took; NaN where it is not known.
        resumed: Whether any of them was.
    """

    run_id: NDArray[np.object_]
    run: NDArray[np.object_]
    project: NDArray[np.object_]
    group_name: NDArray[np.object_]
    status: NDArray[np.object_]
    created_at: NDArray[np.datetime64]
    seconds: NDArray[np.float64]
    resumed: bool

    def __len__(self) -> int:
        return len(self.run_id)


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


def select_frame(connection: duckdb.DuckDBPyConnection, chosen: Chosen) -> RunFrame:
    """The chosen runs, the oldest first."""
    query = _FRAME.format(chosen=chosen_sql(chosen))
    found = connection.execute(query, chosen.parameters).fetchnumpy()
    return RunFrame(
        run_id=_objects(found["run_id"]),
        run=_objects(found["name"]),
        project=_objects(found["project"]),
        group_name=_objects(found["group_name"]),
        status=_objects(found["status"]),
        created_at=np.ma.filled(found["created_at"], np.datetime64("NaT")).astype(
            "datetime64[us]"
        ),
        seconds=_floats(found["seconds"]),
        resumed=bool((found["attempt"] > 1).any()),
    )


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
    if len(frame):
        _check_metrics(connection, chosen, wanted)
    needed = ranked or at == "best"
    sides = {m: goal_of(m, goals.get(m)) if needed else goals.get(m) for m in wanted}
    columns = {
        metric: RunValues(goal, np.full(len(frame), np.nan), np.zeros(len(frame), np.int64))
        for metric, goal in sides.items()
    }
    if not len(frame) or not wanted:
        return columns
    query, parameters = _query(chosen, sides, at, resumed=frame.resumed)
    found = connection.execute(query, parameters).fetchnumpy()
    values, steps = _floats(found["value"]), np.ma.filled(found["step"], 0)
    for code, column in enumerate(columns.values()):
        rows = (found["code"] == code) & np.isfinite(values)
        places = found["place"][rows]
        column.value[places] = values[rows]
        column.step[places] = steps[rows]
    return columns


def _query(
    chosen: Chosen, goals: Mapping[str, str | None], at: At, *, resumed: bool
) -> tuple[str, list[Any]]:
    sides = [goal if at == "best" else "last" for goal in goals.values()]
    names = json.dumps(list(goals))
    parameters = [*chosen.parameters, names, json.dumps(sides), names]
    if isinstance(at, int):
        joined, condition = (SUPERSEDED, NOT_SUPERSEDED) if resumed else ("", "")
        template, found = _VALUES_UP_TO, _UP_TO.format(joined=joined, condition=condition)
        parameters.append(at)
    else:
        template, found = _VALUES, _SUMMARY if resumed else _TOTALS
    query = template.format(chosen=chosen_sql(chosen), wanted=_WANTED, found=found)
    return query, parameters


def _check_at(at: At) -> None:
    is_step = type(at) is int and -(2**63) <= at < 2**63
    if not is_step and not is_any(at, "best", "last"):
        raise ConfigurationError(f"at must be 'best', 'last' or a step, not {at!r}")


def _check_metrics(
    connection: duckdb.DuckDBPyConnection, chosen: Chosen, metrics: Sequence[str]
) -> None:
    query = f"select distinct metric from totals_ where run_id in ({chosen.sql})"  # noqa: S608
    known = {str(row[0]) for row in connection.execute(query, chosen.parameters).fetchall()}
    for metric in metrics:
        if metric not in known:
            raise MetricNotFoundError(metric, None, known)


def _objects(column: Any) -> NDArray[np.object_]:
    return texts(column.tolist())


def _floats(column: Any) -> NDArray[np.float64]:
    return np.ma.filled(np.ma.asarray(column, np.float64), np.nan)
