"""A row a run: the configuration keys that vary, and what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store.base.sql_literals import literals
from stepwell.store.queries.runs import Chosen
from stepwell.store.values.sweep import SweepTable
from stepwell.store.values.table import numbers_of, texts

from .metric_per_run import At, chosen_sql, select_values
from .run_columns import RunFrame, select_frame

# The table holds no number for a NaN, and one for true and false, which are words here.
# Keys come by the oldest run that has them, and then as they stand in its configuration.
_KEYS = """
with {chosen}
select
    key, min(text) as text,
    bool_and((number is not null or lower(text) = 'nan')
        and text not in ('true', 'false')) as numeric,
    case when numeric then count(distinct coalesce(number, 'nan'::double))
        else count(distinct text) end as kinds,
    count(text) as present
from store.main.params_ p join chosen c on c.run_id = p.run_id
group by key order by min(place), arg_min(p.rowid, place), key
"""
_CELLS = """
with {chosen}
select place, key, {column} as cell
from store.main.params_ p join chosen c on c.run_id = p.run_id
where key in ({keys}) and text is not null
"""


@dataclass(frozen=True, slots=True, eq=False)
class Params:
    """The configurations of some runs.

    Attributes:
        varying: Columns of the keys that are not the same for all runs.
        constants: The other keys, and their value as text.
        given: Of columns of numbers, whether each run has a value.
    """

    varying: dict[str, NDArray[np.generic]]
    constants: dict[str, str | None]
    given: dict[str, NDArray[np.bool_]]


def select_sweep_table(
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metrics: Sequence[str],
    *,
    at: At,
    goals: Mapping[str, str | None],
) -> SweepTable:
    """The chosen runs, the oldest first; see `Store.sweep_table`."""
    frame = select_frame(connection, chosen)
    found = select_values(
        connection, chosen, frame, metrics, at=at, goals=goals, ranked=False
    )
    params = select_params(connection, chosen, frame)
    return table_of(frame, params, {name: one.value for name, one in found.items()})


def table_of(
    frame: RunFrame, params: Params, values: Mapping[str, NDArray[np.float64]]
) -> SweepTable:
    """The runs of *frame* with their configurations and the values of metrics."""
    return SweepTable(
        run_id=frame.run_id,
        run=frame.run,
        status=frame.status,
        created_at=frame.created_at,
        seconds=frame.seconds,
        params=params.varying,
        constants=params.constants,
        given=params.given,
        values=values,
    )


def select_params(
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    frame: RunFrame,
    keys: Sequence[str] = (),
) -> Params:
    """The configurations of the runs of *frame*, a column a key that varies.

    Args:
        connection: The store.
        chosen: The runs.
        frame: The same runs.
        keys: Keys that get a column whether they vary or not.
    """
    query = _KEYS.format(chosen=chosen_sql(chosen))
    rows = connection.execute(query).fetchall()
    constants: dict[str, str | None] = {}
    kinds: dict[str, bool] = {}
    for key, text, numeric, kinds_of_value, present in rows:
        is_same = kinds_of_value <= 1 and present in {0, len(frame)}
        if is_same and key not in keys:
            constants[key] = text
        else:
            kinds[key] = bool(numeric)
    varying: dict[str, NDArray[np.generic]] = {
        key: np.full(len(frame), np.nan) if numeric else texts([None] * len(frame))
        for key, numeric in kinds.items()
    }
    given = {
        key: np.zeros(len(frame), np.bool_) for key, numeric in kinds.items() if numeric
    }
    for numeric, column in ((True, "coalesce(number, 'nan'::double)"), (False, "text")):
        wanted = [key for key, kind in kinds.items() if kind == numeric]
        if wanted:
            columns = {key: varying[key] for key in wanted}
            _fill(connection, chosen, columns, column, given)
    return Params(varying, constants, given)


def _fill(
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    columns: Mapping[str, NDArray[Any]],
    column: str,
    given: Mapping[str, NDArray[np.bool_]],
) -> None:
    query = _CELLS.format(chosen=chosen_sql(chosen), column=column, keys=literals(columns))
    found = connection.execute(query).fetchnumpy()
    places, cells = found["place"], np.ma.getdata(found["cell"])
    keys = numbers_of(found["key"], columns)
    for number, (key, filled) in enumerate(columns.items()):
        rows = keys == number
        filled[places[rows]] = cells[rows]
        if key in given:
            given[key][places[rows]] = True
