"""Inserting points and totals: those of small journals together, in one statement."""

import json
from collections.abc import Collection, Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from ._batch import Batch, make_batch, totals
from ._fold_points import Stretch, declared_names
from ._format import Header

# DuckDB reads a NaN of a numpy column as NULL.
_NAMES_AT_A_TIME = 8192
_POINTS_AT_A_TIME = 100_000  # of several journals; a fold must fit a small memory

# Lists go in as JSON text: DuckDB 1.5 takes 0.3 ms for each value of a list otherwise,
# looking for a pandas that is not installed.
_INSERT_POINTS = """
insert into store.main.points
select
    {run_id}, from_json(?, '["VARCHAR"]')[code + 1], step, time,
    coalesce(value, 'nan'::double), {rank}, {attempt}
from batch
"""
_MERGE_TOTALS = """
merge into store.main.totals_ t
using (
    select
        {run_id} as run_id,
        from_json(?, '["VARCHAR"]')[code + 1] as metric,
        {rank} as rank, {attempt} as attempt, position, count, non_finite, total,
        first_time, first_step, last_step, last_time,
        coalesce(last_value, 'nan'::double) as last_value,
        case when not isnan(minimum) then minimum end as minimum,
        case when not isnan(minimum) then minimum_step end as minimum_step,
        case when not isnan(maximum) then maximum end as maximum,
        case when not isnan(maximum) then maximum_step end as maximum_step
    from batch
) s
on t.run_id = s.run_id and t.metric = s.metric and t.rank = s.rank
    and t.attempt = s.attempt
when matched then update set
    count = t.count + s.count,
    non_finite = t.non_finite + s.non_finite,
    total = t.total + s.total,
    minimum = least(t.minimum, s.minimum),
    minimum_step = case
        when t.minimum is null or s.minimum < t.minimum then s.minimum_step
        when s.minimum = t.minimum then least(s.minimum_step, t.minimum_step)
        else t.minimum_step end,
    maximum = greatest(t.maximum, s.maximum),
    maximum_step = case
        when t.maximum is null or s.maximum > t.maximum then s.maximum_step
        when s.maximum = t.maximum then least(s.maximum_step, t.maximum_step)
        else t.maximum_step end,
    first_time = least(t.first_time, s.first_time),
    first_step = least(t.first_step, s.first_step),
    last_step = greatest(t.last_step, s.last_step),
    last_time = case when (s.last_step, s.last_time) >= (t.last_step, t.last_time)
        then s.last_time else t.last_time end,
    last_value = case when (s.last_step, s.last_time) >= (t.last_step, t.last_time)
        then s.last_value else t.last_value end
when not matched then insert values (
    s.run_id, s.metric, s.rank, s.attempt, s.position, s.count, s.non_finite, s.total,
    s.minimum, s.minimum_step, s.maximum, s.maximum_step, s.first_time, s.first_step,
    s.last_step, s.last_time, s.last_value, null
)
"""
_MOVED = """
select distinct s.run_id::varchar
from (
    select
        {run_id} as run_id, from_json(?, '["VARCHAR"]')[code + 1] as metric,
        {rank} as rank, {attempt} as attempt, first_step
    from batch
) s
left join totals_ t on t.run_id = s.run_id and t.metric = s.metric and t.rank = s.rank
    and t.attempt = s.attempt
where t.first_step is null or s.first_step < t.first_step
"""

_Columns = dict[str, NDArray[np.generic]]
_Owner = tuple[str, int, int]
_Forms = dict[str, str]

_OF_ONE = {"run_id": "?::uuid", "rank": "?::smallint", "attempt": "?::integer"}
_OF_SEVERAL = {
    "run_id": "from_json(?, '[\"UUID\"]')[owner + 1]",
    "rank": "rank",
    "attempt": "attempt",
}


class PointsOfFold:
    """Collects what the stretches of one fold hold, and inserts it.

    Args:
        connection: The store, within an exclusive lease and a transaction.
        several: Ids of runs that have more than one attempt.

    Attributes:
        moved: Ids of those of them in which a metric began, or at an earlier step.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, several: Collection[str] = ()
    ) -> None:
        self.moved: set[str] = set()
        self._connection = connection
        self._several = several
        self._parts: dict[_Owner, Batch] = {}

    def add(self, stretch: Stretch) -> None:
        """Take a stretch's points; `flush` inserts them at the latest."""
        if not stretch.piece.blocks:
            return
        batch = make_batch(stretch.piece, declared_names(self._connection, stretch))
        stretch.piece.blocks.clear()  # the batch has it all
        for part in batch.parts(_NAMES_AT_A_TIME):
            self._add(stretch.header, part)

    def flush(self) -> None:
        """Insert all that was taken."""
        if len(self._parts) == 1:
            ((owner, part),) = self._parts.items()
            run_id, rank, attempt = owner
            who = [run_id, json.dumps(part.names), rank, attempt]
            self._execute(_INSERT_POINTS.format(**_OF_ONE), who, part.columns())
            self._add_up(_OF_ONE, who, _totals(part))
        elif self._parts:
            names = [name for part in self._parts.values() for name in part.names]
            who = [json.dumps([run_id for run_id, *_ in self._parts]), json.dumps(names)]
            points = self._joined({o: p.columns() for o, p in self._parts.items()})
            self._execute(_INSERT_POINTS.format(**_OF_SEVERAL), who, points)
            added = self._joined({o: _totals(p) for o, p in self._parts.items()})
            self._add_up(_OF_SEVERAL, who, added)
        self._parts.clear()

    def _add(self, header: Header, part: Batch) -> None:
        owner = (header.run_id, header.rank, header.attempt)
        names = sum(len(known.names) for known in self._parts.values())
        points = sum(len(known.codes) for known in self._parts.values())
        # A merge may meet each metric of a writer's totals only once.
        if (
            owner in self._parts
            or names + len(part.names) > _NAMES_AT_A_TIME
            or points + len(part.codes) > _POINTS_AT_A_TIME
        ):
            self.flush()
        self._parts[owner] = part
        if len(part.codes) > _POINTS_AT_A_TIME:
            self.flush()  # before the next batch is made

    def _add_up(self, forms: _Forms, who: Sequence[object], columns: _Columns) -> None:
        if any(run_id in self._several for run_id, *_ in self._parts):
            found = self._execute(_MOVED.format(**forms), who, columns)
            self.moved |= {str(run_id) for (run_id,) in found} & set(self._several)
        self._execute(_MERGE_TOTALS.format(**forms), who, columns)

    def _execute(
        self, statement: str, who: Sequence[object], columns: _Columns
    ) -> list[tuple[Any, ...]]:
        self._connection.register("batch", columns)
        try:
            return self._connection.execute(statement, who).fetchall()
        finally:
            self._connection.unregister("batch")

    def _joined(self, parts: dict[_Owner, _Columns]) -> _Columns:
        """Columns of several writers as one, with whose each row is."""
        owned = []
        before = 0
        for place, (owner, columns) in enumerate(parts.items()):
            _, rank, attempt = owner
            code: Any = columns["code"]
            owned.append(
                columns
                | {
                    "code": code + np.int32(before),
                    "owner": np.full(len(code), place, np.int32),
                    "rank": np.full(len(code), rank, np.int16),
                    "attempt": np.full(len(code), attempt, np.int32),
                }
            )
            before += len(self._parts[owner].names)
        return {name: np.concatenate([part[name] for part in owned]) for name in owned[0]}


def _totals(part: Batch) -> _Columns:
    columns = totals(part)
    return columns | {"position": columns["code"]}
