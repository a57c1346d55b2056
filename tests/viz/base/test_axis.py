"""Axes hold their values, and have few ticks with short labels."""

from itertools import pairwise

import pytest

from stepwell.viz.base.axis import Scale, linear_scale, log_scale, step_scale, symlog_scale
from stepwell.viz.base.boxes import Box, grid, pushed_apart

EXTREMES = [
    linear_scale(0, 6e-4),
    linear_scale(-3, 5),
    linear_scale(7, 7),
    linear_scale(0, 0),
    linear_scale(-1e300, 1e300),
    log_scale(1e-6, 1),
    log_scale(1.7, 4.2),
    log_scale(5, 5),
    log_scale(1e-300, 1e300),
    symlog_scale(0, 10, 0.01),
    symlog_scale(-1e5, 1e5, 1e-9),
    symlog_scale(0, 0, 1),
    step_scale(0, 0),
    step_scale(0, 3),
    step_scale(10**9, 10**9 + 7),
]


@pytest.mark.parametrize("scale", EXTREMES, ids=lambda s: f"{s.kind} {s.low:g} {s.high:g}")
def test_an_axis_has_a_few_ticks_within_it(scale: Scale) -> None:
    assert scale.low < scale.high
    assert 1 <= len(scale.ticks) <= 5
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)
    assert len(set(scale.labels)) == len(scale.ticks) == len(scale.labels)


def test_a_linear_axis_starts_at_zero_when_that_is_near() -> None:
    assert linear_scale(0.1, 1).low == 0
    assert linear_scale(0.8, 1).low > 0.7


def test_positions_run_from_the_lower_to_the_upper_end() -> None:
    for scale in EXTREMES:
        assert scale.position(scale.low) == pytest.approx(0)
        assert scale.position(scale.high) == pytest.approx(1)


def test_a_logarithmic_axis_is_even_in_ratios() -> None:
    scale = Scale("log", 1, 100, (), ())
    assert scale.position(10) == pytest.approx(0.5)


def test_ticks_of_steps_are_whole() -> None:
    assert step_scale(0, 3).labels == ("0", "1", "2", "3")
    assert step_scale(0, 19_999).labels == ("0", "5k", "10k", "15k")


def test_labels_are_pushed_apart_as_little_as_needed() -> None:
    assert pushed_apart([0.5, 3.0], 1.0, 0.0, 10.0) == [0.5, 3.0]
    assert pushed_apart([2.0, 2.0], 1.0, 0.0, 10.0) == [1.5, 2.5]
    assert pushed_apart([2.2, 2.0, 9.9], 1.0, 0.0, 9.5) == pytest.approx([2.6, 1.6, 9.5])


def test_labels_stay_within_the_axes() -> None:
    placed = pushed_apart([0.0, 0.1, 0.2, 9.9, 10.0], 1.0, 0.5, 9.5)
    assert placed == sorted(placed)
    assert min(placed) == pytest.approx(0.5)
    assert max(placed) == pytest.approx(9.5)
    gaps = [after - before for before, after in pairwise(placed)]
    assert min(gaps) >= 1.0 - 1e-9


@pytest.mark.parametrize("size", [(4.0, 3.0), (12.0, 8.0), (40.0, 30.0)])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 2), (4, 5)])
def test_cells_partition_the_page(
    size: tuple[float, float], rows: int, columns: int
) -> None:
    parts = grid(size, rows, columns)
    boxes = [parts.header, parts.footer, *parts.cells]
    assert sum(box.width * box.height for box in boxes) == pytest.approx(size[0] * size[1])
    for index, one in enumerate(boxes):
        assert not any(overlap(one, other) for other in boxes[index + 1 :])


def overlap(one: Box, other: Box) -> bool:
    apart = 1e-9
    return (
        min(one.right, other.right) - max(one.left, other.left) > apart
        and min(one.top, other.top) - max(one.bottom, other.bottom) > apart
    )


@pytest.mark.parametrize("value", [0.01, 0.0, -3.5, 1e9])
def test_a_value_that_never_changes_has_one_tick(value: float) -> None:
    scale = linear_scale(value, value)

    assert scale.ticks == (value,)
    assert scale.low < value < scale.high


def test_a_logarithmic_axis_of_one_value_has_one_tick() -> None:
    scale = log_scale(0.003, 0.003)

    assert (scale.ticks, scale.labels) == ((0.003,), ("0.003",))
