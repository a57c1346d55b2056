"""A sweep table says what varies between runs, and what came of it."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell.store import (
    ConfigurationError,
    MetricNotFoundError,
    Store,
    compact_store,
    start_run,
)
from stepwell.store.base.ids import new_run_id


def nan_safe(values: Any) -> list[Any]:
    return [None if value != value else value for value in values]  # noqa: PLR0124


def test_a_row_a_run_the_oldest_first(mixed_store: Store) -> None:
    runs = mixed_store.runs()[::-1]

    table = mixed_store.sweep_table(["loss", "reward"])

    assert table.run_id.tolist() == [run.run_id for run in runs]
    assert table.run.tolist() == [run.name for run in runs]
    assert table.status.tolist() == [run.status for run in runs]
    assert table.created_at.tolist() == [
        run.created_at.replace(tzinfo=None) for run in runs
    ]
    for place, run in enumerate(runs):
        if run.finished_at is not None:
            assert table.seconds[place] == pytest.approx(run.duration_seconds)
    assert table.seconds[-1] >= 0  # of the run that goes on, up to its newest point
    assert len(table) == len(runs) == len(table.rows())


def test_values_are_those_of_the_leaderboard(mixed_store: Store) -> None:
    for at in ("best", "last", 2):
        table = mixed_store.sweep_table(["loss", "acc"], at=at)
        for metric, column in table.values.items():
            board = mixed_store.leaderboard(metric, at=at)
            known = dict(zip(board.run_id, board.value, strict=True))
            assert nan_safe(column) == [known.get(run_id) for run_id in table.run_id]


def test_keys_that_vary_are_columns_of_numbers_or_texts(mixed_store: Store) -> None:
    table = mixed_store.sweep_table(runs=["plain", "tie", "nan"])

    assert list(table.params) == ["lr", "opt"]
    assert table.params["lr"].dtype == np.float64
    assert table.params["lr"].tolist() == [0.1, 0.1, 1, 10]
    assert table.params["opt"].tolist() == ["adam", "adam", "sgd", "sgd"]
    assert table.constants == {}


def test_a_key_that_some_run_lacks_varies(mixed_store: Store) -> None:
    table = mixed_store.sweep_table()

    assert list(table.params) == ["lr", "opt", "fast", "seed"]
    numbers = dict(zip(table.run, nan_safe(table.params["lr"]), strict=True))
    assert (numbers["spiky"], numbers["late"], numbers["running"]) == (0.001, None, None)
    assert table.params["fast"].tolist().count("true") == 1
    assert set(table.params["fast"]) == {"true", None}
    assert np.nansum(table.params["seed"].astype(float)) == 3


def test_a_key_that_is_the_same_for_all_is_a_constant(mixed_store: Store) -> None:
    alike = mixed_store.sweep_table(runs=mixed_store.runs("plain"))
    assert (alike.params, alike.constants) == ({}, {"lr": "0.1", "opt": "adam"})


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("is_changed", [False, True])
def test_keys_come_as_in_the_oldest_run_that_has_them(
    store_path: Path, make_writer: Callable[..., Any], is_turned: bool, is_changed: bool
) -> None:
    """Whatever ids the runs have, and whenever their rows were written."""
    configs = [{"b": 1, "a": 2, "same": 0}, {"c": 3, "a": 4, "b": 5, "same": 0}]
    configs.append({"d": 0, "c": 0, "b": 0, "a": 0, "same": 0})
    ids = sorted(new_run_id() for _ in configs)
    began = time.time_ns()
    for number, run_id in enumerate(ids[::-1] if is_turned else ids):
        start = {"config": configs[number], "time": began + 1000 * number}
        writer = make_writer(start, run_id=run_id)
        if is_changed and number == 0:
            Store(store_path).runs()
            writer.change({"config": {"b": 9}})
        writer.finish("finished", None)

    table = Store(store_path).sweep_table()

    assert list(table.params) == ["b", "a", "c", "d"]
    compact_store(store_path)
    assert list(Store(store_path).sweep_table().params) == ["b", "a", "c", "d"]
    assert table.constants == {"same": "0"}


def test_what_is_configured_as_nan_is_told_from_what_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    rates: list[Any] = [math.nan, np.float32("nan"), "NaN", math.inf, -math.inf, 0.5, None]
    for place, rate in enumerate(rates):
        config = {"lr": rate} if place < 6 else {}
        start_run(config={"nested": config, "opt": "sgd"}, store=path).finish()

    table = Store(path).sweep_table()

    found = [table.param("nested.lr", row) for row in range(7)]
    assert found[3:] == [math.inf, -math.inf, 0.5, None]
    assert all(math.isnan(value) for value in found[:3])
    assert table.given["nested.lr"].tolist() == [True] * 6 + [False]
    query = "select text, number from params where key = 'nested.lr' order by run_id"
    rows = Store(path).sql(query).fetchall()
    assert sorted(text for text, _ in rows) == ["-inf", "0.5", "NaN", "inf", "nan", "nan"]
    assert sum(math.isnan(number) for _, number in rows) == 3


def test_equal_numbers_written_differently_do_not_vary(tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    for lr, mixed, text in ((1, 1, "a"), (1.0, "x", "a"), ("1e0", "nan", "a")):
        config = {"lr": lr, "mixed": mixed, "text": text, "none": None, "list": [1, "ü"]}
        start_run(config=config, store=path).finish()

    table = Store(path).sweep_table()

    assert table.constants == {"lr": "1", "text": "a", "none": None, "list": '[1, "ü"]'}
    assert table.params["mixed"].tolist() == ["1", "x", "nan"]
    assert list(table.params) == ["mixed"]


def test_columns_do_not_clash(tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    for number in range(2):
        config = {"run": number, "loss": number, "x": number}
        run = start_run(config=config, store=path)
        run.log({"loss": 3, "status": 4})
        run.finish()

    rows = Store(path).sweep_table(["loss", "status"], goals={"status": "min"}).rows()

    assert rows[1]["config.run"] == 1
    assert rows[1]["config.loss"] == 1
    assert (rows[1]["x"], rows[1]["loss"], rows[1]["metric.status"]) == (1, 3, 4)
    assert rows[1]["status"] == "finished"


def test_the_best_of_an_unclear_metric_needs_its_goal(mixed_store: Store) -> None:
    with pytest.raises(ConfigurationError, match=r"'odd' is better .* say which"):
        mixed_store.sweep_table("odd")
    best = mixed_store.sweep_table("odd", goals={"odd": "max"}).values["odd"]
    assert np.nanmax(best) == 9  # of the run that was redone, without this metric
    last = mixed_store.sweep_table("odd", at="last").values["odd"]
    assert nan_safe(last) == nan_safe(best)
    with pytest.raises(ConfigurationError, match="goal must be"):
        mixed_store.sweep_table("loss", goals={"loss": "up"})


def test_no_run_and_no_metric_make_empty_tables(mixed_store: Store) -> None:
    empty = mixed_store.sweep_table("loss", runs=[])

    assert (len(empty), empty.rows(), empty.params, empty.constants) == (0, [], {}, {})
    assert empty.values["loss"].size == 0
    with pytest.raises(MetricNotFoundError, match="did you mean 'loss'"):
        mixed_store.sweep_table(["loss", "losss"])


def test_a_data_frame_needs_pandas(
    mixed_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = mixed_store.sweep_table("loss")
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(ImportError, match="pip install pandas"):
        table.to_pandas()
    assert math.isnan(table.rows()[0]["seconds"]) is False
