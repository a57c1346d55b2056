"""Every plot shows 300 runs, and runs that crashed or go on, as SQL and numpy have them."""

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from stepwell.store import FigureSpec, Selection, Store
from stepwell.viz.figures.plot_kinds import draw_figure
from stepwell.viz.sweep_data.runs_as_points import run_values
from stepwell.viz.sweep_plots.contour import prepare_contour
from stepwell.viz.sweep_plots.curves_data import COLUMNS, PAGE_COLUMNS, prepare_curves
from stepwell.viz.sweep_plots.edf import prepare_edf
from stepwell.viz.sweep_plots.leaderboard_data import prepare_leaderboard
from stepwell.viz.sweep_plots.optimization_history import prepare_optimization_history
from stepwell.viz.sweep_plots.parallel_data import prepare_parallel_coordinate
from stepwell.viz.sweep_plots.slice import prepare_slice
from stepwell.viz.sweep_report.report_data import prepare_report

STEPS = 6
BEST = """
    select min(p.value) from points p join runs r using (run_id)
    where r.project = ? and p.metric = 'loss' and isfinite(p.value)
    group by r.run_id, r.created_at order by r.created_at, r.run_id
"""


@pytest.fixture
def store(sweep_store: Store) -> Store:
    return sweep_store


def best_values(store: Store, project: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The best value of each run, the oldest first, by plain SQL."""
    query = BEST.replace("?", f"'{project}'")
    return np.array([row[0] for row in store.sql(query).fetchall()])


def test_the_runs_are_of_every_status(store: Store) -> None:
    query = (
        "select project, status, count(*) from runs where project in ('few', 'many')"
        " group by all order by all"
    )
    assert store.sql(query).fetchall() == [
        ("few", "crashed", 1),
        ("few", "finished", 3),
        ("few", "running", 2),
        ("many", "crashed", 1),
        ("many", "finished", 297),
        ("many", "running", 2),
    ]


@pytest.mark.parametrize("project", ["few", "many"])
def test_points_are_the_best_values_of_all_runs(store: Store, project: str) -> None:
    points = run_values(store.sweep("loss", runs=Selection(project=project)))
    values = best_values(store, project)
    history = prepare_optimization_history(points)
    (edf,) = prepare_edf(points).groups

    assert len(values) == {"few": 6, "many": 300}[project]
    assert history.value.tolist() == values.tolist()
    assert history.best.tolist() == np.minimum.accumulate(values).tolist()
    assert edf.value.tolist() == np.sort(values).tolist()
    assert "2 still running" in history.note
    found = prepare_slice(points, "depth")
    depth = np.arange(len(values)) % 4
    medians = [np.median(values[depth == one]) for one in range(4)]
    assert found.middle == pytest.approx(medians)
    assert found.best == values.argmin()


def test_bins_of_300_rates_hold_their_medians(store: Store) -> None:
    points = run_values(store.sweep("loss", runs=Selection(project="many")))
    values = best_values(store, "many")
    rates = np.array([np.random.default_rng(n).uniform(-4, -1) for n in range(300)])
    edges = np.quantile(10**rates, np.linspace(0, 1, 9)[1:-1])
    bins = np.searchsorted(edges, 10**rates, side="right")
    expected = [np.median(values[bins == one]) for one in range(8)]

    assert prepare_slice(points, "lr").middle == pytest.approx(expected)
    cells = prepare_contour(points, "lr", "depth")
    inside = (bins == 2) & (np.arange(300) % 4 == 1)
    assert cells.count.sum() == 300
    assert cells.count[1, 2] == inside.sum()
    assert cells.middle[1, 2] == pytest.approx(np.median(values[inside]))


def test_ranks_and_lines_are_those_of_sql(store: Store) -> None:
    many = Selection(project="many")
    sweep = store.sweep("loss", runs=many, columns=[PAGE_COLUMNS])
    values = best_values(store, "many")
    order = np.argsort(values, kind="stable")
    board = prepare_leaderboard(sweep)
    lines = prepare_parallel_coordinate(sweep)

    assert [row.run for row in board.rows] == [f"many-{n}" for n in order[:10]]
    assert (board.total, board.going) == (300, 2)
    assert lines.values.tolist() == values[order].tolist()
    assert (lines.total, lines.going) == (300, 2)
    report = prepare_report(sweep)
    assert report.facts[0] == "300 runs · 297 finished · 2 running · 1 crashed"
    assert report.facts[2] == f"best {values.min():.4g}, many-{values.argmin()}"


def test_a_band_stands_for_300_runs(store: Store) -> None:
    (group,) = prepare_curves(
        store.sweep("loss", runs=Selection(project="many"), columns=[COLUMNS])
    ).groups
    rows = np.full((300, STEPS), np.nan)
    query = (
        "select run, step, value from metrics where project = 'many' and metric = 'loss'"
    )
    for name, step, value in store.sql(query).fetchall():
        rows[int(name.removeprefix("many-")), step] = value

    assert group.n == 300
    assert group.count.tolist() == np.isfinite(rows).sum(axis=0).tolist()
    low, middle, high = np.nanpercentile(rows, (25, 50, 75), axis=0)
    assert group.band.middle == pytest.approx(middle)
    assert group.band.low == pytest.approx(low)
    assert group.band.high == pytest.approx(high)


def test_a_run_that_goes_on_is_named_so_and_a_crashed_one_ends(store: Store) -> None:
    value = prepare_curves(
        store.sweep("loss", runs=Selection(project="few"), columns=[COLUMNS])
    )
    assert [line.is_running for line in value.runs] == [False] * 4 + [True] * 2
    assert [len(line.x) for line in value.runs] == [6, 6, 6, 3, 3, 3]

    spec = FigureSpec("curves", Selection(project="few"), {"metric": "loss"})
    axes = draw_figure(store, spec).axes[0]
    ends = [text.get_text().endswith(", running") for text in axes.texts]
    assert sum(ends) == 2


def test_of_300_lines_none_is_lost(store: Store) -> None:
    spec = FigureSpec("curves", Selection(project="many"), {"metric": "loss"})
    axes = draw_figure(store, spec).axes[0]
    faint = [one for one in axes.collections if isinstance(one, LineCollection)]

    assert sum(len(one.get_segments()) for one in faint) == 300
