"""Points of one metric of many runs, in one query."""

import json
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from ._query_runs import Chosen
from ._query_values import chosen_sql
from ._table import texts

# A row for each run and metric, so that a metric's name is matched once.
_MEMBERS = """
with {chosen}
select
    place, c.run_id::varchar as run_id, any_value(name) as name,
    any_value(c.attempt) as attempt,
    any_value(epoch_us(coalesce(created_at, timestamp '1970-01-01'))) as created,
    metric, coalesce(sum(count), 0)::bigint as count,
    coalesce(min(first_step), 0) as first_step, coalesce(max(last_step), 0) as last_step,
    min(minimum) as minimum, max(maximum) as maximum
from chosen c left join totals_ t
    on t.run_id = c.run_id and t.metric in (select unnest(from_json(?, '["VARCHAR"]')))
group by place, c.run_id, metric order by place
"""
_KNOWN = "select distinct metric from totals_ where run_id in ({})"
_POINTS = """
with batch as (
    select
        unnest(from_json(?, '["UUID"]')) as run_id,
        generate_subscripts(from_json(?, '["VARCHAR"]'), 1)::integer - 1 as place
)
select {columns}
from points p join batch b on b.run_id = p.run_id {attempts}
where p.metric = ? {conditions}
"""
_ATTEMPTS = "left join superseded_ s on s.run_id = p.run_id and s.attempt = p.attempt"
_NOT_REDONE = "and (s.from_step is null or p.step < s.from_step)"


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Runs, the oldest first, and the extent of a metric, and perhaps of a second.

    Attributes:
        run_id: Object array of UUIDs as text, n values.
        run: Object array of names.
        attempt: int64, n values.
        created: int64, when they started, in microseconds since 1970.
        counts: int64, a row a metric and a column a run: points.
        first_step: int64, of the first metric.
        last_step: int64, of the first metric.
        minimum: float64, of the last metric; NaN where there is no finite value.
        maximum: float64, of the last metric.
        known: The metrics that the runs have; only when one of those asked for is
            missing.
    """

    run_id: NDArray[np.object_]
    run: NDArray[np.object_]
    attempt: NDArray[np.int64]
    created: NDArray[np.int64]
    counts: NDArray[np.int64]
    first_step: NDArray[np.int64]
    last_step: NDArray[np.int64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    known: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.run_id)

    @property
    def count(self) -> NDArray[np.int64]:
        """int64, points of all the metrics that are read."""
        return np.asarray(self.counts.sum(axis=0), np.int64)

    def take(self, rows: NDArray[np.intp]) -> "Members":
        """Some of the runs."""
        return Members(
            run_id=self.run_id[rows],
            run=self.run[rows],
            attempt=self.attempt[rows],
            created=self.created[rows],
            counts=self.counts[:, rows],
            first_step=self.first_step[rows],
            last_step=self.last_step[rows],
            minimum=self.minimum[rows],
            maximum=self.maximum[rows],
        )

    def with_metric(self, code: int) -> "Members":
        """The runs that have the metric of that number."""
        return self.take(np.flatnonzero(self.counts[code]))


@dataclass(frozen=True, slots=True, eq=False)
class RawPoints:
    """Points as they stand in the table.

    Attributes:
        place: int32, n values: place of the point's run in its `Members`.
        step: int64, n values.
        value: float64, n values.
        time: int64, in microseconds since 1970; empty unless asked for.
    """

    place: NDArray[np.int32]
    step: NDArray[np.int64]
    value: NDArray[np.float64]
    time: NDArray[np.int64]


def select_members(
    connection: duckdb.DuckDBPyConnection, chosen: Chosen, metrics: list[str]
) -> Members:
    """The chosen runs, and what the totals say of *metrics*, one or two."""
    query = _MEMBERS.format(chosen=chosen_sql(chosen))
    wanted = json.dumps(metrics)
    found = connection.execute(query, [*chosen.parameters, wanted]).fetchnumpy()
    _, firsts, rows = np.unique(found["place"], return_index=True, return_inverse=True)
    runs = len(firsts)
    counts = np.zeros((len(metrics), runs), np.int64)
    steps = np.zeros((2, runs), np.int64)
    extremes = np.full((2, runs), np.nan)
    for code, metric in enumerate(metrics):
        has = np.asarray(found["metric"] == metric, bool)
        counts[code, rows[has]] = found["count"][has]
        if code == 0:
            steps[:, rows[has]] = found["first_step"][has], found["last_step"][has]
        if code == len(metrics) - 1:
            for line, name in enumerate(("minimum", "maximum")):
                extreme = np.ma.filled(np.ma.asarray(found[name], np.float64), np.nan)
                extremes[line, rows[has]] = extreme[has]
    known: list[Any] = []
    if not counts.any(axis=1).all():
        query = _KNOWN.format(chosen.sql)
        known = connection.execute(query, chosen.parameters).fetchall()
    return Members(
        run_id=texts(found["run_id"][firsts].tolist()),
        run=texts(found["name"][firsts].tolist()),
        attempt=np.asarray(found["attempt"][firsts], np.int64),
        created=np.asarray(found["created"][firsts], np.int64),
        counts=counts,
        first_step=steps[0],
        last_step=steps[1],
        minimum=extremes[0],
        maximum=extremes[1],
        known=tuple(str(row[0]) for row in known),
    )


def select_points(
    connection: duckdb.DuckDBPyConnection,
    members: Members,
    metric: str,
    *,
    steps: tuple[float, float] | None = None,
    times: bool = False,
) -> RawPoints:
    """The points of *members*, without those that a later attempt has superseded.

    Args:
        connection: The store.
        members: The runs.
        metric: The metric.
        steps: The first and the last step.
        times: Whether to give the times, too.
    """
    columns = "b.place, p.step, p.value" + (", epoch_us(p.time) as time" if times else "")
    conditions, bounds = ("and p.step between ? and ?", [*steps]) if steps else ("", [])
    found = _execute(connection, members, metric, columns, conditions, bounds).fetchnumpy()
    return RawPoints(
        place=np.asarray(found["place"], np.int32),
        step=np.asarray(found["step"], np.int64),
        value=np.asarray(found["value"], np.float64),
        time=np.asarray(found.get("time", ()), np.int64),
    )


def select_times(
    connection: duckdb.DuckDBPyConnection, members: Members, metric: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first and the last time of each member's points, in microseconds since 1970."""
    columns = "b.place, epoch_us(min(p.time)) as first, epoch_us(max(p.time)) as last"
    found = _execute(
        connection, members, metric, columns, "group by b.place", []
    ).fetchnumpy()
    ends = np.zeros((2, len(members)), np.int64)
    ends[:, found["place"]] = found["first"], found["last"]
    return ends[0], ends[1]


def _execute(  # noqa: PLR0913, PLR0917
    connection: duckdb.DuckDBPyConnection,
    members: Members,
    metric: str,
    columns: str,
    conditions: str,
    bounds: list[float],
) -> duckdb.DuckDBPyConnection:
    redone = bool((members.attempt > 1).any())
    if redone:
        conditions = f"{_NOT_REDONE} {conditions}"
    query = _POINTS.format(
        columns=columns, conditions=conditions, attempts=_ATTEMPTS if redone else ""
    )
    ids = json.dumps(members.run_id.tolist())
    return connection.execute(query, [ids, ids, metric, *bounds])
