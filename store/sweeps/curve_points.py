"""Points of one metric of many runs, in one query."""

import json
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store.queries.runs import Chosen
from stepwell.store.values.table import texts

from .metric_per_run import NOT_SUPERSEDED, SUPERSEDED, chosen_sql

# A row for each run and metric, so that a metric's name is matched once.
_MEMBERS = """
with {chosen}
select
    place, c.run_id::varchar as run_id, any_value(name) as name,
    any_value(c.attempt) as attempt,
    any_value(epoch_us(coalesce(created_at, timestamp '1970-01-01'))) as created,
    metric, coalesce(sum(count), 0)::bigint as count,
    coalesce(min(first_step), 0) as first_step, coalesce(max(last_step) filter (
        superseded_from is null or superseded_from > last_step), 0) as last_step,
    min(minimum) as minimum, max(maximum) as maximum
from chosen c left join totals_ t
    on t.run_id = c.run_id and t.metric in (select unnest(from_json(?, '["VARCHAR"]')))
group by place, c.run_id, metric order by place
"""
_KNOWN = "select distinct metric from totals_ where run_id in ({})"
# Runs begun one after the other lie together, and the zone maps of a range leave out the
# rest. The hash tells the runs of the points apart: a join would cost as much again.
_POINTS = """
select {columns} from points p {attempts}
where p.metric = ? and p.run_id between ?::uuid and ?::uuid {conditions}
"""
_ONLY = "and p.run_id in (select unnest(from_json(?, '[\"UUID\"]')))"
_WITHIN = """
select coalesce(sum(count), 0)::bigint from totals_
where metric = ? and run_id between ?::uuid and ?::uuid
"""
_HASHES = "select hash(unnest(from_json(?, '[\"UUID\"]'))) as hash"
_FEW = 1.25
"""Points read for each one that is wanted, up to which the others are dropped later."""


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
    found = connection.execute(query, [json.dumps(metrics)]).fetchnumpy()
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
        known = connection.execute(query).fetchall()
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
    columns = "p.step, p.value" + (", epoch_us(p.time) as time" if times else "")
    conditions, bounds = ("and p.step between ? and ?", [*steps]) if steps else ("", [])
    ids = sorted(members.run_id.tolist())
    if len(ids) > 1:
        columns = f"hash(p.run_id) as run, {columns}"
    parameters: list[Any] = [metric, ids[0], ids[-1], *bounds]
    if not _lie_together(connection, members, metric, ids):
        conditions += _ONLY
        parameters.append(json.dumps(ids))
    redone = bool((members.attempt > 1).any())
    if redone:
        conditions += NOT_SUPERSEDED
    query = _POINTS.format(
        columns=columns, conditions=conditions, attempts=SUPERSEDED if redone else ""
    )
    found = connection.execute(query, parameters).fetchnumpy()
    points = RawPoints(
        place=np.zeros(len(found["step"]), np.int32),
        step=np.asarray(found["step"], np.int64),
        value=np.asarray(found["value"], np.float64),
        time=np.asarray(found.get("time", ()), np.int64),
    )
    if len(ids) <= 1:
        return points
    return _placed(connection, members, points, np.asarray(found["run"], np.uint64))


def select_times(
    connection: duckdb.DuckDBPyConnection, members: Members, metric: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first and the last time of each member's points, in microseconds since 1970."""
    query = (
        "select run_id::varchar, epoch_us(min(time)), epoch_us(max(time)) from points"
        " where metric = ? and run_id between ?::uuid and ?::uuid group by run_id"
    )
    ids = sorted(members.run_id.tolist())
    found = connection.execute(query, [metric, ids[0], ids[-1]]).fetchall()
    ends = {run_id: times for run_id, *times in found}
    both = np.array([ends[run_id] for run_id in members.run_id], np.int64)
    return both[:, 0], both[:, 1]


def _lie_together(
    connection: duckdb.DuckDBPyConnection, members: Members, metric: str, ids: list[str]
) -> bool:
    if len(ids) == 1:
        return True
    row = connection.execute(_WITHIN, [metric, ids[0], ids[-1]]).fetchone()
    return row is not None and row[0] <= _FEW * int(members.count.sum())


def _placed(
    connection: duckdb.DuckDBPyConnection,
    members: Members,
    points: RawPoints,
    runs: NDArray[np.uint64],
) -> RawPoints:
    """The points with the places of their runs, without those of other runs."""
    ids = json.dumps(members.run_id.tolist())
    hashes = connection.execute(_HASHES, [ids]).fetchnumpy()["hash"].tolist()
    places = {run: place for place, run in enumerate(hashes)}
    # Points of a run lie in long stretches: a look-up a stretch, not one a point.
    edges = np.flatnonzero(np.diff(runs, prepend=runs[:1] + np.uint64(1)))
    found = [places.get(run, -1) for run in runs[edges].tolist()]
    lengths = np.diff(np.append(edges, len(runs)))
    place = np.repeat(np.array(found, np.int32), lengths)
    if -1 not in found:
        return replace(points, place=place)
    wanted = place >= 0
    return RawPoints(
        place=place[wanted],
        step=points.step[wanted],
        value=points.value[wanted],
        time=points.time[wanted] if points.time.size else points.time,
    )
