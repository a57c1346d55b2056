"""A page about a sweep asks the store once: its parts show one moment, whoever records."""

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from stepwell import viz
from stepwell.cli import main
from stepwell.store import (
    ConfigurationError,
    MetricNotFoundError,
    Selection,
    Store,
    start_run,
)
from stepwell.viz.figures.plot_kinds import PLOTS, draw_figure, spec_of_plot
from stepwell.viz.sweep_plots.curves_data import COLUMNS, PAGE_COLUMNS
from stepwell.viz.sweep_report import draw_report as report_module
from stepwell.viz.sweep_report.report_data import Report

CHANGES = {
    "adds": """
with stepwell.init(store=path, name="late", config={"lr": 0.5, "seed": 0}) as run:
    run.update_metrics({"loss": 0.001}, 1)
""",
    "adds what varies": """
with stepwell.init(store=path, name="late", config={"lr": 0.5, "width": 7}) as run:
    run.update_metrics({"loss": 0.001}, 1)
""",
    "removes": """
store = stepwell.open_store(path)
store.remove_runs([store.leaderboard("loss", limit=1).run_id[0]])
""",
}
# What a page shows that was begun before the second change: its runs, of which one has no
# value; those that have both keys of its map; and the best of them.
SHOWN = {
    "adds": (13, 12, "late"),
    "adds what varies": (13, 1, "late"),
    "removes": (11, 10, "r1"),
}
NEEDED = {"slice": {"param": "lr"}, "contour": {"x": "lr", "y": "seed"}}


class Questions:
    """How often a store was asked; after each answer another process changes the store."""

    def __init__(self, change: str) -> None:
        self.count = 0
        self.change = f"import stepwell, sys\npath = sys.argv[1]\n{change}" * bool(change)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ask = Store._reading  # each question goes through it

        @contextmanager
        def watched(
            store: Store, *, bare: bool = False
        ) -> Iterator[duckdb.DuckDBPyConnection]:
            with ask(store, bare=bare) as connection:
                yield connection
            self.count += 1
            if self.change:
                command = [sys.executable, "-c", self.change, str(store.location)]
                subprocess.run(command, check=True)

        monkeypatch.setattr(Store, "_reading", watched)


