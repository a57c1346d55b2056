"""The plots of many runs show what numpy makes of the same numbers, however many runs."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from stepwell import viz
from stepwell.store import ConfigurationError, Selection, Store
from stepwell.viz.sweep_data.runs_as_points import run_values
from stepwell.viz.sweep_plots.contour import prepare_contour
from stepwell.viz.sweep_plots.curves_data import COLUMNS, prepare_curves
from stepwell.viz.sweep_plots.edf import prepare_edf
from stepwell.viz.sweep_plots.optimization_history import prepare_optimization_history
from stepwell.viz.sweep_plots.slice import prepare_slice

STEPS = 20
RATES = (0.0001, 0.001, 0.01, 0.1)


def losses(number: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What run *number* records."""
    noise = np.random.default_rng(number)
    return np.exp(-np.arange(STEPS) / 8) + 0.1 * (number % 4) + 0.05 * noise.random(STEPS)


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, make_runs: Callable[..., Store]
) -> Store:
    nan = [(step, {"loss": float("nan")}) for step in range(3)]
    runs = [
        {
            "name": f"{project}-{number}",
            "project": project,
            "config": {"lr": RATES[number % 4], "depth": number % 3, "seed": number // 12},
            "points": [(n, {"loss": loss}) for n, loss in enumerate(losses(number))],
        }
        for project, count in (("one", 1), ("three", 3), ("many", 24))
        for number in range(count)
    ]
    alone = {"name": "nan", "project": "nan", "config": {"lr": 0.1, "depth": 1}}
    path = tmp_path_factory.mktemp("sweep") / "runs.duckdb"
    return make_runs(path, [*runs, alone | {"points": nan}])


def draw_all(store: Store, runs: Selection) -> list[Axes]:
    """Every plot of this file, each rendered."""
    plots = [
        viz.plot_curves(store, "loss", runs=runs, smooth="ema:0.6"),
        viz.plot_curves(store, "loss", runs=runs, x="elapsed", logy=True, logx=True),
        viz.plot_curves(store, "loss", runs=runs, group_by="lr", x="time"),
        viz.plot_optimization_history(store, "loss", runs=runs),
        viz.plot_edf(store, "loss", runs=runs, group_by=["lr"], theme="dark"),
        viz.plot_slice(store, "loss", "lr", runs=runs),
        viz.plot_contour(store, "loss", "lr", "depth", runs=runs),
    ]
    for axes in plots:
        figure = axes.get_figure()
        assert isinstance(figure, Figure)
        figure.draw_without_rendering()
        texts = [one for one in axes.get_children() if isinstance(one, Text)]
        boxes = [one.get_window_extent() for one in texts if one.get_text()]
        inside = figure.bbox.padded(1)
        assert all(inside.contains(box.x0, box.y0) for box in boxes)
        assert all(inside.contains(box.x1, box.y1) for box in boxes)
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    return plots


@pytest.mark.parametrize("project", ["none", "one", "three", "many", "nan"])
def test_every_plot_is_drawn_and_none_of_its_texts_is_cut_or_covered(
    store: Store, project: str
) -> None:
    plots = draw_all(store, Selection(project=project))
    said = [text.get_text() for axes in plots for text in axes.texts]
    is_empty = project in {"none", "nan"}
    assert any(text.startswith("no run with loss") for text in said) == is_empty


def test_a_group_is_the_median_of_its_runs_and_their_quartiles(store: Store) -> None:
    many = store.sweep("loss", runs=Selection(project="many"), columns=[COLUMNS])
    value = prepare_curves(many, group_by="lr", band="auto")
    assert [group.name for group in value.groups] == [
        "lr 1e-4",
        "lr 0.001",
        "lr 0.01",
        "lr 0.1",
    ]
    rows = np.array([losses(number) for number in range(24) if number % 4 == 1])
    band = value.groups[1].band
    assert value.groups[1].n == len(rows)
    assert band.middle == pytest.approx(np.median(rows, axis=0))
    assert band.low == pytest.approx(np.quantile(rows, 0.25, axis=0))
    assert band.high == pytest.approx(np.quantile(rows, 0.75, axis=0))
    assert "quartiles" in value.note


def test_other_bands_say_what_they_are(store: Store) -> None:
    rows = np.array([losses(number) for number in range(3)])
    runs = Selection(project="three")
    three = store.sweep("loss", runs=runs, columns=[COLUMNS])
    found = {
        band: prepare_curves(three, group_by="seed", band=band)
        for band in ("minmax", "std", "ci")
    }
    assert found["minmax"].groups[0].band.high == pytest.approx(rows.max(axis=0))
    std, mean = rows.std(axis=0, ddof=1), rows.mean(axis=0)
    assert found["std"].groups[0].band.low == pytest.approx(mean - std)
    half = 4.303 * std / np.sqrt(3)
    assert found["ci"].groups[0].band.high == pytest.approx(mean + half)
    assert "95 % interval" in found["ci"].note
    with pytest.raises(ConfigurationError, match="band must be one of"):
        prepare_curves(three, band="wide")


def test_of_many_runs_the_best_are_named_and_the_others_grey(store: Store) -> None:
    axes = viz.plot_curves(store, "loss", runs=Selection(project="many"))
    grey = [part for part in axes.collections if isinstance(part, LineCollection)]
    assert sum(len(part.get_segments()) for part in grey) == 24 - len(axes.lines)
    least = [float(losses(number).min()) for number in range(24)]
    named = {text.get_text().partition(":")[0] for text in axes.texts}
    assert named == {f"many-{number}" for number in np.argsort(least)[:5]}


def test_history_and_distribution_are_those_of_the_best_values(store: Store) -> None:
    points = run_values(store.sweep("loss", runs=Selection(project="many")))
    least = np.array([losses(number).min() for number in range(24)])
    history = prepare_optimization_history(points)
    assert history.value == pytest.approx(least)
    assert history.best == pytest.approx(np.minimum.accumulate(least))
    assert history.best_name == f"many-{least.argmin()}"
    groups = prepare_edf(points, group_by="lr").groups
    assert groups[0].value == pytest.approx(np.sort(least[::4]))
    assert groups[0].share == pytest.approx(np.arange(1, 7) / 6)


def test_a_slice_and_a_map_hold_medians_and_ring_the_best(store: Store) -> None:
    runs = Selection(project="many")
    points = run_values(store.sweep("loss", runs=runs))
    least = np.array([losses(number).min() for number in range(24)])
    value = prepare_slice(points, "lr")
    assert value.parameter.is_log
    assert value.middle == pytest.approx([np.median(least[at::4]) for at in range(4)])
    assert value.best == least.argmin()
    axes = viz.plot_slice(store, "loss", "lr", runs=runs)
    assert axes.get_xscale() == "log"
    ring = [p for p in axes.collections if p.get_label() == "best"]
    assert isinstance(ring[0], PathCollection)
    assert np.asarray(ring[0].get_offsets())[0, 1] == pytest.approx(least.min())
    found = prepare_contour(points, "lr", "depth")
    number = np.arange(24)
    cell = least[(number % 4 == 2) & (number % 3 == 1)]
    assert found.middle[1, 2] == pytest.approx(np.median(cell))
    assert found.count.sum() == 24


def test_cells_without_a_run_are_marked(store: Store) -> None:
    runs = Selection(project="three")
    axes = viz.plot_contour(store, "loss", "lr", "depth", runs=runs)
    texts = [text.get_text() for text in axes.texts]
    assert texts.count("–") == 6
    assert len(texts) == 9


def test_an_unknown_key_is_refused_with_those_there_are(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="no run has the configuration key 'x'"):
        viz.plot_slice(store, "loss", "x", runs=Selection(project="many"))


def test_the_callers_axes_stay_where_they_are(store: Store) -> None:
    axes = Figure().add_subplot()
    before = axes.get_position().bounds
    assert viz.plot_curves(store, "loss", ax=axes) is axes
    assert axes.get_position().bounds == before
