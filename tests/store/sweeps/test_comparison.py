"""Two runs side by side say what differs, and by how much."""

import math
from pathlib import Path

import pytest

from stepwell.store import (
    ConfigRow,
    ConfigurationError,
    RunNotFoundError,
    Store,
    start_run,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("comparison") / "runs.duckdb"
    one = {"lr": 1, "flag": True, "m": {"depth": 2, "old": "x"}, "none": None, "s": "ü"}
    two = {"lr": 1.0, "flag": 1, "m": {"depth": 3}, "s": "ü", "new": [1, 2]}
    with start_run(name="a", config=one, store=path) as run:
        for loss, acc in ((4, 0.5), (2, 0.9), (3, 0.8)):
            run.log({"loss": loss, "acc": acc, "only a": 1, "same": 1, "zero": 0})
    with start_run(name="b", config=two, store=path) as run:
        for loss, acc in ((1, 0.5), (6, 0.7)):
            run.log({"loss": loss, "acc": acc, "only b": 2, "same": 1, "zero": 5})
        run.log({"nan": math.nan})
    return Store(path)


def test_configurations_are_joined_by_key(store: Store) -> None:
    found = store.compare("a", "b")

    assert found.config == (
        ConfigRow("lr", "1", "1.0", differs=False),
        ConfigRow("flag", "true", "1", differs=True),
        ConfigRow("m.depth", "2", "3", differs=True),
        ConfigRow("m.old", "x", None, differs=True),
        ConfigRow("none", "null", None, differs=True),
        ConfigRow("s", "ü", "ü", differs=False),
        ConfigRow("new", None, "[1, 2]", differs=True),
    )
    assert [row.key for row in found.differences] == [
        "flag", "m.depth", "m.old", "none", "new",
    ]  # fmt: skip
    assert (found.run_a.name, found.run_b.name) == ("a", "b")


def test_last_values_are_compared(store: Store) -> None:
    rows = {row.metric: row for row in store.compare("a", "b").metrics}

    assert list(rows) == ["loss", "acc", "only a", "same", "zero", "only b", "nan"]
    loss = rows["loss"]
    assert (loss.at, loss.a, loss.b, loss.difference, loss.relative) == ("last", 3, 6, 3, 1)
    assert loss.better == "a"
    assert (rows["acc"].better, rows["same"].better) == ("a", None)
    assert rows["acc"].relative == pytest.approx(-0.125)
    assert math.isnan(rows["only a"].b)
    assert math.isnan(rows["only b"].difference)
    assert math.isnan(rows["zero"].relative)
    assert rows["zero"].difference == 5
    assert math.isnan(rows["nan"].b)


def test_a_metric_that_a_run_lacks_is_told_from_one_that_is_nan(store: Store) -> None:
    lacking = {row.metric: row.lacking for row in store.compare("a", "b").metrics}

    assert lacking == {
        "loss": None, "acc": None, "only a": "b", "same": None, "zero": None,
        "only b": "a", "nan": "a",
    }  # fmt: skip


def test_best_values_are_compared_where_the_name_tells(store: Store) -> None:
    rows = {row.metric: row for row in store.compare("a", "b", at="best").metrics}

    assert (rows["loss"].at, rows["loss"].a, rows["loss"].b) == ("min", 2, 1)
    assert rows["loss"].better == "b"
    assert (rows["acc"].at, rows["acc"].a, rows["acc"].b) == ("max", 0.9, 0.7)
    assert (rows["same"].at, rows["same"].b) == ("last", 1)


def test_a_comparison_is_one_table_of_keys_and_metrics(store: Store) -> None:
    found = store.compare("a", "b")

    rows = found.rows()

    assert len(rows) == len(found) == len(found.config) + len(found.metrics)
    assert rows[0] == {
        "kind": "config", "name": "lr", "a": "1", "b": "1.0", "differs": False,
        "at": None, "difference": None, "relative": None, "better": None,
    }  # fmt: skip
    assert rows[7]["kind"] == "metric"
    assert (rows[7]["name"], rows[7]["difference"], rows[7]["better"]) == ("loss", 3, "a")


def test_a_run_is_like_itself(store: Store) -> None:
    found = store.compare(store.run("a"), "a")

    assert found.differences == ()
    assert all(row.difference == 0 for row in found.metrics)


def test_bad_arguments_are_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match="no run 'c'"):
        store.compare("a", "c")
    with pytest.raises(ConfigurationError, match="at must be 'best' or 'last'"):
        store.compare("a", "b", at="first")
    with pytest.raises(RunNotFoundError):
        Store(tmp_path / "empty.duckdb").compare("last", "last")