@pytest.fixture
def path(tmp_path: Path, make_runs: Callable[..., Store]) -> Path:
    """A sweep of twelve runs, one without a finite value."""
    runs = [
        {
            "name": f"r{number}",
            "project": "p",
            "config": {"lr": (0.001, 0.01, 0.1)[number % 3], "seed": number // 3},
            "points": [
                (step, {"loss": math.nan if number == 5 else number + 1 / (1 + step)})
                for step in range(4)
            ],
        }
        for number in range(12)
    ]
    return make_runs(tmp_path / "runs.duckdb", runs).location


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """What is drawn on pages."""
    drawn: list[Report] = []
    draw = report_module.draw_report

    def watched(value: Report, *rest: Any) -> Any:
        drawn.append(value)
        return draw(value, *rest)

    monkeypatch.setattr(report_module, "draw_report", watched)
    return drawn


@pytest.mark.parametrize("change", CHANGES)
def test_a_page_shows_one_moment_while_another_process_changes_the_store(
    path: Path,
    tmp_path: Path,
    change: str,
    pages: list[Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    questions = Questions(CHANGES[change])
    questions.watch(monkeypatch)
    arguments = [
        "--store",
        str(path),
        "report",
        "-m",
        "loss",
        "-o",
        str(tmp_path / "a.png"),
    ]
    done = CliRunner().invoke(main, arguments)

    # The command asks first whether there are runs at all.
    assert (done.exit_code, questions.count) == (0, 2), done.output
    (page,) = pages
    runs, in_cells, best = SHOWN[change]
    assert page.facts[0].startswith(f"{runs} runs · ")
    assert f", {best}" in page.facts[2]
    counts = (
        page.parallel.total,
        page.board.total,
        int(page.importance.n.max()),
        len(page.slices[0].value),
        len(page.curves.runs),
    )
    assert counts == (runs - 1,) * 5
    assert (page.parallel.without, page.board.without) == (1, 1)
    assert page.cells is not None
    assert page.cells.count.sum() == in_cells
    assert page.board.rows[0].run == page.parallel.runs[0] == best
    assert {line.name for line in page.curves.runs} == set(page.parallel.runs)
    names = {axis.name for axis in page.parallel.axes[:-1]}
    assert set(page.board.keys) == set(page.importance.key) == names
    assert {part.parameter.name for part in page.slices} == names


def test_all_plots_of_a_sweep_show_one_moment(
    path: Path, tmp_path: Path, pages: list[Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = Questions(CHANGES["removes"])
    questions.watch(monkeypatch)
    drawn = viz.save_sweep(Store(path), "loss", tmp_path / "drawn")

    assert questions.count == 1
    assert set(drawn.files) == set(PLOTS)
    assert pages[0].facts[0].startswith("12 runs · ")
    assert len(pages[0].curves.runs) == pages[0].board.total == 11


@pytest.mark.parametrize("at", ["best", 2])
def test_each_plot_alone_asks_once_and_is_the_one_of_the_sweep(
    path: Path, at: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(path)
    sweep = store.sweep("loss", at=at, columns=[COLUMNS, PAGE_COLUMNS])
    questions = Questions("")
    questions.watch(monkeypatch)
    for number, kind in enumerate(PLOTS, start=1):
        options: dict[str, Any] = NEEDED.get(kind, {})
        if "at" in PLOTS[kind].options:
            options = options | {"at": at}
        spec = spec_of_plot(kind, "loss", **options)
        alone, one_of_all = draw_figure(store, spec), draw_figure(store, spec, sweep)

        assert questions.count == number, kind
        assert pixels(alone) == pixels(one_of_all), kind


@pytest.mark.parametrize(
    ("metric", "options", "x"),
    [
        ("loss", {}, "step"),
        ("loss", {"at": "last", "runs": Selection(where=["lr < 0.1"])}, "elapsed"),
        ("score", {"at": 1, "goal": "max"}, "loss"),
        ("loss", {"runs": Selection(project="none")}, "step"),
    ],
)
def test_a_sweep_is_what_the_single_questions_say(
    path: Path, metric: str, options: dict[str, Any], x: str
) -> None:
    with start_run(store=path, name="again", id="again", config={"lr": 0.2}) as run:
        for step in range(3):
            run.update_metrics({"loss": 1.0 + step, "score": step}, step)
    with start_run(store=path, id="again", resume="allow") as run:
        run.update_metrics({"loss": 0.5, "score": 9.0}, 1)
    store, runs = Store(path), options.get("runs")
    sweep = store.sweep(metric, x=x, columns=[7, 3], **options)
    told = {name: value for name, value in options.items() if name != "runs"}
    goals = {metric: options.get("goal")}
    at = options.get("at", "best")

    assert_same(sweep.leaderboard, store.leaderboard(metric, runs=runs, **told))
    assert_same(sweep.table, store.sweep_table(metric, runs=runs, at=at, goals=goals))
    assert_same(sweep.importance, store.importance(metric, runs=runs, **told))
    assert (list(sweep.curves), sweep.x) == ([7, 3], x)
    for columns, curves in sweep.curves.items():
        single = store.curves(metric, runs=runs, x=x, columns=columns)
        assert list(curves) == list(single)
        for run_id, curve in curves.items():
            assert_same(curve, single[run_id])


def test_a_sweep_is_refused_as_the_single_questions_are(path: Path) -> None:
    store = Store(path)
    with pytest.raises(MetricNotFoundError, match="'score'; they have loss"):
        store.sweep("score")
    with pytest.raises(ConfigurationError, match="goal must be"):
        store.sweep("loss", "up")
    for columns in ([0], [7, 1.5]):
        with pytest.raises(ConfigurationError, match="columns must be 1 or more"):
            store.sweep("loss", columns=columns)  # type: ignore[arg-type]


def test_curves_need_no_side_that_is_better(path: Path) -> None:
    with start_run(store=path, name="other") as run:
        run.update_metrics({"tokens": 1.0}, 1)
    axes = viz.plot_curves(Store(path), "tokens")

    assert [text.get_text() for text in axes.texts] == ["other: 1"]


def pixels(figure: Any) -> bytes:
    figure.set_dpi(50)
    figure.canvas.draw()
    return bytes(figure.canvas.buffer_rgba())


def assert_same(one: Any, other: Any) -> None:
    for field in fields(one):
        found, expected = getattr(one, field.name), getattr(other, field.name)
        if isinstance(expected, dict):
            assert list(found) == list(expected)
            found, expected = list(found.values()), list(expected.values())
        np.testing.assert_equal(found, expected, err_msg=field.name)
