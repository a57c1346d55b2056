"""Points of the same x stand side by side as far as there is room."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stepwell.viz.sweep_data.spread_points import side_by_side


def test_points_that_are_apart_stay() -> None:
    x, y = np.array([1.0, 1.0, 2.0]), np.array([0.0, 5.0, 0.0])

    assert side_by_side(x, y, 4.0, 20.0).tolist() == [0.0, 0.0, 0.0]


def test_points_that_would_hide_each_other_are_moved_in_turn() -> None:
    x, y = np.full(4, 3.0), np.array([0.0, 1.0, 2.0, 10.0])

    assert side_by_side(x, y, 4.0, 20.0).tolist() == [0.0, 4.0, -4.0, 0.0]


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 50.0]), st.floats(0, 100)), max_size=40),
    st.floats(0, 30),
)
def test_no_point_is_moved_farther_than_there_is_room(
    points: list[tuple[float, float]], most: float
) -> None:
    x, y = np.array(points).reshape(-1, 2).T

    moved = side_by_side(x, y, 4.0, most)

    assert np.abs(moved).max(initial=0.0) <= most
