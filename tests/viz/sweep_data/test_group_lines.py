"""The line of a group goes on while half of its runs do, and says how many these are."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from stepwell import viz
from stepwell.store import Selection, Store
from stepwell.viz.sweep_data.bands import Floats
from stepwell.viz.sweep_data.group_lines import group_line
from stepwell.viz.sweep_plots.curves_data import COLUMNS, prepare_curves

ENDS = (10, 12, 16, 20, 20)


def curve(number: int) -> Floats:
    noise = np.random.default_rng(number)
    return np.exp(-np.arange(ENDS[number]) / 5) + number / 10 + 0.01 * noise.random()


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, make_runs: Callable[..., Store]
) -> Store:
    runs = [
        {
            "name": f"r{number}",
            "project": "p",
            "config": {"kind": "uneven", "seed": number},
            "points": [(n, {"loss": loss}) for n, loss in enumerate(curve(number))],
        }
        for number in range(len(ENDS))
    ]
    return make_runs(tmp_path_factory.mktemp("groups") / "s.duckdb", runs)


def numbers() -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The curves as rows, NaN where a run has ended, and how many runs there are."""
    rows = np.full((len(ENDS), max(ENDS)), np.nan)
    for number, end in enumerate(ENDS):
        rows[number, :end] = curve(number)
    return rows, np.isfinite(rows).sum(axis=0)


@pytest.mark.parametrize("band", ["quartile", "minmax", "std", "ci"])
def test_the_line_ends_where_half_of_the_runs_have(store: Store, band: str) -> None:
    (group,) = prepare_curves(
        store.sweep("loss", columns=[COLUMNS]), group_by="kind", band=band
    ).groups
    rows, count = numbers()
    lasts = int(np.flatnonzero(2 * count >= len(ENDS))[-1])

    assert (group.n, group.end, lasts) == (5, 15, 15)
    assert group.count.tolist() == count.tolist()
    middle = np.nanmean if band in {"std", "ci"} else np.nanmedian
    assert group.band.middle[: lasts + 1] == pytest.approx(
        middle(rows[:, : lasts + 1], axis=0)
    )
    assert np.isnan(group.band.middle[lasts + 1 :]).all()
    assert np.isnan(group.band.low[lasts + 1 :]).all()
    if band == "std":
        std = np.nanstd(rows[:, :16], axis=0, ddof=1)
        assert group.band.high[:16] == pytest.approx(group.band.middle[:16] + std)
    if band == "ci":
        student = {5: 2.776, 4: 3.182, 3: 4.303}  # for n - 1 degrees of freedom
        times = np.array([student[n] / np.sqrt(n) for n in count[:16].tolist()])
        half = times * np.nanstd(rows[:, :16], axis=0, ddof=1)
        assert group.band.low[:16] == pytest.approx(group.band.middle[:16] - half)


def labels(axes: Axes) -> list[str]:
    return [one.get_text() for one in axes.texts if isinstance(one, Annotation)]


def test_it_is_dashed_where_not_all_are_and_says_how_many(store: Store) -> None:
    axes = viz.plot_curves(store, "loss", group_by="kind", band="quartile")

    whole, dashed = axes.lines
    assert (whole.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    ends = [np.flatnonzero(np.isfinite(line.get_ydata())) for line in (whole, dashed)]
    assert (ends[0][[0, -1]].tolist(), ends[1][[0, -1]].tolist()) == ([0, 9], [9, 15])
    rows, _ = numbers()
    end = np.nanmedian(rows[:, 15])
    assert labels(axes) == [f"kind uneven: {end:.3g}, n=3 of 5"]
    assert "dashed: not all runs" in axes.get_title("right")


def test_runs_that_end_together_are_one_solid_line(store: Store) -> None:
    runs = Selection(project="p", where="seed >= 3")
    axes = viz.plot_curves(store, "loss", group_by="kind", runs=runs)

    (line,) = axes.lines
    assert np.isfinite(line.get_ydata()).all()
    assert labels(axes)[0].endswith(", n=2")
    assert "dashed" not in axes.get_title("right")


def test_runs_that_are_never_together_have_a_line_where_most_are() -> None:
    curves = [(np.array([at, at + 1.0]), np.array([1.0, 2.0])) for at in (0, 10, 20, 30)]
    group = group_line("g", curves, "minmax")

    assert np.isfinite(group.band.middle).all()
    assert set(group.count.tolist()) == {1}


def test_a_number_of_many_values_is_put_into_ranges(
    tmp_path: Path, make_sweep: Callable[..., Store]
) -> None:
    rates = np.geomspace(1e-4, 1e-1, 50)
    store = make_sweep(
        tmp_path / "s.duckdb", [{"lr": rate} for rate in rates.tolist()], rates.tolist()
    )
    groups = prepare_curves(store.sweep("loss", columns=[COLUMNS]), group_by="lr").groups

    assert [group.n for group in groups] == [10] * 5
    assert all(group.name.startswith("lr ≈ ") for group in groups)
    middles = [float(group.band.middle[0]) for group in groups]
    assert middles == pytest.approx([np.median(part) for part in np.split(rates, 5)])
    assert all(low < high for low, high in pairwise(middles))
