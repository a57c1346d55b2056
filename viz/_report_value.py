"""What the one-page report of a sweep shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._board import Board, prepare_leaderboard
from ._numbers import short_value
from ._parallel import Parallel, prepare_parallel_coordinate
from ._param_scale import scaled, short_keys
from ._sweep_groups import binned, grouped_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepwell.store import Importance, Runs, Store, SweepTable

    from ._sweep_groups import GroupLine

BEST_ROWS = 8
_MOST_SLICES = 3
_MOST_IN_TITLE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A metric against one parameter.

    Attributes:
        key: Short name of the parameter.
        ticks: Where labels stand, 0.0 to 1.0.
        labels: The labels.
        x: float64, n positions of the runs, the best first; NaN without the parameter.
        middle_x: float64, middles of the bins.
        middle: float64, median of the metric in each bin.
    """

    key: str
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    x: NDArray[np.float64]
    middle_x: NDArray[np.float64]
    middle: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The median of a metric by two parameters.

    Attributes:
        across: Short name of the parameter along x.
        up: That of the parameter along y.
        columns: Labels along x.
        rows: Labels along y, from below.
        medians: float64 of shape (rows, columns); NaN where no run is.
    """

    across: str
    up: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    medians: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One page about a sweep.

    Attributes:
        title: The project, and what was varied.
        facts: Counts of runs by status, metric, best and median.
        metric: The metric's name.
        goal: `min` or `max`.
        key: Short name of the parameter that the curves are grouped by; empty where
            there is none.
        groups: The groups' curves.
        values: float64, the runs' values, the best first.
        parallel: The parallel coordinates.
        slices: The metric against the most important parameters.
        cells: The two most important parameters together; None below two.
        importance: The importances.
        board: The best runs.
    """

    title: str
    facts: tuple[str, ...]
    metric: str
    goal: str
    key: str
    groups: tuple[GroupLine, ...]
    values: NDArray[np.float64]
    parallel: Parallel
    slices: tuple[Slice, ...]
    cells: Cells | None
    importance: Importance
    board: Board


def prepare_report(
    store: Store,
    metric: str,
    *,
    goal: str | None = None,
    at: str | int = "best",
    runs: Runs = None,
) -> Report:
    """See `report`."""
    ranked = store.leaderboard(metric, goal, at, runs=runs)
    side = ranked.goal
    # The same runs in every part of the page, though more may begin meanwhile.
    table = store.sweep_table(metric, runs=runs, at=at, goals={metric: side})
    importance = store.importance(metric, runs=runs, goal=side, at=at)
    rows = _ranked_rows(table, ranked.run_id.tolist())
    values = table.values[metric][rows]
    columns = {key: column[rows] for key, column in table.params.items()}
    names = short_keys(list(columns))
    keys = [str(key) for key in importance.key if key in columns]
    first = keys[0] if keys else ""
    return Report(
        title=_title(ranked.project.tolist(), [names[key] for key in keys]),
        facts=_facts(table, metric, side, at, ranked.run.tolist(), values),
        metric=metric,
        goal=side,
        key=names.get(first, ""),
        groups=grouped_lines(
            store.curves(metric, runs=runs, columns=400),
            table.run_id[rows].tolist(),
            columns.get(first),
        ),
        values=values,
        parallel=prepare_parallel_coordinate(store, metric, goal=side, at=at, runs=runs),
        slices=tuple(
            _slice(names[key], columns[key], values) for key in keys[:_MOST_SLICES]
        ),
        cells=_cells(keys, names, columns, values),
        importance=importance,
        board=prepare_leaderboard(
            store, metric, limit=BEST_ROWS, goal=side, at=at, runs=runs
        ),
    )


def _ranked_rows(table: SweepTable, ranked: list[str]) -> NDArray[np.int64]:
    row_of = {run_id: row for row, run_id in enumerate(table.run_id.tolist())}
    found = [row_of[run_id] for run_id in ranked if run_id in row_of]
    rows = np.array(found, dtype=np.int64)
    if not table.values or not len(rows):
        return rows
    return rows[np.isfinite(next(iter(table.values.values()))[rows])]


def _title(projects: list[Any], keys: list[str]) -> str:
    named = {project for project in projects if project}
    name = named.pop() if len(named) == 1 else "Runs"
    if not keys:
        return name
    more = f" + {len(keys) - _MOST_IN_TITLE} more" if len(keys) > _MOST_IN_TITLE else ""
    return f"{name} · sweep " + " × ".join(keys[:_MOST_IN_TITLE]) + more


def _facts(  # noqa: PLR0913, PLR0917 (all that the line says)
    table: SweepTable,
    metric: str,
    goal: str,
    at: str | int,
    runs: list[Any],
    values: NDArray[np.float64],
) -> tuple[str, ...]:
    count = len(table)
    states, counts = np.unique(table.status.astype(str), return_counts=True)
    order = sorted(zip(states.tolist(), counts.tolist(), strict=True), key=lambda s: -s[1])
    by_status = [f"{number:,} {state}" for state, number in order]
    better = "lower" if goal == "min" else "higher"
    where = f"{metric} at step {at:,}" if isinstance(at, int) else f"{at} {metric}"
    facts = [
        " · ".join([f"{count:,} run{'' if count == 1 else 's'}", *by_status]),
        f"metric: {where} ({better} is better)",
    ]
    if len(values):
        best, median = short_value(float(values[0])), short_value(float(np.median(values)))
        facts += [f"best {best}, {runs[0]}", f"median {median}"]
    return tuple(facts)


def _slice(key: str, column: NDArray[Any], values: NDArray[np.float64]) -> Slice:
    scale, x = scaled(column)
    codes, labels = binned(column, most=6)
    middle_x, middle = [], []
    for code in range(len(labels)):
        members = codes == code
        middle_x.append(float(np.median(x[members])))
        middle.append(float(np.median(values[members])))
    return Slice(key, scale.ticks, scale.labels, x, np.array(middle_x), np.array(middle))


def _cells(
    keys: list[str],
    names: dict[str, str],
    columns: dict[str, NDArray[Any]],
    values: NDArray[np.float64],
) -> Cells | None:
    if len(keys) < 2 or not len(values):  # noqa: PLR2004
        return None
    across, up = keys[:2]
    codes_x, labels_x = binned(columns[across], most=5)
    codes_y, labels_y = binned(columns[up], most=5)
    medians = np.full((len(labels_y), len(labels_x)), np.nan)
    for row, column in np.ndindex(medians.shape):
        members = (codes_y == row) & (codes_x == column)
        if members.any():
            medians[row, column] = np.median(values[members])
    return Cells(names[across], names[up], labels_x, labels_y, medians)
