"""The points of a run's metrics: all of them, or reduced to pixel columns."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import duckdb
import numpy as np
from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import FunctionExpression
from numpy.typing import NDArray

from stepwell.store.values.run_info import RunInfo
from stepwell.store.values.series import ReducedSeries, Series
from stepwell.store.values.table import numbers_of

from .downsample import edges_of, reduce_points

_Points = tuple[NDArray[np.int64], NDArray[np.float64]]
_POINTS_AT_A_TIME = 4_000_000  # bounds the memory of a reduction
_MOST_CONDITIONS = 8  # that cost less than a join
_IS_SUPERSEDED = (
    "p.run_id = s.run_id and p.metric = s.metric and p.rank = s.rank"
    " and p.attempt = s.attempt and p.step >= s.from_step"
)


def select_series(
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    metric: str,
    *,
    all_attempts: bool = False,
) -> Series:
    """Every point of one metric, by step and then by time; empty when it has none."""
    known = [metric] if _is_text(metric) else [""]
    chosen = _chosen(connection, run, known, all_attempts=all_attempts)
    found = chosen.select("step", "time", "value").fetchnumpy()
    steps = np.asarray(found["step"], np.int64)
    times = np.asarray(found["time"], "datetime64[us]")
    values = np.asarray(found["value"], np.float64)
    # No order is asked of DuckDB: points nearly always come in theirs, and to look is
    # cheaper than to sort. Equal steps count, too, as their times decide.
    if (steps[1:] <= steps[:-1]).any():
        order = np.lexsort((times, steps))
        steps, times, values = steps[order], times[order], values[order]
    return Series(run.run_id, metric, steps, times, values)


def select_reduced(  # noqa: PLR0913
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    metrics: Sequence[str],
    *,
    columns: int,
    first_step: int | None = None,
    last_step: int | None = None,
    last_points: int | None = None,
) -> dict[str, ReducedSeries]:
    """Metrics in at most *columns* buckets of one width; absent ones are left out."""
    counts = _counts(connection, run, metrics)
    bounds = (first_step, last_step)
    if last_points is not None or sum(counts.values()) <= _POINTS_AT_A_TIME:
        chosen = select_points(connection, run, counts, bounds, last_points)
        found = dict(chosen)
        if not found:
            return {}
        origin = int(min(steps[0] for steps, _ in found.values()))
        end = int(max(steps[-1] for steps, _ in found.values()))
        width = -(-(end - origin + 1) // columns)
        found = _with_last(connection, run, found, origin, width, last_points)
        return {
            metric: reduce_points(metric, steps, values, origin=origin, width=width)
            for metric, (steps, values) in found.items()
        }
    origin, end = _extent(connection, run, list(counts), bounds)
    width = -(-(end - origin + 1) // columns)
    return {
        metric: reduce_points(metric, *known[metric], origin=origin, width=width)
        for metric, points in select_points(connection, run, counts, bounds)
        for known in [_with_last(connection, run, {metric: points}, origin, width)]
    }


def _with_last(  # noqa: PLR0913, PLR0917
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    found: dict[str, _Points],
    origin: int,
    width: int,
    last_points: int | None = None,
) -> dict[str, _Points]:
    """The same with each bucket's last step in the order of its points' times.

    For nothing else does it matter, and all times would take half as long again to read.
    """
    several: dict[str, NDArray[np.int64]] = {}
    for metric, (steps, _) in found.items():
        behind = edges_of(steps, origin, width)[1:]
        last = np.append(behind, len(steps)) - 1
        last = last[(last > 0) & (steps[last - 1] == steps[last])]
        several[metric] = steps[last]
        if len(steps) == last_points:  # the first step's points were cut in their order
            several[metric] = several[metric][several[metric] > steps[0]]
    return _by_time(connection, run, found, several)


def _by_time(
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    found: dict[str, _Points],
    several: dict[str, NDArray[np.int64]],
) -> dict[str, _Points]:
    """Points of metrics with those of some of their steps in the order of their times."""
    several = {metric: steps for metric, steps in several.items() if len(steps)}
    if not several:
        return found
    wanted = np.unique(np.concatenate([*several.values()])).tolist()
    chosen = _chosen(connection, run, [*several], bounds=(wanted[0], wanted[-1]))
    chosen = chosen.filter(Column("step").isin(*map(Constant, wanted)))
    rows = chosen.select("metric", "step", "time", "value").fetchnumpy()
    at = np.asarray(rows["step"], np.int64)
    of = numbers_of(rows["metric"], several)
    order = np.lexsort((np.asarray(rows["time"], "datetime64[us]"), at))
    of, at = of[order], at[order]
    ordered = np.asarray(rows["value"], np.float64)[order]
    found = dict(found)
    for number, (metric, which) in enumerate(several.items()):
        steps, values = found[metric]
        begins = np.searchsorted(steps, which)
        counts = np.searchsorted(steps, which, "right") - begins
        places = np.repeat(begins - (np.cumsum(counts) - counts), counts)
        values = values.copy()
        values[places + np.arange(len(places))] = ordered[
            (of == number) & np.isin(at, which)
        ]
        found[metric] = steps, values
    return found


def select_points(
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    counts: dict[str, int],
    bounds: tuple[int | None, int | None],
    last_points: int | None = None,
) -> Iterator[tuple[str, _Points]]:
    """Steps and values of metrics, by step, one after the other; absent ones are left out.

    Args:
        connection: The store.
        run: The run.
        counts: The metrics, and about how many points each has, which bounds the memory.
        bounds: First and last step, or None.
        last_points: Only the newest points of each metric, this many.
    """
    for group in _groups(counts):
        for metric, found in _fetch(connection, run, group, bounds):
            steps, values = found
            if (steps[1:] < steps[:-1]).any():
                by_step = np.argsort(steps, kind="stable")
                steps, values = steps[by_step], values[by_step]
            if last_points is not None and steps.size >= last_points:
                cut = steps[-last_points:][:1]
                if np.count_nonzero(steps == cut) > 1:
                    points = {metric: (steps, values)}
                    points = _by_time(connection, run, points, {metric: cut})
                    steps, values = points[metric]
                steps, values = steps[-last_points:], values[-last_points:]
            if steps.size:
                yield metric, (steps, values)


def _fetch(
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    metrics: list[str],
    bounds: tuple[int | None, int | None],
) -> Iterator[tuple[str, _Points]]:
    chosen = _chosen(connection, run, metrics, bounds=bounds)
    several = len(metrics) > 1
    code: list[duckdb.Expression] = []
    if several:
        number = FunctionExpression("list_position", Constant(metrics), Column("metric"))
        code = [number.cast(duckdb.sqltype("SMALLINT")).alias("code")]
    found = chosen.select(*code, "step", "value").fetchnumpy()
    steps = np.asarray(found["step"], np.int64)
    values = np.asarray(found["value"], np.float64)
    if not several:
        yield metrics[0], (steps, values)
        return
    codes = np.asarray(found["code"], np.int16)
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(1, len(metrics) + 2))
    for place, metric in enumerate(metrics):
        rows = order[edges[place] : edges[place + 1]]
        yield metric, (steps[rows], values[rows])


def _is_text(metric: str) -> bool:
    try:
        return bool(metric.encode())
    except UnicodeEncodeError:
        return False  # no metric can be called so


def _groups(counts: dict[str, int]) -> Iterator[list[str]]:
    group: list[str] = []
    points = 0
    for metric, count in counts.items():
        if group and (points + count > _POINTS_AT_A_TIME or len(group) >= 1000):  # noqa: PLR2004
            yield group
            group, points = [], 0
        group.append(metric)
        points += count
    if group:
        yield group


def _counts(
    connection: duckdb.DuckDBPyConnection, run: RunInfo, metrics: Sequence[str]
) -> dict[str, int]:
    query = (
        "select metric, sum(count)::bigint from totals_ where run_id = ?::uuid"
        " and metric in (select unnest(?::varchar[])) group by metric"
    )
    wanted = [metric for metric in metrics if _is_text(metric)]
    found = connection.execute(query, [run.run_id, wanted]).fetchall()
    known = {str(metric): int(count) for metric, count in found}
    return {metric: known[metric] for metric in dict.fromkeys(metrics) if metric in known}


def _extent(
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    metrics: Sequence[str],
    bounds: tuple[int | None, int | None],
) -> tuple[int, int]:
    query = (
        "select min(first_step), max(last_step) from totals_"
        " where run_id = ?::uuid and metric in (select unnest(?::varchar[]))"
    )
    # Not fetchone: DuckDB 2.0 refuses a relation until it is told that there is no more.
    ((first, last),) = connection.execute(query, [run.run_id, list(metrics)]).fetchall()
    return (
        first if bounds[0] is None else max(first, bounds[0]),
        last if bounds[1] is None else min(last, bounds[1]),
    )


def _chosen(
    connection: duckdb.DuckDBPyConnection,
    run: RunInfo,
    metrics: Sequence[str],
    *,
    bounds: tuple[int | None, int | None] = (None, None),
    all_attempts: bool = False,
) -> duckdb.DuckDBPyRelation:
    """The rows of metrics, as a relation.

    Such a result is made by all threads and copied once. That of a query with parameters is
    made as it is read, by one thread, into arrays that grow: half as fast.
    """
    step = Column("step")
    found = Column("run_id") == Constant(UUID(run.run_id))
    found &= Column("metric").isin(*map(Constant, metrics))
    first, last = bounds
    if first is not None:
        found &= step >= Constant(first)
    if last is not None:
        found &= step <= Constant(last)
    if all_attempts or run.attempt == 1:
        return connection.table("points").filter(found)
    redone = _superseded(connection, run, metrics)
    if len(redone) > _MOST_CONDITIONS:
        points = connection.table("points").filter(found).set_alias("p")
        superseded = connection.table("superseded_").set_alias("s")
        return points.join(superseded, _IS_SUPERSEDED, how="anti")
    for (rank, attempt, begin), named in redone.items():
        kept = (Column("attempt") != Constant(attempt)) | (step < Constant(begin))
        kept |= Column("rank") != Constant(rank)
        if len(named) < len(metrics):
            kept |= Column("metric").isnotin(*map(Constant, named))
        found &= kept
    return connection.table("points").filter(found)


def _superseded(
    connection: duckdb.DuckDBPyConnection, run: RunInfo, metrics: Sequence[str]
) -> dict[tuple[int, int, int], list[str]]:
    """Ranks and attempts, and from which step on later ones supersede which metrics."""
    query = (
        "select rank, attempt, from_step, list(metric) from superseded_"
        " where run_id = ?::uuid and metric in (select unnest(?::varchar[])) group by all"
    )
    found = connection.execute(query, [run.run_id, list(metrics)]).fetchall()
    return {(rank, attempt, begin): named for rank, attempt, begin, named in found}
