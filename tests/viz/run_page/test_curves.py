"""What a curve shows of its points: line, band, spikes, best, what is not finite."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stepwell.store import ReducedSeries
from stepwell.viz.run_page.curve import Mark, curve_of
from stepwell.viz.run_page.line_looks import Look

Floats = NDArray[np.float64]
LOOK = Look("#000000")


def reduced(
    metric: str, values: Any, *, per_column: int = 1, stride: int = 1
) -> ReducedSeries:
    """*values* at steps 0, stride, 2 stride …, *per_column* of them in a column."""
    every = np.asarray(values, float)
    steps = np.arange(len(every), dtype=np.int64) * stride
    columns = [slice(at, at + per_column) for at in range(0, len(every), per_column)]
    finite = np.isfinite(every)
    low = np.where(finite, every, np.inf)
    high = np.where(finite, every, -np.inf)

    def known(column: slice, value: float) -> float:
        return float(value) if finite[column].any() else math.nan

    return ReducedSeries(
        metric=metric,
        first_step=np.array([steps[c][0] for c in columns]),
        last_step=np.array([steps[c][-1] for c in columns]),
        minimum=np.array([known(c, low[c].min()) for c in columns]),
        maximum=np.array([known(c, high[c].max()) for c in columns]),
        mean=np.array(
            [
                known(c, every[c][finite[c]].mean()) if finite[c].any() else math.nan
                for c in columns
            ]
        ),
        minimum_step=np.array([steps[c][low[c].argmin()] for c in columns]),
        maximum_step=np.array([steps[c][high[c].argmax()] for c in columns]),
        last=np.array([every[c][-1] for c in columns]),
        count=np.array([len(every[c]) for c in columns]),
        non_finite=np.array([int((~finite[c]).sum()) for c in columns]),
        non_finite_steps=steps[~finite],
        non_finite_values=every[~finite],
        points=len(every),
    )


def noise(count: int) -> Floats:
    return np.random.default_rng(7).normal(0.0, 0.05, count)


def test_a_quiet_curve_goes_through_its_values() -> None:
    curve = curve_of(reduced("lr", [3.0, 2.0, 1.0]), "", LOOK)
    assert curve.steps.tolist() == [0, 1, 2]
    assert curve.values.tolist() == [3, 2, 1]
    assert not curve.is_smoothed
    assert not curve.has_band
    assert curve.end == Mark(2, 1)


def test_the_line_reaches_from_the_first_to_the_last_step() -> None:
    curve = curve_of(reduced("lr", np.arange(100.0), per_column=10), "", LOOK)
    assert (curve.steps[0], curve.steps[-1]) == (0, 99)


def test_a_noisy_curve_is_smoothed_inside_its_band() -> None:
    values = np.linspace(2, 1, 4000) + noise(4000)
    curve = curve_of(reduced("loss", values, per_column=10), "", LOOK)
    assert curve.is_smoothed
    assert curve.has_band
    assert np.all(curve.values > curve.low)
    assert np.all(curve.values < curve.high)
    assert np.abs(curve.values - np.linspace(2, 1, 400)).max() < 0.03


def test_smoothing_does_not_lag_behind_a_descent() -> None:
    course = 5 * np.exp(-np.arange(2000) / 100)
    curve = curve_of(reduced("loss", course + noise(2000), per_column=5), "", LOOK)
    assert curve.is_smoothed
    assert curve.values[0] == pytest.approx(course[:5].mean(), abs=0.15)


def test_a_spike_of_one_point_is_kept_and_does_not_bend_the_line() -> None:
    values = 1 + noise(4000)
    values[1234] = 50
    curve = curve_of(reduced("loss", values, per_column=10), "", LOOK)
    assert curve.spikes == (Mark(1234, 50),)
    assert curve.values.max() < 1.1


def test_a_dip_of_one_point_is_a_spike_too() -> None:
    values = 1 + noise(4000)
    values[1234] = -50
    curve = curve_of(reduced("loss", values, per_column=10), "", LOOK)
    assert curve.spikes == (Mark(1234, -50),)


def test_a_step_and_the_first_descent_are_no_spikes() -> None:
    values = np.where(np.arange(4000) < 2000, 1.0, 5.0) + noise(4000)
    values += 20 * np.exp(-np.arange(4000) / 15)
    assert curve_of(reduced("loss", values, per_column=10), "", LOOK).spikes == ()


def test_sparse_points_have_markers() -> None:
    curve = curve_of(
        reduced("val_loss", [3, 2, 1], stride=100), "", LOOK, pixels_per_step=1
    )
    assert curve.has_markers
    assert not curve.is_smoothed


def test_dense_points_have_no_markers() -> None:
    curve = curve_of(reduced("loss", np.arange(300.0)), "", LOOK, pixels_per_step=2)
    assert not curve.has_markers


def test_a_single_point_is_a_marker() -> None:
    curve = curve_of(reduced("loss", [3.0]), "", LOOK)
    assert curve.has_markers
    assert curve.end == Mark(0, 3)


@pytest.mark.parametrize(
    ("metric", "best"),
    [
        ("val_loss", Mark(1, 1)),
        ("val_accuracy", Mark(0, 3)),
        ("train_loss", None),
        ("val_quantity", None),
    ],
)
def test_the_best_point_of_validation_metrics_is_marked(
    metric: str, best: Mark | None
) -> None:
    assert curve_of(reduced(metric, [3.0, 1.0, 2.0]), "", LOOK).best == best


def test_what_is_not_finite_is_marked_and_leaves_a_gap() -> None:
    curve = curve_of(reduced("loss", [3, math.nan, 2, math.inf, 1]), "", LOOK)
    assert curve.non_finite_count == 2
    assert [mark.step for mark in curve.non_finite] == [1, 3]
    assert np.isnan(curve.values).tolist() == [False, True, False, True, False]


def test_a_curve_without_a_finite_value_has_no_end() -> None:
    curve = curve_of(reduced("val_loss", [math.nan, math.inf, math.nan]), "", LOOK)
    assert curve.end is None
    assert curve.best is None
    assert curve.non_finite_count == 3


def test_noise_with_gaps_is_smoothed_up_to_the_gaps() -> None:
    values = 1 + noise(2000)
    values[1000:1010] = math.nan
    curve = curve_of(reduced("loss", values, per_column=5), "", LOOK)
    assert curve.is_smoothed
    assert np.flatnonzero(np.isnan(curve.values)).tolist() == [200, 201]


def test_curves_are_equal_when_all_they_show_is_equal() -> None:
    values = [3.0, math.nan, 1.0]
    assert curve_of(reduced("a", values), "", LOOK) == curve_of(
        reduced("a", values), "", LOOK
    )
    assert curve_of(reduced("a", values), "", LOOK) != curve_of(
        reduced("a", [3.0, 2.0, 1.0]), "", LOOK
    )
