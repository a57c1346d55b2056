"""The plots of all parameters of a sweep: their numbers, and that any can be drawn."""

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from stepwell.store import ConfigurationError, Selection, Store
from stepwell.viz import (
    plot_leaderboard,
    plot_parallel_coordinate,
    plot_param_importances,
)
from stepwell.viz.sweep_data.param_axis import is_logarithmic, scaled, short_keys
from stepwell.viz.sweep_plots.leaderboard_data import prepare_leaderboard
from stepwell.viz.sweep_plots.parallel_data import MOST_LINES, prepare_parallel_coordinate

SIZES = (0, 1, 3, 40)
PLOTS = (plot_parallel_coordinate, plot_param_importances, plot_leaderboard)


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, make_runs: Callable[..., Store]
) -> Store:
    runs: list[dict[str, Any]] = []
    random = np.random.default_rng(0)
    for size in SIZES:
        for number in range(size):
            config: dict[str, Any] = {
                "lr": float(10 ** random.uniform(-4, -2)),
                "batch": int(random.choice([16, 32, 64])),
                "model.kind": str(random.choice(["wide", "deep"])),
                "fixed": 3,
            }
            if number % 7 == 5:
                del config["batch"]
            loss = math.nan if number == 4 else abs(math.log10(config["lr"]) + 3) + 0.1
            runs.append(
                {
                    "name": f"r{number}",
                    "project": f"p{size}",
                    "config": config,
                    "points": [(1, {"loss": loss})],
                    "status": "failed" if number == 6 else "finished",
                }
            )
    return make_runs(tmp_path_factory.mktemp("sweep") / "sweep.duckdb", runs)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("plot", PLOTS)
def test_a_sweep_of_any_size_is_drawn(store: Store, plot: Any, size: int) -> None:
    theme = "dark" if size % 2 else "light"
    axes = plot(store, "loss", runs=Selection(project=f"p{size}"), theme=theme)

    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("plot", PLOTS)
def test_the_callers_axes_are_drawn_into(store: Store, plot: Any) -> None:
    given = Figure().add_subplot()

    assert plot(store, "loss", ax=given, runs=Selection(project="p3")) is given


def test_a_theme_that_is_none_is_refused(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="'pink'"):
        plot_leaderboard(store, "loss", theme="pink")


def test_runs_stand_on_axes_by_their_values(store: Store) -> None:
    selection = Selection(project="p40")
    found = prepare_parallel_coordinate(store.sweep("loss", runs=selection))
    table = store.sweep_table("loss", runs=selection)
    order = np.argsort(table.values["loss"])[: len(found.values)]

    assert [axis.name for axis in found.axes] == ["lr", "batch", "kind", "loss"]
    assert [axis.scale.kind for axis in found.axes[:3]] == ["log", "log", "words"]
    assert found.values.tolist() == table.values["loss"][order].tolist()
    assert (found.total, found.without) == (39, 1)
    rates = np.log10(table.params["lr"][order].astype(float))
    expected = (rates - rates.min()) / (rates.max() - rates.min())
    assert found.places[:, 0] == pytest.approx(expected)
    batches = table.params["batch"][order].astype(float)
    assert found.places[:, 1] == pytest.approx(np.log2(batches / 16) / 2, nan_ok=True)
    assert np.isnan(found.places[:, 1]).any()
    assert found.places[0, 3] == found.shades[0] == 1.0
    assert np.all(np.diff(found.places[:, 3]) <= 0)  # better is up


def test_the_best_runs_line_is_on_top_in_its_own_colour(store: Store) -> None:
    axes = plot_parallel_coordinate(store, "loss", runs=Selection(project="p40"))

    best = next(line for line in axes.lines if line.get_gid() == "best")
    others = [c for c in axes.collections if "runs" in str(c.get_gid())]
    assert best.get_color() == "#d55e00"
    assert sum(len(c.get_paths()) for c in others) == 38
    assert all(best.get_zorder() > c.get_zorder() for c in others)


def test_a_board_ranks_as_the_store_does(store: Store) -> None:
    selection = Selection(project="p40")
    board = prepare_leaderboard(store.sweep("loss", runs=selection), limit=5)
    ranked = store.leaderboard("loss", runs=selection)

    assert [row.run for row in board.rows] == ranked.run[:5].tolist()
    assert [row.rank for row in board.rows] == [1, 2, 3, 4, 5]
    assert [float(row.value) for row in board.rows] == pytest.approx(
        ranked.value[:5], rel=1e-3
    )
    deltas = [float(row.delta) for row in board.rows[1:]]
    assert deltas == pytest.approx(ranked.value[1:5] - ranked.value[0], rel=0.01)
    assert board.rows[0].bar == 1.0
    assert board.keys == ("lr", "batch", "kind")
    assert (board.total, board.without) == (39, 1)


def test_bars_are_as_long_as_the_importances(store: Store) -> None:
    selection = Selection(project="p40")
    axes = plot_param_importances(store, "loss", runs=selection)
    found = store.importance("loss", runs=selection)

    widths = [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx(found.eta2.tolist())
    assert found.key[0] == "lr"
    texts = " ".join(text.get_text() for text in axes.texts)
    assert " ".join(found.method.split())[:20] in " ".join(texts.split())


def test_few_runs_are_warned_of(store: Store) -> None:
    axes = plot_param_importances(store, "loss", runs=Selection(project="p3"))

    warning = store.importance("loss", runs=Selection(project="p3")).warning
    assert warning
    assert any(warning[:12] in text.get_text() for text in axes.texts)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([16, 32, 64], True),
        ([0.001, 0.01, 0.1], True),
        ([1, 2, 3], False),
        ([0, 1, 100], False),
        ([0.1, 0.2], False),
        ([1e-3, 1.0], True),
        (list(np.geomspace(1e-5, 1.0, 50)), True),
        (list(np.random.default_rng(0).uniform(0.0, 0.5, 300)), False),
        (list(10 ** np.random.default_rng(0).uniform(-6.0, -2.0, 300)), True),
        (list(range(1, 65)), False),
        ([5], False),
        ([], False),
    ],
)
def test_ratios_make_an_axis_logarithmic(values: list[float], expected: bool) -> None:
    assert is_logarithmic(np.array(values, float)) is expected


def test_many_runs_are_thinned_out_but_not_the_best(store: Store) -> None:
    from stepwell.viz.sweep_plots.parallel_data import _drawn  # noqa: PLC0415

    ranks = _drawn(10_000)

    assert len(ranks) == MOST_LINES
    assert ranks[:100].tolist() == list(range(100))
    assert ranks[-1] == 9_999


def test_a_column_without_numbers_has_no_ticks() -> None:
    scale, places = scaled(np.array([np.nan, np.nan]))

    assert scale.ticks == ()
    assert np.isnan(places).all()


def test_keys_lose_the_sections_they_do_not_need() -> None:
    keys = ["model.depth", "head.depth", "optimizer.lr"]

    assert list(short_keys(keys).values()) == ["model.depth", "head.depth", "lr"]
