"""Importances are the shares of variance that a sweep was made with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stepwell.store import MetricNotFoundError, Store
from stepwell.store.sweeps.statistics import (
    explained_share,
    far_off,
    rank_correlation,
    ranks,
)

MakeSweep = Callable[..., Store]
RUNS = 300


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, make_sweep: MakeSweep
) -> tuple[Store, dict[str, float]]:
    """A sweep of 300 runs, and the true share of variance of each of its keys."""
    draws = np.random.default_rng(11)
    exponent = draws.uniform(-4, 0, RUNS)
    drop = draws.choice([0.0, 0.1, 0.2], RUNS)
    opt = draws.choice(["adam", "sgd"], RUNS)
    useless = draws.uniform(0, 1, RUNS)
    parts = {
        "lr": (exponent + 2) ** 2,  # the middle is best
        "drop": 8 * drop,
        "opt": np.where(opt == "sgd", 0.8, 0.0),
        "useless": np.zeros(RUNS),
    }
    noise = draws.normal(0, 0.3, RUNS)
    loss = sum(parts.values()) + noise
    total = sum(part.var() for part in (*parts.values(), noise))
    configs = [
        {"lr": 10 ** exponent[n], "drop": drop[n], "opt": str(opt[n]),
         "useless": useless[n], "fixed": 3, "label": f"run {n}"}
        for n in range(RUNS)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("importance") / "runs.duckdb"
    store = make_sweep(path, configs, loss.tolist())
    return store, {key: float(part.var() / total) for key, part in parts.items()}


def test_shares_are_near_the_true_ones(made: tuple[Store, dict[str, float]]) -> None:
    store, truth = made

    found = store.importance("loss")

    shares = dict(zip(found.key.tolist(), found.eta2.tolist(), strict=True))
    for key, share in truth.items():
        assert shares[key] == pytest.approx(share, abs=0.08), key
    assert found.eta2.tolist() == sorted(found.eta2, reverse=True)
    assert found.key[0] == "lr"
    assert "fixed" not in shares
    assert shares["label"] == 0  # a value a run explains nothing
    assert (found.n == RUNS).all()
    assert found.warning == ""
    assert "eta²" in found.method


def test_a_direction_is_said_only_where_there_is_one(
    made: tuple[Store, dict[str, float]],
) -> None:
    rows = {row["key"]: row for row in made[0].importance("loss").rows()}

    directions = {key: row["direction"] for key, row in rows.items()}
    assert directions == {"lr": 0, "drop": 1, "opt": 0, "useless": 0, "label": 0}
    bins = {key: row["bins"] for key, row in rows.items()}
    assert (bins["lr"], bins["drop"], bins["opt"]) == (10, 3, 2)


def test_few_runs_come_with_a_warning(made: tuple[Store, dict[str, float]]) -> None:
    names = [f"r{number}" for number in range(29)]

    few = made[0].importance("loss", runs=names)

    assert "only 29 runs" in few.warning
    assert made[0].importance("loss", runs=[*names, "r29"]).warning == ""


def test_runs_that_diverged_and_make_the_variance_come_with_a_warning(
    make_sweep: MakeSweep, store_path: Path
) -> None:
    draws = np.random.default_rng(5)
    exponent = draws.uniform(-4, 0, 60)
    loss = (exponent + 2) ** 2
    loss[[7, 30]] = 1e6
    configs = [{"lr": 10**value, "seed": n % 5} for n, value in enumerate(exponent)]

    found = make_sweep(store_path, configs, loss.tolist()).importance("loss")

    assert found.warning.startswith("2 of 60 runs lie far off and make most of the")


@pytest.mark.parametrize(
    ("values", "far"),
    [
        ([], 0),
        ([0.0] * 9, 0),
        ([1.0] * 8 + [9.0], 0),  # no spread to measure by
        ([1, 2, 3, 4, 5, 6, 7, 8, 15], 0),  # within three times the spread
        ([1, 2, 3, 4, 5, 6, 7, 8, 1e300], 1),
        ([-1e9, 1, 2, 3, 4, 5, 6, 7, 1e9], 2),
        ([1, 2, 3, 4, 5, 6, 7, 8] * 50 + [25], 0),  # far, and not most of the variance
    ],
)
def test_values_are_far_off_by_their_place_and_by_their_share(
    values: list[float], far: int
) -> None:
    assert far_off(np.array(values, np.float64)) == far


def test_a_falling_metric_has_a_negative_direction(
    tmp_path: Path, make_sweep: MakeSweep
) -> None:
    values = [float(number) for number in range(40)]
    configs = [
        {"x": -value, "nan": number % 2 or None} for number, value in enumerate(values)
    ]
    store = make_sweep(tmp_path / "runs.duckdb", configs, values, "acc")

    found = store.importance("acc")

    assert (found.key[0], found.direction[0], found.goal) == ("x", -1, "max")
    assert found.eta2[0] > 0.9
    assert found.n.tolist() == [40, 20]


def test_runs_of_every_kind_are_taken(mixed_store: Store) -> None:
    found = mixed_store.importance("loss")

    assert set(found.key) == {"lr", "opt", "fast", "seed"}
    assert ((found.eta2 >= 0) & (found.eta2 <= 1)).all()
    assert found.warning
    one = mixed_store.importance("loss", runs="plain")
    none = mixed_store.importance("loss", runs=[])
    assert (len(one), len(none), none.rows()) == (0, 0, [])
    with pytest.raises(MetricNotFoundError, match="did you mean 'loss'"):
        mixed_store.importance("lossy")


def plain_share(values: NDArray[np.float64], groups: Any) -> float:
    parts = [values[groups == group] for group in np.unique(groups)]
    within = sum(((part - part.mean()) ** 2).sum() for part in parts)
    total = ((values - values.mean()) ** 2).sum()
    size = len(values)
    return max(0.0, float(1 - within / (size - len(parts)) / (total / (size - 1))))


def test_the_share_is_epsilon_squared() -> None:
    draws = np.random.default_rng(5)
    for _ in range(50):
        groups = draws.integers(0, 4, 25)
        values = draws.normal(groups, 1.0)
        assert explained_share(values, groups) == pytest.approx(plain_share(values, groups))


def test_chance_explains_nothing_on_average() -> None:
    draws = np.random.default_rng(6)
    shares = [
        explained_share(draws.normal(size=40), draws.integers(0, 8, 40)) for _ in range(300)
    ]

    assert np.mean(shares) < 0.06
    assert np.median(shares) < 0.03


@pytest.mark.parametrize(
    ("values", "groups"),
    [([1.0], [0]), ([1, 1, 1], [0, 1, 0]), ([1, 2, 3], [0, 0, 0]), ([1, 2], [0, 1])],
)  # fmt: skip
def test_where_nothing_can_be_said_the_share_is_zero(
    values: list[float], groups: list[int]
) -> None:
    assert explained_share(np.array(values, float), np.array(groups)) == 0.0


def test_ranks_of_equal_values_are_shared() -> None:
    assert ranks(np.array([3.0, 1, 3, 2])).tolist() == [3.5, 1, 3.5, 2]
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([1.0, 10, 100])) == 1
    assert rank_correlation(np.array([1.0, 1, 1]), np.array([1.0, 10, 100])) == 0
