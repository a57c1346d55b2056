"""What the one-page report of a sweep shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.viz.base.numbers import short_value
from stepwell.viz.sweep_data.notes import counted
from stepwell.viz.sweep_data.runs_as_points import (
    RunValues,
    keys_by_importance,
    name_of_key,
    run_values,
)
from stepwell.viz.sweep_plots.contour import Contour, prepare_contour
from stepwell.viz.sweep_plots.curves_data import PAGE_COLUMNS, CurvesPlot, prepare_curves
from stepwell.viz.sweep_plots.default_options import group_key
from stepwell.viz.sweep_plots.leaderboard_data import Board, prepare_leaderboard
from stepwell.viz.sweep_plots.parallel_data import Parallel, prepare_parallel_coordinate
from stepwell.viz.sweep_plots.slice import Slice, prepare_slice

if TYPE_CHECKING:
    from stepwell.store import Importance, SweepData

BEST_ROWS = 8
_MOST_SLICES = 3
_MOST_IN_TITLE = 3
_MOST_PROJECTS = 2
_BINS = 5


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
        curves: The curves, by that parameter.
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
    curves: CurvesPlot
    parallel: Parallel
    slices: tuple[Slice, ...]
    cells: Contour | None
    importance: Importance
    board: Board


def prepare_report(sweep: SweepData) -> Report:
    """See `report`; the sweep has the curves in as many columns as the page shows."""
    found = run_values(sweep)
    side, table, importance = found.goal, found.table, sweep.importance
    keys = [key for key in keys_by_importance(importance) if key in table.params]
    names = [name_of_key(table, key) for key in keys]
    group = [key for key in group_key(importance, table) if key in keys]
    return Report(
        title=_title(found.board.project.tolist(), names),
        facts=_facts(found, found.board.at),
        metric=found.metric,
        goal=side,
        key=names[0] if group else "",
        curves=prepare_curves(
            sweep, group_by=group, goal=side, logy=None, columns=PAGE_COLUMNS
        ),
        parallel=prepare_parallel_coordinate(sweep),
        slices=tuple(prepare_slice(found, key) for key in keys[:_MOST_SLICES]),
        cells=prepare_contour(found, keys[0], keys[1], _BINS) if len(keys) > 1 else None,
        importance=importance,
        board=prepare_leaderboard(sweep, limit=BEST_ROWS),
    )


def _title(projects: list[Any], keys: list[str]) -> str:
    named = {project for project in projects if project}
    name = "Runs"
    if named:
        listed = ", ".join(sorted(named))
        name = listed if len(named) <= _MOST_PROJECTS else f"{len(named)} projects"
    if not keys:
        return name
    more = f" + {len(keys) - _MOST_IN_TITLE} more" if len(keys) > _MOST_IN_TITLE else ""
    return f"{name} · sweep " + " × ".join(keys[:_MOST_IN_TITLE]) + more


def _facts(found: RunValues, at: str | int) -> tuple[str, ...]:
    count = len(found.table)
    states, counts = np.unique(found.table.status.astype(str), return_counts=True)
    order = sorted(zip(states.tolist(), counts.tolist(), strict=True), key=lambda s: -s[1])
    by_status = [f"{number:,} {state}" for state, number in order]
    metric = found.metric
    where = f"{metric} at step {at:,}" if isinstance(at, int) else f"{at} {metric}"
    facts = [
        " · ".join([counted(count, "run"), *by_status]),
        f"metric: {where} ({found.direction})",
    ]
    if found.best is not None:
        best = short_value(float(found.board.value[0]))
        facts += [f"best {best}, {found.table.run[found.rows[found.best]]}"]
        facts += [f"median {short_value(float(np.median(found.value)))}"]
    return tuple(facts)
