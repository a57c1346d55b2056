"""Curves are smoothed as TensorBoard does it, also where a value stands for many points."""

import numpy as np
import pytest

from stepwell.store import ConfigurationError
from stepwell.viz.base.smoothing import smooth, smoothing_of

VALUES = np.random.default_rng(1).normal(size=60).cumsum()
ONES = np.ones(60, np.int64)


def debiased(values: list[float], share: float) -> list[float]:
    """TensorBoard's recurrence, as it is written there."""
    last, found = 0.0, []
    for number, value in enumerate(values, start=1):
        last = last * share + (1 - share) * value
        found.append(last / (1 - share**number))
    return found


def test_the_exponential_average_is_debiased() -> None:
    found = smooth(VALUES, ONES, smoothing_of("ema:0.9"))
    assert found == pytest.approx(debiased(VALUES.tolist(), 0.9))
    assert found[0] == pytest.approx(VALUES[0])


def test_a_gap_stays_one_and_changes_nothing_else() -> None:
    holed = np.insert(VALUES, 20, np.nan)
    for how in ("ema:0.8", "window:7"):
        found = smooth(holed, np.ones(61, np.int64), smoothing_of(how))
        assert np.isnan(found[20])
        assert np.delete(found, 20) == pytest.approx(
            smooth(VALUES, ONES, smoothing_of(how))
        )


def test_a_value_of_many_points_counts_as_so_many() -> None:
    counts = np.array([3, 1, 5, 2])
    values = np.array([1.0, 4.0, 2.0, 8.0])
    whole = np.repeat(values, counts)
    every = smooth(whole, np.ones(len(whole), np.int64), smoothing_of("ema:0.7"))
    found = smooth(values, counts, smoothing_of("ema:0.7"))
    assert found == pytest.approx(every[np.cumsum(counts) - 1])


def test_a_window_is_the_mean_of_the_newest_points() -> None:
    found = smooth(VALUES, ONES, smoothing_of("window:5"))
    expected = [VALUES[max(0, end - 5) : end].mean() for end in range(1, 61)]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    ["ema", "ema:1", "ema:-1", "window:0", "window:2.5", "window:inf", "window:nan", "9"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="smooth must be"):
        smoothing_of(text)
