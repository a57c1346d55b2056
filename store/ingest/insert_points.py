"""Inserting points and totals: those of small journals together, in one statement."""

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store.journal.format import Header

from .batch import Batch, make_batch, totals
from .segment import Stretch

_NAMES_AT_A_TIME = 8192
_POINTS_AT_A_TIME = 100_000  # of several journals; a fold must fit a small memory

# Lists go in as JSON text: DuckDB 1.5 takes 0.3 ms for each value of a list otherwise,
# looking for a pandas that is not installed. A NaN of a numpy column is NULL for DuckDB,
# and is made NaN again.
_INSERT_POINTS = """
insert into store.main.points
select
    {run_id}, from_json(?, '["VARCHAR"]')[code + 1], step, time,
    coalesce(value, 'nan'::double), {rank}, {attempt}
from batch
"""
_TOTALS = """
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
"""
_INSERT_TOTALS = f"""
insert into store.main.totals_ (
    run_id, metric, rank, attempt, position, count, non_finite, total, first_time,
    first_step, last_step, last_time, last_value, minimum, minimum_step, maximum,
    maximum_step
)
{_TOTALS}
"""
# By `>=` the later fold wins a tie of step and time, as the later call does within a batch;
# of an extreme the first step counts. So totals do not depend on where a fold happened to
# stop, and agree with `totals.COUNTED`.
_MERGE_TOTALS = f"""
merge into store.main.totals_ t
using ({_TOTALS}) s
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

# Where the points are of one writer, who it is goes in as parameters, and not as three
# columns as long as the points.
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
        is_new: Says of a run's id whether the store has nothing of that run.
        several: Ids of runs that have more than one attempt.

    Attributes:
        moved: Ids of those of them in which a metric began, or at an earlier step.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        is_new: Callable[[str], bool],
        several: Collection[str] = (),
    ) -> None:
        self.moved: set[str] = set()
        self._connection = connection
        self._is_new = is_new
        self._several = several
        self._parts: dict[_Owner, Batch] = {}
        self._names = self._points = 0
        self._inserted: set[_Owner] = set()

    def add(self, stretch: Stretch, declared: dict[int, tuple[str, ...]]) -> None:
        """Take a stretch's points; `flush` inserts them at the latest.

        Args:
            stretch: What was read.
            declared: Names that are not declared in it, by number.
        """
        if not stretch.piece.blocks:
            return
        batch = make_batch(stretch.piece, declared | stretch.piece.names)
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
            added = totals(part)
            self._add_up(_OF_ONE, who, added | {"position": added["code"]})
        elif self._parts:
            together = _Together(self._parts)
            who = [json.dumps(together.run_ids), json.dumps(together.batch.names)]
            self._execute(_INSERT_POINTS.format(**_OF_SEVERAL), who, together.points())
            self._add_up(_OF_SEVERAL, who, together.totals())
        # Their totals have rows from here on, also those of a run that is new to the store:
        # the next part of the same writer has to be merged with them.
        self._inserted |= self._parts.keys()
        self._parts.clear()
        self._names = self._points = 0

    def _add(self, header: Header, part: Batch) -> None:
        owner = (header.run_id, header.rank, header.attempt)
        # A statement may meet a metric of a writer's totals only once.
        if (
            owner in self._parts
            or self._names + len(part.names) > _NAMES_AT_A_TIME
            or self._points + len(part.codes) > _POINTS_AT_A_TIME
        ):
            self.flush()
        self._parts[owner] = part
        self._names += len(part.names)
        self._points += len(part.codes)
        if self._points > _POINTS_AT_A_TIME:
            self.flush()  # before the next batch is made

    def _add_up(self, forms: _Forms, who: Sequence[object], columns: _Columns) -> None:
        if any(run_id in self._several for run_id, *_ in self._parts):
            # Before the totals are merged, while they still say where each metric began.
            found = self._execute(_MOVED.format(**forms), who, columns)
            self.moved |= {str(run_id) for (run_id,) in found} & set(self._several)
        # Where there is nothing to merge with, planning that would take milliseconds.
        are_new = self._inserted.isdisjoint(self._parts) and all(
            self._is_new(run_id) for run_id, *_ in self._parts
        )
        statement = _INSERT_TOTALS if are_new else _MERGE_TOTALS
        self._execute(statement.format(**forms), who, columns)

    def _execute(
        self, statement: str, who: Sequence[object], columns: _Columns
    ) -> list[tuple[Any, ...]]:
        self._connection.register("batch", columns)
        try:
            return self._connection.execute(statement, who).fetchall()
        finally:
            # DuckDB 2.0 cannot in a transaction that has failed; the next one replaces it.
            with suppress(duckdb.Error):
                self._connection.unregister("batch")


class _Together:
    """Batches of several writers as one, with whose each row is."""

    def __init__(self, parts: dict[_Owner, Batch]) -> None:
        batches = list(parts.values())
        widths = [len(batch.names) for batch in batches]
        lengths = [len(batch.codes) for batch in batches]
        self._firsts = np.cumsum([0, *widths[:-1]], dtype=np.int32)
        self._owners = np.repeat(np.arange(len(batches), dtype=np.int32), widths)
        self._ranks = np.array([rank for _, rank, _ in parts], np.int16)
        self._attempts = np.array([attempt for _, _, attempt in parts], np.int32)
        self.run_ids = [run_id for run_id, *_ in parts]
        codes = np.concatenate([batch.codes for batch in batches])
        self.batch = Batch(
            [name for batch in batches for name in batch.names],
            codes + np.repeat(self._firsts, lengths),
            np.concatenate([batch.steps for batch in batches]),
            np.concatenate([batch.times for batch in batches]),
            np.concatenate([batch.values for batch in batches]),
        )

    def points(self) -> _Columns:
        """The points, and whose they are."""
        return self._owned(self.batch.columns())

    def totals(self) -> _Columns:
        """What they add to the totals."""
        columns = totals(self.batch)
        code: Any = columns["code"]
        # The place among the metrics of its own writer, not among all that go in together.
        position = code - self._firsts[self._owners[code]]
        return self._owned(columns) | {"position": position}

    def _owned(self, columns: _Columns) -> _Columns:
        code: Any = columns["code"]
        owner = self._owners[code]
        return columns | {
            "owner": owner,
            "rank": self._ranks[owner],
            "attempt": self._attempts[owner],
        }
