"""Front ends of one run agree on its steps, and say nothing twice."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stepwell.store.inputs.metrics import to_step
from stepwell.store.recording.recorder import Recorder
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def ends(make_writer: MakeWriter) -> tuple[Recorder, Recorder]:
    writer = make_writer()
    return writer.recorder(), writer.recorder()


def test_steps_are_counted_from_zero(make_writer: MakeWriter, rows: Rows) -> None:
    recorder = make_writer().recorder()
    for _ in range(5):
        recorder.log({"loss": 1.0})

    assert rows("select list(step order by step) from points") == [([0, 1, 2, 3, 4],)]


def test_a_given_step_is_gone_on_from(make_writer: MakeWriter, rows: Rows) -> None:
    recorder = make_writer().recorder()
    for step in (None, 100, None, 50, None):
        recorder.log({"loss": 1.0}, step)

    assert rows("select list(step order by time) from points") == [
        ([0, 100, 101, 50, 102],)
    ]


def test_two_front_ends_count_together(ends: tuple[Recorder, Recorder], rows: Rows) -> None:
    for number in range(4):
        ends[0].log({"a": number})
        ends[1].log({"b": number})

    assert rows("select step, list(metric order by metric) from points group by 1") == [
        (step, ["a", "b"]) for step in range(4)
    ]


def test_a_front_end_that_lags_catches_up(
    ends: tuple[Recorder, Recorder], rows: Rows
) -> None:
    for _ in range(10):
        ends[0].log({"a": 1.0})
    ends[1].log({"b": 1.0})
    ends[1].log({"b": 1.0}, 40)
    ends[0].log({"a": 2.0})

    assert rows("select metric, max(step) from points group by 1 order by 1") == [
        ("a", 40),
        ("b", 40),
    ]


def test_the_same_value_at_the_same_step_is_one_point(
    ends: tuple[Recorder, Recorder], rows: Rows
) -> None:
    for number in range(20):
        for end in ends:
            end.log({"loss": number / 3, "nan": math.nan, "inf": math.inf})

    found = rows("select metric, count(*), count(distinct step) from points group by 1")
    assert sorted(found) == [("inf", 20, 20), ("loss", 20, 20), ("nan", 20, 20)]


def test_another_value_at_the_same_step_is_kept(
    ends: tuple[Recorder, Recorder], rows: Rows
) -> None:
    ends[0].log({"loss": 1.0, "only": 1.0}, 7)
    ends[1].log({"loss": 2.0, "other": 1.0}, 7)

    assert rows("select count(*) from points where step = 7") == [(4,)]


def test_one_front_end_may_repeat_itself(
    ends: tuple[Recorder, Recorder], rows: Rows
) -> None:
    for _ in range(3):
        ends[0].log({"loss": 1.0}, 7)

    assert rows("select count(*) from points") == [(3,)]


def test_resumed_steps_go_on_behind_the_greatest(
    make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer()
    recorder = writer.recorder()
    recorder.log({"loss": 1.0}, -5)
    recorder.log({"loss": 1.0})

    assert rows("select list(step order by step) from points") == [([-5, 0],)]


class Tensor:
    """A number like those of torch and JAX: an index only where it is an integer."""

    def __init__(self, value: float, shape: tuple[int, ...] = ()) -> None:
        self.value, self.shape = value, shape

    def item(self) -> float:
        if self.shape not in {(), (1,)}:
            raise RuntimeError("a Tensor with several elements")
        return self.value

    def __index__(self) -> int:
        if isinstance(self.value, int):
            return self.value
        raise TypeError("only integer tensors of a single element are an index")


STEPS: list[Any] = [
    5,
    5.0,
    np.int8(5),
    np.uint64(5),
    np.float16(5),
    np.array(5),
    np.array(5.0),
    np.array([5]),
    np.array([[5.0]]),
    np.ma.array(5.0),
    Tensor(5),
    Tensor(5.0),
    Tensor(5.0, (1,)),
    Decimal(5),
    Decimal("5.000"),
    Fraction(10, 2),
]


def test_a_step_is_what_the_same_thing_is_as_a_value(
    make_writer: MakeWriter, rows: Rows
) -> None:
    recorder = make_writer().recorder()
    for number, step in enumerate(STEPS):
        recorder.log({"loss": number}, step)
        recorder.log({"value": step}, 0)

    assert rows("select metric, step, count(*) from points group by 1, 2 order by 1") == [
        ("loss", 5, len(STEPS)),
        ("value", 0, len(STEPS)),
    ]
    assert rows("select distinct value from points where metric = 'value'") == [(5.0,)]


@pytest.mark.parametrize(
    "step",
    [
        0.5,
        math.nan,
        math.inf,
        "5",
        b"bytes",
        5j,
        [5],
        np.array([5, 6]),
        np.array(0.5),
        np.ma.masked,
        np.array(5, "m8[s]"),
        np.datetime64(5, "ns"),
        Tensor(0.5),
        Tensor(5, (2,)),
        Decimal("0.5"),
        Decimal("NaN"),
        Decimal("1e999999999999"),
        Fraction(1, 2),
        2**63,
        -(2**63) - 1,
        2.0**63,
        np.uint64(2**63),
    ],
)
def test_a_step_that_is_no_whole_number_is_said(step: Any) -> None:
    with pytest.raises((TypeError, OverflowError)) as caught:
        to_step(step)
    assert str(caught.value).startswith(("a step ", "it "))
