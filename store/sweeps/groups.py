"""Runs that differ only in what is averaged over, as one row."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store.base.errors import ConfigurationError
from stepwell.store.queries.runs import Chosen
from stepwell.store.values.sweep import Groups

from .metric_per_run import At, select_values
from .run_columns import RunFrame, select_frame
from .statistics import (
    deviation_of,
    interquartile_mean,
    mean_interval,
    mean_of,
    median_of,
)
from .sweep_table import Params, select_params


def select_groups(  # noqa: PLR0913
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metric: str,
    keys: Sequence[str],
    *,
    over: str,
    goal: str | None,
    at: At,
) -> Groups:
    """The chosen runs in groups, the best mean first; see `Store.group_by`."""
    frame = select_frame(connection, chosen)
    found = select_values(connection, chosen, frame, [metric], at=at, goals={metric: goal})[
        metric
    ]
    params = select_params(connection, chosen, frame, keys)
    columns = _columns(params, frame, keys, over)
    rows = np.flatnonzero(np.isfinite(found.value))
    members = _members({key: column[rows] for key, column in columns.items()}, rows)
    sign = 1 if found.goal == "min" else -1
    members.sort(key=lambda part: sign * mean_of(found.value[part]))
    parts = [found.value[part] for part in members]
    intervals = [mean_interval(part) for part in parts]
    firsts = np.array([part[0] for part in members], np.intp)
    return Groups(
        metric=metric,
        goal=str(found.goal),
        at=at,
        over=over,
        keys={key: column[firsts] for key, column in columns.items()},
        n=np.array([len(part) for part in parts], np.int64),
        mean=_floats(mean_of(part) for part in parts),
        median=_floats(median_of(part) for part in parts),
        interquartile_mean=_floats(interquartile_mean(part) for part in parts),
        std=_floats(deviation_of(part) for part in parts),
        low=_floats(low for low, _ in intervals),
        high=_floats(high for _, high in intervals),
        run_ids=tuple(tuple(frame.run_id[part].tolist()) for part in members),
    )


def _columns(
    params: Params, frame: RunFrame, keys: Sequence[str], over: str
) -> dict[str, NDArray[Any]]:
    if not keys:
        return {key: column for key, column in params.varying.items() if key != over}
    unknown = [key for key in keys if key not in params.varying]
    if unknown and len(frame):
        raise ConfigurationError(_no_key(unknown[0], params))
    return {key: params.varying[key] for key in keys if key in params.varying}


def _no_key(key: str, params: Params) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 (slow to import)

    known = [*params.varying, *params.constants]
    near = get_close_matches(key, known, n=1)
    if near:
        advice = f"did you mean {near[0]!r}?"
    else:
        advice = f"they have {', '.join(known[:8])}" if known else "they have none at all"
    return f"no chosen run has a configuration key {key!r}; {advice}"


def _members(
    columns: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]
) -> list[NDArray[np.intp]]:
    """The rows of each group, groups in order of their keys."""
    if not rows.size:
        return []
    codes = [np.zeros(len(rows), np.intp), *map(codes_of, columns.values())]
    table = np.stack(codes, axis=1)
    _, group = np.unique(table, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    edges = np.flatnonzero(np.diff(group[order])) + 1
    return [rows[part] for part in np.split(order, edges)]


def codes_of(column: NDArray[Any]) -> NDArray[np.intp]:
    """A number for each different value, in their order; what is absent comes last."""
    if column.dtype != object:
        return np.asarray(np.unique(column, return_inverse=True)[1], np.intp)
    known = sorted({value for value in column if value is not None})
    places = {value: place for place, value in enumerate([*known, None])}
    return np.array([places[value] for value in column], np.intp)


def _floats(values: Iterable[Any]) -> NDArray[np.float64]:
    return np.array([float(value) for value in values], np.float64)
