"""How many steps a run takes, how fast it is, and how its experts share their load."""

from dataclasses import replace
from typing import Any

import pytest

from stepwell.viz.base.progress import Progress, StepTimes, steps_per_second, total_steps
from stepwell.viz.terminal.experts import expert_load
from stepwell.viz.terminal.render.view import ExpertLoad


@pytest.mark.parametrize(
    ("config", "total"),
    [
        ({}, None),
        ({"max_steps": True}, None),
        ({"max_steps": 0}, None),
        ({"max_steps": "100"}, None),
        ({"max_steps": 99.5}, None),
        ({"max_steps": float("inf")}, None),
        ({"max_steps": 1e5}, 100_000),
        ({"total_steps": None, "max_steps": 7}, 7),
        ({"total_steps": 5, "max_steps": 7}, 5),
        ({"max_steps": -1, "num_train_epochs": 3.0, "steps_per_epoch": 11}, 33),
        ({"epochs": 3}, None),
        ({"steps_per_epoch": 3}, None),
        ({"training": {"max_steps": 9}}, 9),
        ({"train": "fast", "trainer": {"max_steps": 9}}, 9),
        ({"warmup": {"total_steps": 9}}, None),
        ({"max_steps": 4, "trainer": {"max_steps": 9}}, 4),
    ],
)
def test_the_configuration_says_how_many_steps_there_are(config: Any, total: Any) -> None:
    assert total_steps(config) == total


def timed(*parts: tuple[int, float], begin: float = 0.0) -> list[tuple[float, int]]:
    """Seconds and steps: so many steps, each so many seconds after the one before."""
    times, now = [(begin, 0)], begin
    for count, seconds in parts:
        for _ in range(count):
            now += seconds
            times.append((now, times[-1][1] + 1))
    return times


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([], None),
        (timed(), None),
        (timed((1, 0.0)), None),
        (timed((20, 1.0)), 1.0),
        (timed((100, 1.0), (80, 0.5)), 2.0),  # of the newest 30 seconds
        (timed((1000, 1.0), (1000, 2.0)), 0.5),  # of the newest ten minutes
        (timed((5, 3600.0)), 1 / 3600),  # one step in ten minutes is less than one
        (timed((50, 1.0), (1, 86_400.0)), 1.0),  # a pause; one step since
        (timed((50, 1.0), (1, 86_400.0), (9, 0.5)), 2.0),  # and some more
        ([*timed((100, 1.0)), (120.0, 100)], 1 - 20 / 30),  # a validation
    ],
)
def test_the_rate_is_that_of_the_newest_steps(
    times: list[tuple[float, int]], rate: float | None
) -> None:
    expected = rate if rate is None else pytest.approx(rate, rel=0.03)
    assert steps_per_second(times) == expected


def test_a_share_is_whole_only_when_all_is_done() -> None:
    progress = Progress(999, 1000)
    assert progress.percent == 99
    assert replace(progress, done=1000).percent == 100
    assert replace(progress, done=5000).percent == 100
    assert replace(progress, done=-3).percent == 0
    assert Progress(29, 100).percent == 29  # int(0.29 * 100) is 28


def test_loads_of_two_experts_are_a_balance() -> None:
    load = expert_load({"expert_0": 3.0, "expert_1": 1.0})
    assert isinstance(load, ExpertLoad)
    assert load.shares == (1.5, 0.5)


def test_the_times_of_a_long_run_are_few_and_its_newest_rate_is_exact() -> None:
    times = StepTimes()
    for step in range(20_000):
        times.add(step / 4, step)
    assert len(times.pairs) <= 512
    assert times.newest == 19_999 / 4
    assert times.rate == pytest.approx(4.0)


def test_an_attempt_that_went_back_has_the_times_of_its_own_steps() -> None:
    times = StepTimes([(float(step), step) for step in range(100)])
    for step in range(50, 60):
        times.add(100.0 + step, step)
    assert times.pairs[50:52] == ((50.0, 50), (150.0, 50))
    assert times.newest == 159.0
