"""One metric of many runs on one x axis."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store.base.errors import ConfigurationError, MetricNotFoundError
from stepwell.store.inputs.metrics import shown
from stepwell.store.queries.runs import Chosen
from stepwell.store.values.sweep import RunCurve

from .curve_points import Members, select_members, select_points, select_times
from .downsample_runs import Axis, Buckets, Points, reduce_runs

Bound = float | datetime | None
"""An end of the x axis: a step, seconds, a time, or another metric's value."""

_POINTS_AT_A_TIME = 1_000_000  # bounds the memory of a reduction


def select_curves(  # noqa: PLR0913
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metric: str,
    *,
    x: str,
    columns: Sequence[int],
    first: Bound,
    last: Bound,
) -> dict[int, dict[str, RunCurve]]:
    """Curves by run id, the oldest first, for each of *columns*; see `Store.curves`."""
    nothing: dict[int, dict[str, RunCurve]] = {count: {} for count in columns}
    other = None if x in {"step", "time", "elapsed"} else x
    members = select_members(connection, chosen, [metric, *([other] if other else [])])
    if not len(members):
        return nothing
    _check_metrics(members, metric, other)
    members = members.with_metric(0)
    low, high = _bound(first), _bound(last)
    ends = _ends(_extent(connection, members, metric, x), (low, high), x)
    if ends is None:
        return nothing
    axes = {count: Axis(*ends, count) for count in nothing}
    found: dict[int, list[tuple[Members, Buckets]]] = {count: [] for count in axes}
    for batch in _batches(members):
        points = _points(connection, batch, metric, x, ends)
        if len(points.value):
            for count, axis in axes.items():
                found[count].append((batch, reduce_runs(points, axis)))
    return {count: _curves(found[count], axis) for count, axis in axes.items()}


def _points(
    connection: duckdb.DuckDBPyConnection,
    batch: Members,
    metric: str,
    x: str,
    ends: tuple[float, float],
) -> Points:
    if x == "step":
        found = select_points(connection, batch, metric, steps=ends)
        return Points.sorted_by(found.place, found.step, found.value)
    if x in {"time", "elapsed"}:
        found = select_points(connection, batch, metric, times=True)
        since = batch.created[found.place] if x == "elapsed" else 0
        points = Points.sorted_by(found.place, (found.time - since) / 1e6, found.value)
    else:
        found = select_points(connection, batch, metric)
        there = Points.sorted_by(found.place, found.step, found.value)
        found = select_points(connection, batch, x)
        other = Points.sorted_by(found.place, found.step, found.value)
        points = Points(there.place, _as_of(there, other, len(batch)), there.value)
    inside = (points.x >= ends[0]) & (points.x <= ends[1])
    return Points.sorted_by(points.place[inside], points.x[inside], points.value[inside])


def _as_of(points: Points, other: Points, runs: int) -> NDArray[np.float64]:
    """The other metric's newest value at each point's step; NaN before the first."""
    found = np.full(len(points.value), np.nan)
    edges = np.searchsorted(points.place, np.arange(runs + 1))
    others = np.searchsorted(other.place, np.arange(runs + 1))
    for run in range(runs):
        here = slice(edges[run], edges[run + 1])
        there = slice(others[run], others[run + 1])
        # The last point at or before each step; -1, where there is none, is put right
        # below.
        rows = np.searchsorted(other.x[there], points.x[here], "right") - 1
        if other.value[there].size:
            found[here] = np.where(rows < 0, np.nan, other.value[there][rows])
    return found


def _extent(
    connection: duckdb.DuckDBPyConnection, members: Members, metric: str, x: str
) -> tuple[float, float]:
    if x == "step":
        return int(members.first_step.min()), int(members.last_step.max())
    if x in {"time", "elapsed"}:
        begins, ends = select_times(connection, members, metric)
        origin = members.created if x == "elapsed" else 0
        return float((begins - origin).min() / 1e6), float((ends - origin).max() / 1e6)
    low, high = members.minimum, members.maximum
    if np.isnan(low).all():
        return math.nan, math.nan
    return float(np.nanmin(low)), float(np.nanmax(high))


def _ends(
    extent: tuple[float, float], bounds: tuple[float | None, float | None], x: str
) -> tuple[float, float] | None:
    """Where the x axis begins and ends; None where nothing is between."""
    first = extent[0] if bounds[0] is None else max(extent[0], bounds[0])
    last = extent[1] if bounds[1] is None else min(extent[1], bounds[1])
    if not first <= last:
        return None
    if x == "step":
        first, last = math.ceil(first), math.floor(last)
        return (first, last) if first <= last else None
    return float(first), float(last)


def _bound(value: Bound) -> float | None:
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return moment.timestamp()
    is_number = value is None or isinstance(value, (int, float, np.number))
    if not is_number or (value is not None and math.isnan(value)):
        raise ConfigurationError(
            f"an end of the x axis must be a number, not {shown(value)}"
        )
    return value


def _batches(members: Members) -> Iterator[Members]:
    numbers = np.cumsum(members.count) // _POINTS_AT_A_TIME
    for rows in np.split(
        np.arange(len(members)), np.flatnonzero(np.diff(numbers, prepend=numbers[0]))
    ):
        if rows.size:
            yield members.take(rows)


def _check_metrics(members: Members, metric: str, other: str | None) -> None:
    for code, name in enumerate((metric, other)):
        if name is not None and not members.counts[code].any():
            raise MetricNotFoundError(name, None, members.known)


def _curves(found: list[tuple[Members, Buckets]], axis: Axis) -> dict[str, RunCurve]:
    common = np.full(axis.columns, np.inf)
    for _, part in found:
        # Runs share buckets, and an assignment by index would take one run's x for each.
        np.minimum.at(common, part.bucket, part.x)
    curves: dict[str, RunCurve] = {}
    for batch, part in found:
        edges = np.searchsorted(part.place, np.arange(len(batch) + 1))
        for place in np.unique(part.place).tolist():
            rows = slice(edges[place], edges[place + 1])
            run_id = str(batch.run_id[place])
            curves[run_id] = RunCurve(
                run_id=run_id,
                run=str(batch.run[place]),
                bucket=part.bucket[rows],
                x=common[part.bucket[rows]],
                minimum=part.minimum[rows],
                maximum=part.maximum[rows],
                mean=part.mean[rows],
                last=part.last[rows],
                count=part.count[rows],
            )
    return curves
