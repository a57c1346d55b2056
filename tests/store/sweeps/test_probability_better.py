"""The probability that a run of one group is better is counted over all pairs."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.store import (
    ConfigurationError,
    MetricNotFoundError,
    RunNotFoundError,
    Selection,
    Store,
)
from stepwell.store.sweeps.statistics import probability_above, probability_interval

MakeSweep = Callable[..., Store]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, make_sweep: MakeSweep) -> Store:
    values = [0.1, 0.2, 0.3, 0.2, 0.4, 0.5, math.nan, 0.9]
    configs = [{"opt": "adam" if number < 3 else "sgd"} for number in range(len(values))]
    path = tmp_path_factory.mktemp("probability") / "runs.duckdb"
    return make_sweep(path, configs, values)


ADAM, SGD = Selection(where=("opt = adam",)), Selection(where=("opt = sgd",))


def test_pairs_are_counted_and_ties_count_half(store: Store) -> None:
    found = store.probability_better(ADAM, SGD, "loss")

    assert found.probability == pytest.approx((4 + 3.5 + 3) / 12)
    assert (found.n_a, found.n_b) == (3, 4)  # the NaN is no value
    assert 0 < found.low < found.probability < found.high <= 1
    back = store.probability_better(SGD, ADAM, "loss")
    assert back.probability == pytest.approx(1 - found.probability)
    other = store.probability_better(ADAM, SGD, "loss", goal="max")
    assert other.probability == pytest.approx(back.probability)


def test_small_groups_have_no_interval(store: Store) -> None:
    one = store.probability_better("r0", SGD, "loss")

    assert (one.probability, one.n_a) == (1, 1)
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    none = store.probability_better([], SGD, "loss")
    assert math.isnan(none.probability)
    assert (none.n_a, none.n_b) == (0, 4)
    assert store.probability_better(["r6"], ["r0", "r1"], "loss").n_a == 0


def test_bad_arguments_are_said(store: Store) -> None:
    with pytest.raises(MetricNotFoundError, match="did you mean 'loss'"):
        store.probability_better(ADAM, SGD, "los")
    with pytest.raises(RunNotFoundError, match="no run 'nobody'"):
        store.probability_better("nobody", SGD, "loss")
    with pytest.raises(ConfigurationError, match="goal must be"):
        store.probability_better(ADAM, SGD, "loss", goal="x")


def test_the_best_or_the_last_is_compared(tmp_path: Path, make_sweep: MakeSweep) -> None:
    path = tmp_path / "runs.duckdb"
    made = make_sweep(path, [{"a": 1}, {"a": 2}], [2.0, 1.0], "thing")

    with pytest.raises(ConfigurationError, match="say which"):
        made.probability_better("r0", "r1", "thing")
    assert made.probability_better("r0", "r1", "thing", goal="max", at="last").n_a == 1


floats = st.floats(-3, 3).map(lambda value: round(value, 1))


@settings(deadline=None)
@given(st.lists(floats, min_size=1, max_size=8), st.lists(floats, min_size=1, max_size=8))
def test_the_probability_is_that_of_plain_loops(a: list[float], b: list[float]) -> None:
    pairs = [1.0 if x > y else 0.5 if x == y else 0.0 for x in a for y in b]

    found = probability_above(np.array(a), np.array(b))

    assert found == pytest.approx(sum(pairs) / len(pairs))


def test_the_interval_is_that_of_resampling_both_groups() -> None:
    draws = np.random.default_rng(1)
    a, b = draws.normal(0.5, 1, 30), draws.normal(0, 1, 40).round(1)
    plain = [
        probability_above(draws.choice(a, len(a)), draws.choice(b, len(b)))
        for _ in range(4000)
    ]

    low, high = probability_interval(a, b)

    assert (low, high) == pytest.approx(np.percentile(plain, (2.5, 97.5)), abs=0.015)
    assert probability_interval(a, b) == (low, high)
