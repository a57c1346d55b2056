"""The mean of finite values is finite and right, however large they are."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes

from stepwell.store import RunningReduction, Store
from stepwell.store.queries.downsample import reduce_points
from stepwell.store.queries.means import in_range, means_of_groups
from stepwell.store.sweeps.downsample_runs import Axis, Points, reduce_runs
from stepwell.store.sweeps.statistics import (
    deviation_of,
    explained_share,
    interquartile_mean,
    mean_interval,
    mean_of,
    median_of,
)
from stepwell.viz import (
    plot_contour,
    plot_curves,
    plot_edf,
    plot_leaderboard,
    plot_optimization_history,
    plot_parallel_coordinate,
    plot_param_importances,
    plot_slice,
    save_run_figure,
)
from stepwell.viz.base.smoothing import smooth, smoothing_of
from stepwell.viz.terminal.experts import expert_load
from stepwell.viz.terminal.metric_trail import RunningTrail, Scale

MOST = float(np.finfo(np.float64).max)
HUGE = [1e308, -1e308, MOST, -MOST, 1.0, 0.0, 5e-324, -2e-310, 3e250]
DOUBLES = st.one_of(st.sampled_from(HUGE), st.floats(allow_nan=False, allow_infinity=False))
ODD = st.one_of(DOUBLES, st.sampled_from([math.nan, math.inf, -math.inf]))


PLOTS: tuple[Callable[..., Any], ...] = (
    plot_edf,
    plot_leaderboard,
    plot_optimization_history,
    plot_parallel_coordinate,
    plot_param_importances,
)
CURVES: tuple[dict[str, Any], ...] = (
    {"group_by": "lr", "band": "std"},
    {"x": "x"},
    {"smooth": "window:3"},
)


def exact(values: list[float]) -> float:
    return float(sum(map(Fraction, values)) / len(values))


def is_mean(found: float, values: list[float]) -> bool:
    """Whether it is the mean up to what adding doubles one by one can lose."""
    lost = 1e-15 * len(values) * max(map(abs, values)) + 5e-324
    return min(values) <= found <= max(values) and abs(found - exact(values)) <= lost


@settings(max_examples=150, deadline=None)
@given(st.lists(ODD, min_size=1, max_size=40), st.integers(1, 8))
def test_each_reduction_has_the_mean_of_its_finite_values(
    values: list[float], width: int
) -> None:
    steps, array = np.arange(len(values)), np.array(values)
    whole = reduce_points("q", steps, array, origin=0, width=width)
    place = np.zeros(len(values), np.int32)
    columns = -(-len(values) // width)
    runs = reduce_runs(Points(place, steps, array), Axis(0, columns * width - 1, columns))
    growing = RunningReduction("q", columns)
    for step, value in enumerate(values):
        growing.extend(np.array([step]), np.array([value]))
    grown = growing.series()

    for reduced in (whole.mean, runs.mean):
        for number, mean in enumerate(reduced.tolist()):
            part = [v for v in values[number * width : (number + 1) * width] if finite(v)]
            assert is_mean(mean, part) if part else math.isnan(mean)
    at = 0
    for mean, count in zip(grown.mean.tolist(), grown.count.tolist(), strict=True):
        part = [value for value in values[at : at + count] if finite(value)]
        assert is_mean(mean, part) if part else math.isnan(mean)
        at += count


def finite(value: float) -> bool:
    return math.isfinite(value)


@settings(max_examples=100, deadline=None)
@given(st.lists(ODD, min_size=1, max_size=600), st.integers(1, 7))
def test_the_course_in_the_terminal_has_finite_means(
    values: list[float], size: int
) -> None:
    scale = Scale()
    trail = RunningTrail(scale)
    for start in range(0, len(values), size):
        part = values[start : start + size]
        for _ in range(scale.cover(start, start + len(part) - 1)):
            trail.halve()
        trail.take(range(start, start + len(part)), part)

    found = trail.value()
    for number, mean in enumerate(found.means):
        width = found.width
        part = [v for v in values[number * width : (number + 1) * width] if finite(v)]
        if part:
            lost = 1e-15 * len(part) * max(map(abs, part)) + 1e-300
            assert min(part) <= mean <= max(part)
            assert abs(mean - exact(part)) <= lost


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([1e308] * 60, 1e308),
        ([1e308, -1e308] * 30, 0.0),
        ([MOST] * 7, MOST),
        ([MOST, MOST, -MOST, -MOST], 0.0),
        ([-MOST, -MOST, -MOST], -MOST),
        ([5e-324] * 3, 5e-324),
        ([1e308] * 59 + [-1e308], 1e308 * (58 / 60)),
    ],
)
def test_a_mean_is_right_where_the_sum_is_beyond_any_double(
    values: list[float], mean: float
) -> None:
    array, least, greatest = (
        np.array(values),
        np.array([min(values)]),
        np.array([max(values)]),
    )
    counts = np.array([len(values)])
    (found,) = means_of_groups(array, np.zeros(1, np.intp), counts, least, greatest)

    assert found == pytest.approx(mean, rel=1e-14)
    assert mean_of(array) == pytest.approx(mean, rel=1e-14)


@pytest.mark.parametrize("kind", ["ema:0.9", "window:7", "window:1000"])
def test_smoothing_of_huge_values_is_that_of_small_ones(kind: str) -> None:
    values, counts = np.array([1.0, -1.0, 1.7, -0.3] * 15), np.ones(60, np.int64)

    huge = smooth(values * 1e308, counts, smoothing_of(kind))

    assert huge / 1e308 == pytest.approx(smooth(values, counts, smoothing_of(kind)))


@pytest.mark.parametrize("power", [-1060, -900, 900, 1022])
def test_statistics_of_runs_scale_with_their_values(power: int) -> None:
    plain = np.array([1.0, 1.25, -0.5, 1.75, 0.25, 1.5, 1.0, -1.0, 0.75])
    values, groups = np.ldexp(plain, power), np.arange(9) % 3

    for statistic in (mean_of, median_of, interquartile_mean, deviation_of):
        found = np.ldexp(statistic(values), -power)
        assert found == pytest.approx(statistic(plain), rel=1e-3)
    low, high = np.ldexp(mean_interval(values), -power)
    assert (low, high) == pytest.approx(mean_interval(plain), rel=1e-3)
    assert explained_share(values, groups) == pytest.approx(
        explained_share(plain, groups), rel=1e-3
    )


def test_ordinary_values_are_not_scaled() -> None:
    for values in ([1e-100, 1e100], [0.0], [], [-3.0]):
        array = np.array(values)
        assert in_range(array)[0] is array


def test_the_load_of_experts_with_huge_values_is_shared() -> None:
    load = expert_load({"expert_0": MOST, "expert_1": MOST, "expert_2": -MOST})

    assert load is not None
    assert load.shares == pytest.approx((1.5, 1.5, 0.0))


def draw(axes: Axes) -> None:
    figure = axes.get_figure(root=True)
    assert figure
    figure.draw_without_rendering()


@pytest.mark.parametrize("size", [1.7e308, -MOST, 5e-324])
def test_pictures_of_values_beyond_any_axis_are_drawn(
    make_runs: Callable[..., Store], tmp_path: Path, size: float
) -> None:
    signs = [-1.0, 1.0, 0.5]
    store = make_runs(
        tmp_path / "s.duckdb",
        [
            {
                "name": f"r{number}",
                "config": {"lr": 10.0 ** -(number % 3), "far": size * signs[number % 3]},
                "points": [
                    (step, {"q": size * signs[step * number % 3], "x": size * step / 12})
                    for step in range(12)
                ],
            }
            for number in range(6)
        ],
    )

    for plot in PLOTS:
        draw(plot(store, "q", goal="min"))
    draw(plot_slice(store, "q", "far", goal="min"))
    draw(plot_contour(store, "q", "far", "lr", goal="min"))
    for options in CURVES:
        draw(plot_curves(store, "q", **options))
    save_run_figure(store, "r1", tmp_path / "r1.png")
