"""The plots of many runs are kept, drawn and drawn again by their short names."""

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from stepwell.store import (
    ConfigurationError,
    FigureSpec,
    MetricNotFoundError,
    Selection,
    Store,
    start_run,
)
from stepwell.viz import check_figure, read_spec, redraw, report, save_sweep
from stepwell.viz.figures.plot_kinds import PLOTS, draw_figure, save_figure_file

METRIC = {"metric": "val_loss"}
NEEDED = {"slice": {"param": "lr"}, "contour": {"x": "lr", "y": "seed"}}


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, make_runs: Callable[..., Store]
) -> Store:
    """A sweep of two parameters, and a run that has nothing to do with it."""
    runs = [
        {
            "name": f"{rate}-{seed}",
            "project": "p",
            "config": {"lr": rate, "seed": seed},
            "points": [
                (step, {"val_loss": 1 / (step + 1) + rate + seed / 100})
                for step in range(10)
            ],
        }
        for rate in (0.001, 0.01, 0.1)
        for seed in range(2)
    ]
    other = {"name": "other", "project": "other", "points": [(0, {"val_loss": 0.0})]}
    return make_runs(tmp_path_factory.mktemp("kinds") / "runs.duckdb", [*runs, other])


@pytest.mark.parametrize("kind", PLOTS)
def test_each_kind_is_redrawn_byte_by_byte(store: Store, tmp_path: Path, kind: str) -> None:
    options = METRIC | NEEDED.get(kind, {})
    spec = FigureSpec(kind, Selection(project="p"), options, {"theme": "dark"})
    first = save_figure_file(store, spec, tmp_path / "a.svg")
    second = redraw(store, first, tmp_path / "b.svg")

    assert read_spec(first) == spec
    assert first.read_bytes() == second.read_bytes()


def test_the_pictures_of_a_sweep_say_how_they_were_made(
    store: Store, tmp_path: Path
) -> None:
    runs = Selection(project="p")
    paths = save_sweep(store, "val_loss", tmp_path, ["leaderboard"], runs=runs, at="last")
    page = report(store, "val_loss", tmp_path / "page.svg", runs=runs, goal="min")

    assert read_spec(paths.files["leaderboard"]) == FigureSpec(
        "leaderboard", runs, METRIC | {"at": "last"}, {"theme": "light"}
    )
    again = redraw(store, page, tmp_path / "again.svg")
    assert again.read_bytes() == page.read_bytes()


def test_a_kept_plot_follows_or_is_pinned(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(store.location.read_bytes())
    grown = Store(copy)
    spec = FigureSpec("leaderboard", Selection(project="p"), METRIC)
    grown.save_figure("following", spec)
    grown.save_figure("pinned", spec, pin=True)
    with start_run("p", "latest", {"lr": 1.0, "seed": 0}, store=copy) as run:
        run.log({"val_loss": 0.001})

    following = redraw(grown, "following", tmp_path / "a.svg").read_text(encoding="utf-8")
    pinned = redraw(grown, "pinned", tmp_path / "b.svg").read_text(encoding="utf-8")
    assert "<!-- latest -->" in following
    assert "<!-- latest -->" not in pinned
    assert "<!-- 0.001-0 -->" in pinned


def test_a_figure_that_is_drawn_can_be_changed(store: Store) -> None:
    figure = draw_figure(store, FigureSpec("importances", options=METRIC))

    assert isinstance(figure, Figure)
    assert figure.axes


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (FigureSpec("pie"), "'pie' are unknown; use run, "),
        (FigureSpec("leaderboard"), "needs metric, each a name"),
        (FigureSpec("leaderboard", options={"metric": 3}), "needs metric"),
        (FigureSpec("contour", options=METRIC | {"x": "lr"}), "needs metric, x, y"),
        (
            FigureSpec("leaderboard", options={"runs": "x"}),
            "no option 'runs'; it has",
        ),
        (FigureSpec("parallel", options=METRIC | {"ax": 1}), "no option 'ax'"),
        (FigureSpec("parallel", options=METRIC, style={"grid": 1}), "no style 'grid'"),
        (FigureSpec("edf", options=METRIC | {"goal": "up"}), "'min' or 'max', not 'up'"),
        (FigureSpec("edf", options=METRIC | {"at": "first"}), "or a step, not 'first'"),
        (FigureSpec("curves", options=METRIC | {"band": "wide"}), "not 'wide'"),
        (FigureSpec("curves", options=METRIC | {"smooth": "ema"}), "not 'ema'"),
        (FigureSpec("parallel", options=METRIC, style={"theme": "sepia"}), "sepia"),
    ],
)
def test_a_figure_that_no_store_can_draw_is_refused(spec: FigureSpec, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        check_figure(spec)


def test_what_this_store_cannot_draw_is_an_error(store: Store, tmp_path: Path) -> None:
    for options, kind in (
        (METRIC | {"params": ["lrr"]}, ConfigurationError),
        (METRIC | {"limit": "many"}, ConfigurationError),
        (METRIC | {"limit": -1}, ConfigurationError),
        ({"metric": "val_los"}, MetricNotFoundError),
    ):
        with pytest.raises(kind):
            redraw(store, FigureSpec("leaderboard", options=options), tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
