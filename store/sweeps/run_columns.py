"""The runs of a question, as columns."""

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store.queries.runs import Chosen
from stepwell.store.values.table import texts

_FRAME = """
select
    rowid as place, run_id::varchar as run_id, name, project, group_name, status,
    created_at, attempt, finished_at is null as is_open,
    epoch(finished_at - created_at) as seconds
from store.main.runs where {} order by created_at nulls first, runs.run_id
"""
_OPEN = """
select r.rowid as place, epoch(max(t.last_time) - any_value(r.created_at)) as seconds
from store.main.totals_ t join store.main.runs r on r.run_id = t.run_id
where r.finished_at is null and {} group by r.rowid
"""


@dataclass(frozen=True, slots=True, eq=False)
class RunFrame:
    """The chosen runs, the oldest first.

    Attributes:
        row: int64, by which the database knows them while it is attached, n values.
        run_id: Object array of UUIDs as text.
        run: Object array of names.
        project: Object array of texts or None.
        group_name: Object array of texts or None.
        status: Object array of texts.
        created_at: datetime64[us] in UTC.
        seconds: float64, how long they took; NaN where it is not known.
        resumed: Whether any of them was.
    """

    row: NDArray[np.int64]
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


def select_frame(connection: duckdb.DuckDBPyConnection, chosen: Chosen) -> RunFrame:
    """The chosen runs, the oldest first."""
    query = _FRAME.format(chosen.within("runs"))
    found: dict[str, Any] = connection.execute(query).fetchnumpy()
    row, seconds = found["place"], floats(found["seconds"])
    if found["is_open"].any():
        query = _OPEN.format(chosen.within("r"))
        lasting: dict[str, Any] = connection.execute(query).fetchnumpy()
        places, are_here = places_of(row, lasting["place"])
        seconds[places] = floats(lasting["seconds"])[are_here]
    return RunFrame(
        row=row,
        run_id=_objects(found["run_id"]),
        run=_objects(found["name"]),
        project=_objects(found["project"]),
        group_name=_objects(found["group_name"]),
        status=_objects(found["status"]),
        created_at=np.ma.filled(found["created_at"], np.datetime64("NaT")).astype(
            "datetime64[us]"
        ),
        seconds=seconds,
        resumed=bool((found["attempt"] > 1).any()),
    )


def places_of(
    rows: NDArray[np.int64], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each of *wanted* is among *rows*, for those that are there; and which are."""
    order = np.argsort(rows)
    places = order[np.minimum(np.searchsorted(rows[order], wanted), len(rows) - 1)]
    are_here = rows[places] == wanted
    return places[are_here], are_here


def _objects(column: Any) -> NDArray[np.object_]:
    return texts(column.tolist())


def floats(column: Any) -> NDArray[np.float64]:
    """A column of the database with NaN where it has no value."""
    return np.ma.filled(np.ma.asarray(column, np.float64), np.nan)
