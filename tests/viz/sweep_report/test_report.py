"""The one-page report of a sweep: its numbers, its files, and its commands."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import ConfigurationError, Runs, Selection, Store
from stepwell.viz import report, save_sweep
from stepwell.viz.base.theme import DARK
from stepwell.viz.sweep_plots.curves_data import PAGE_COLUMNS
from stepwell.viz.sweep_report.draw_report import draw_report
from stepwell.viz.sweep_report.report_data import Report, prepare_report

SIZES = (0, 1, 3, 30)


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, make_runs: Callable[..., Store]
) -> Store:
    random = np.random.default_rng(0)
    nan = {"config": {"lr": 1}, "points": [(1, {"loss": math.nan})], "status": "running"}
    runs: list[dict[str, Any]] = [{"name": "nan", "project": "nan", **nan}]
    for size in SIZES:
        for number in range(size):
            rate, kind = (0.001, 0.01, 0.1)[number % 3], ("wide", "deep")[number % 2]
            config = {"lr": rate, "kind": kind}
            points = [
                (step, {"loss": rate * 10 + 1 / step + random.random() / 100})
                for step in (1, 2, 3)
            ]
            goes_on = size == SIZES[-1] and number == size - 1
            runs.append(
                {
                    "name": f"r{number}",
                    "project": f"p{size}",
                    "config": config,
                    "points": points,
                    "status": "running" if goes_on else "finished",
                }
            )
    return make_runs(tmp_path_factory.mktemp("report") / "sweep.duckdb", runs)


def page_of(store: Store, runs: Runs = None) -> Report:
    return prepare_report(store.sweep("loss", runs=runs, columns=[PAGE_COLUMNS]))


@pytest.mark.parametrize("project", ["p0", "p1", "p3", "p30", "nan"])
def test_a_page_is_drawn_of_any_sweep(store: Store, project: str) -> None:
    value = page_of(store, runs=Selection(project=project))

    figure = draw_report(value, DARK)

    figure.draw_without_rendering()
    assert len(figure.axes) >= 5


def test_how_importances_were_computed_is_said_beside_a_short_name_too(
    tmp_path: Path, make_runs: Callable[..., Store]
) -> None:
    runs = [
        {"name": f"r{rate}", "config": {"lr": rate}, "points": [(1, {"loss": rate})]}
        for rate in (0.05, 0.2, 0.5)
    ]
    value = page_of(make_runs(tmp_path / "short.duckdb", runs))

    texts = {text for axes in draw_report(value, DARK).axes for text in axes.texts}

    words = {" ".join(text.get_text().split()) for text in texts}
    assert {value.importance.method, value.importance.warning} <= words


def test_curves_are_medians_and_quartiles_by_the_most_important_key(store: Store) -> None:
    selection = Selection(project="p30")
    value = page_of(store, runs=selection)

    assert value.key == "lr"
    groups = value.curves.groups
    assert [group.name for group in groups] == ["lr 0.001", "lr 0.01", "lr 0.1"]
    assert [group.n for group in groups] == [10, 10, 10]
    rows = store.sql(
        "select p.step, median(p.value), quantile_cont(p.value, 0.25),"
        " quantile_cont(p.value, 0.75) from points p"
        " join params c on c.run_id = p.run_id and c.key = 'lr' and c.number = 0.01"
        " join runs r on r.run_id = p.run_id and r.project = 'p30'"
        " where p.metric = 'loss' group by p.step order by p.step"
    ).fetchall()
    band = groups[1].band
    assert groups[1].x.tolist() == [row[0] for row in rows]
    for column, found in zip((1, 2, 3), (band.middle, band.low, band.high), strict=True):
        assert found == pytest.approx([row[column] for row in rows])


def test_cells_are_medians_of_the_runs_in_them(store: Store) -> None:
    selection = Selection(project="p30")
    cells = page_of(store, runs=selection).cells
    table = store.sweep_table("loss", runs=selection)

    assert cells is not None
    assert cells.keys == ("lr", "kind")
    assert (cells.columns, cells.rows) == (("0.001", "0.01", "0.1"), ("deep", "wide"))
    for row, kind in enumerate(cells.rows):
        for column, rate in enumerate((0.001, 0.01, 0.1)):
            members = (table.params["kind"] == kind) & (table.params["lr"] == rate)
            expected = np.median(table.values["loss"][members])
            assert cells.middle[row, column] == pytest.approx(expected)


def test_the_head_says_what_the_runs_are(store: Store) -> None:
    value = page_of(store, runs=Selection(project="p30"))

    assert value.title == "p30 · sweep lr × kind"
    assert value.facts[0] == "30 runs · 29 finished · 1 running"
    assert "lower is better" in value.facts[1]


@pytest.mark.parametrize(
    ("projects", "name"),
    [(("p3", "p30"), "p3, p30"), (("p1", "p3", "p30"), "3 projects")],
)
def test_runs_of_several_projects_are_told(
    store: Store, projects: tuple[str, ...], name: str
) -> None:
    chosen = [run.run_id for run in store.runs() if run.project in projects]
    value = page_of(store, runs=Selection(runs=chosen))

    assert value.title == f"{name} · sweep lr × kind"


def test_the_page_of_an_unchanged_store_is_the_same_file(
    store: Store, tmp_path: Path
) -> None:
    runs = Selection(project="p3", status=("finished",))
    one = report(store, "loss", tmp_path / "one.svg", runs=runs)
    other = report(store, "loss", tmp_path / "other.svg", runs=runs)

    assert one.read_bytes() == other.read_bytes()


def test_an_unknown_plot_is_refused_before_anything_is_drawn(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="no plot 'pie'"):
        save_sweep(store, "loss", tmp_path / "none", ["parallel", "pie"])

    assert not (tmp_path / "none").exists()


def test_commands_draw_and_print_paths(store: Store, tmp_path: Path) -> None:
    place = ["--store", str(store.location)]
    chosen = ["-m", "loss", "-p", "p3"]
    runner = CliRunner()

    page = runner.invoke(main, [*place, "report", *chosen, "-o", str(tmp_path / "r.png")])
    some = runner.invoke(
        main,
        [*place, "sweep", "leaderboard", *chosen, "-o", str(tmp_path / "d"), "--json"],
    )

    assert page.exit_code == some.exit_code == 0, page.output + some.output
    assert Path(page.output.strip()).read_bytes().startswith(b"\x89PNG")
    assert json.loads(some.output) == {
        "leaderboard": str((tmp_path / "d" / "leaderboard.png").resolve())
    }


@pytest.mark.parametrize("command", ["report", "sweep"])
@pytest.mark.parametrize(
    ("chosen", "said"),
    [(["-m", "lost"], "'lost'"), (["-m", "loss", "-p", "nobody"], "no run fits")],
)
def test_a_metric_or_project_of_no_run_is_one_line(
    store: Store, tmp_path: Path, command: str, chosen: list[str], said: str
) -> None:
    arguments = ["--store", str(store.location), command, *chosen]

    result = CliRunner().invoke(main, [*arguments, "-o", str(tmp_path / "x.png")])

    assert result.exit_code == 2
    assert said in result.output
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "x.png").exists()
