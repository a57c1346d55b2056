"""Groups of runs have the statistics that numpy gives."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell.store import (
    ConfigurationError,
    MetricNotFoundError,
    Selection,
    Store,
)
from stepwell.store.sweeps.statistics import interquartile_mean, mean_interval

RATES = (0.001, 0.01, 0.1)
SEEDS = 7


@pytest.fixture(scope="module")
def sweep(
    tmp_path_factory: pytest.TempPathFactory, make_sweep: Callable[..., Store]
) -> Store:
    """Three rates, two optimizers, seven seeds; one run has diverged."""
    draws = np.random.default_rng(3)
    configs: list[dict[str, Any]] = [
        {"lr": lr, "opt": opt, "seed": seed, "width": 8}
        for seed in range(SEEDS)
        for lr in RATES
        for opt in ("adam", "sgd")
    ]
    values = [
        math.nan if number == 5 else config["lr"] + draws.normal()
        for number, config in enumerate(configs)
    ]
    path = tmp_path_factory.mktemp("groups") / "runs.duckdb"
    return make_sweep(path, configs, values)


def values_of(store: Store, **config: Any) -> list[float]:
    rows = store.sweep_table("loss").rows()
    return [
        row["loss"]
        for row in rows
        if all(row[key] == value for key, value in config.items())
        and not math.isnan(row["loss"])
    ]


@pytest.mark.parametrize("keys", [("lr",), ("lr", "opt"), (), ("opt",)])
def test_each_row_is_what_numpy_says(sweep: Store, keys: tuple[str, ...]) -> None:
    groups = sweep.group_by("loss", keys)

    names = keys or ("lr", "opt")
    assert list(groups.keys) == list(names)
    assert groups.n.sum() == len(RATES) * 2 * SEEDS - 1
    for row, run_ids in zip(groups.rows(), groups.run_ids, strict=True):
        values = np.array(values_of(sweep, **{name: row[name] for name in names}))
        assert row["n"] == len(values) == len(run_ids)
        assert row["mean"] == pytest.approx(values.mean())
        assert row["median"] == pytest.approx(np.median(values))
        assert row["std"] == pytest.approx(values.std(ddof=1))
        cut = len(values) // 4
        middle = np.sort(values)[cut : len(values) - cut]
        assert row["interquartile_mean"] == pytest.approx(middle.mean())
        assert row["low"] < row["mean"] < row["high"]
        assert (row["high"] - row["low"]) / 2 == pytest.approx(
            1.96 * values.std() / math.sqrt(len(values)), rel=0.25
        )


def test_the_best_mean_comes_first(sweep: Store) -> None:
    low, high = sweep.group_by("loss", "lr"), sweep.group_by("loss", "lr", goal="max")

    assert low.mean.tolist() == sorted(low.mean)
    assert high.mean.tolist() == sorted(low.mean)[::-1]
    assert (low.goal, low.over, low.at, high.goal) == ("min", "seed", "best", "max")


def test_the_same_runs_have_the_same_interval(sweep: Store) -> None:
    first, again = sweep.group_by("loss", "opt"), sweep.group_by("loss", "opt")

    assert first.low.tolist() == again.low.tolist()
    assert first.high.tolist() == again.high.tolist()


def test_one_run_has_no_spread(sweep: Store) -> None:
    (row,) = sweep.group_by("loss", "lr", runs="r0").rows()

    assert (row["n"], row["mean"], row["median"]) == (1, row["mean"], row["mean"])
    assert row["interquartile_mean"] == row["mean"]
    assert all(math.isnan(row[name]) for name in ("std", "low", "high"))


def test_runs_without_a_key_or_a_value(mixed_store: Store) -> None:
    groups = mixed_store.group_by("loss", ["lr", "opt"])

    keys = {(str(row["lr"]), row["opt"]): row["n"] for row in groups.rows()}
    assert keys[("nan", None)] == 3  # redone, ranks, running
    assert keys[("nan", "adam")] == 1  # its learning rate is a NaN
    assert keys[("0.1", "adam")] == 2
    assert ("10.0", "sgd") not in keys  # its values are NaN
    names = {row.name for row in mixed_store.runs(groups.run_ids[0])}
    assert names == {"late"}


def test_where_nothing_varies_all_runs_are_one_group(sweep: Store) -> None:
    chosen = Selection(where=("lr = 0.1", "opt = sgd"))

    (row,) = sweep.group_by("loss", runs=chosen).rows()
    assert row["n"] == SEEDS - 1
    assert list(sweep.group_by("loss", over="width", runs=chosen).keys) == ["seed"]
    assert sweep.group_by("loss", "width").rows()[0]["width"] == 8


def test_no_run_makes_no_group(sweep: Store) -> None:
    groups = sweep.group_by("loss", "lr", runs=[])

    assert (len(groups), groups.rows(), groups.run_ids) == (0, [], ())
    assert sweep.group_by("loss", "lr", runs="r5").rows() == []


def test_bad_arguments_are_said(sweep: Store, mixed_store: Store) -> None:
    with pytest.raises(ConfigurationError, match="key 'lrr'; did you mean 'lr'"):
        sweep.group_by("loss", "lrr")
    with pytest.raises(ConfigurationError, match="they have lr, opt, seed, width"):
        sweep.group_by("loss", "zzz")
    with pytest.raises(ConfigurationError, match="they have none at all"):
        mixed_store.group_by("loss", "zzz", runs="running")
    with pytest.raises(MetricNotFoundError, match="did you mean 'loss'"):
        sweep.group_by("los", "lr")
    with pytest.raises(ConfigurationError, match="keys must be text"):
        sweep.group_by("loss", [3])  # type: ignore[list-item]


def test_key_columns_do_not_clash(tmp_path: Path, make_sweep: Callable[..., Store]) -> None:
    store = make_sweep(tmp_path / "runs.duckdb", [{"n": 5}, {"n": 6}], [1.0, 2.0])

    assert [row["config.n"] for row in store.group_by("loss", "n").rows()] == [5, 6]
    assert [row["n"] for row in store.group_by("loss", "n").rows()] == [1, 1]


def test_the_statistics_of_known_values() -> None:
    assert interquartile_mean(np.array([100.0, 1, 2, 3, -50])) == 2.0
    assert interquartile_mean(np.array([1.0, 4, 100])) == 35.0
    assert mean_interval(np.full(5, 3.0)) == (3.0, 3.0)
    wide = np.arange(4000.0)  # drawn in several portions
    low, high = mean_interval(wide)
    assert (high - low) / 2 == pytest.approx(1.96 * wide.std() / 4000**0.5, rel=0.1)
