"""A reduction that grows with the run equals one made of all points at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.store import RunningReduction
from stepwell.store.queries.downsample import reduce_points

ARRAYS = (
    "first_step last_step minimum maximum minimum_step maximum_step last count non_finite"
    " non_finite_steps non_finite_values"
).split()
VALUES = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([np.nan, np.inf, -np.inf]))


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.integers(1, 40), min_size=1, max_size=300),
    values=st.lists(VALUES, min_size=1, max_size=300),
    cuts=st.lists(st.integers(1, 60), max_size=40),
    columns=st.integers(1, 50),
)
def test_it_equals_the_reduction_of_all_points(
    gaps: list[int], values: list[float], cuts: list[int], columns: int
) -> None:
    count = min(len(gaps), len(values))
    steps = np.cumsum(np.array(gaps[:count], np.int64))
    points = np.array(values[:count])
    growing = RunningReduction("loss", columns)
    start = 0
    for cut in [*cuts, count]:
        growing.extend(steps[start : start + cut], points[start : start + cut])
        start += cut
    found = growing.series()
    whole = reduce_points("loss", steps, points, origin=int(steps[0]), width=growing.width)

    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name), name)
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-9, atol=1e-6)
    assert found.points == count
    assert len(found.count) <= 2 * columns


def test_a_spike_of_one_point_in_a_million_is_kept() -> None:
    steps = np.arange(1_000_000)
    values = np.sin(steps / 1000)
    values[654_321] = 50.0
    growing = RunningReduction("loss", 500)
    for start in range(0, len(steps), 9_999):
        growing.extend(steps[start : start + 9_999], values[start : start + 9_999])
    found = growing.series()

    highest = int(np.argmax(found.maximum))
    assert (found.maximum[highest], found.maximum_step[highest]) == (50.0, 654_321)
    assert found.last[-1] == values[-1]


def test_before_the_first_point_there_is_nothing_to_show() -> None:
    with pytest.raises(ValueError, match="'loss' has no points yet"):
        RunningReduction("loss", 10).series()
