"""What a question is given is checked before it is asked: by name, and in one line."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell.store import (
    ConfigurationError,
    Selection,
    Store,
    copy_store,
    open_store,
    start_run,
)

NO_NUMBERS: list[Any] = [None, "x", b"5", [], {}, object, True]
NO_TEXTS: list[Any] = [None, 5, 1.5, math.nan, b"x", [], [5], {}, object, True]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("store") / "stepwell.duckdb"
    for name in ("one", "two"):
        with start_run(name=name, config={"lr": len(name)}, store=path) as run:
            run.log({"loss": 1.0})
    with Store(path) as store:
        yield store


def refused(ask: Callable[..., Any], word: str, **arguments: Any) -> None:
    with pytest.raises(ConfigurationError, match=word) as caught:
        pytest.fail(f"{arguments} gave {ask(**arguments)!r}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [*NO_NUMBERS, 0, -1, math.nan, -math.inf], ids=repr)
def test_a_timeout_is_a_number_above_0(store: Any, value: Any) -> None:
    said = "timeout must be above 0, a number of seconds, not"
    refused(store.sql, said, query="select 1", timeout=value)


@pytest.mark.parametrize("value", [5, 0.5, math.inf, np.float32(3), np.int64(3)], ids=repr)
def test_a_timeout_may_be_any_number_above_0(store: Any, value: Any) -> None:
    assert store.sql("select 1", timeout=value).fetchall() == [(1,)]


@pytest.mark.parametrize("value", [*NO_NUMBERS, -1, math.nan], ids=repr)
def test_a_wait_for_the_store_is_0_or_more(store: Any, value: Any) -> None:
    said = "seconds must be 0 or more, a number of seconds, not"
    refused(Store, said, location=store.location, seconds=value)
    refused(open_store, said, location=store.location, seconds=value)
    copy = store.location.with_name("copy.duckdb")
    refused(copy_store, said, location=store.location, target=copy, seconds=value)
    assert Store(store.location, seconds=math.inf).runs()


def asks_of_counts(store: Any) -> list[tuple[str, int, Callable[..., Any]]]:
    return [
        ("limit", 1, lambda **some: store.sql("from runs", **some)),
        ("limit", 0, store.runs),
        ("limit", 0, store.overview),
        ("limit", 0, Selection),
        ("limit", 0, lambda **some: store.leaderboard("loss", **some)),
        ("columns", 1, lambda **some: store.curves("loss", **some)),
        ("columns", 1, lambda **some: store.reduced("one", **some)),
        ("last_points", 1, lambda **some: store.reduced("one", **some)),
    ]


def test_a_count_is_a_whole_number(store: Any) -> None:
    for argument, least, ask in asks_of_counts(store):
        for value in [1.5, 2.0, math.nan, *NO_NUMBERS]:
            if value is not None or argument == "columns":
                said = f"{argument} must be {least} or more, a whole number, not"
                refused(ask, said, **{argument: value})
        refused(ask, f"{argument} must be {least} or more, not -1", **{argument: -1})
        for good in (least, 3, np.int64(3)):
            ask(**{argument: good})


def test_texts_are_texts(store: Any) -> None:
    asks: dict[str, list[Callable[..., Any]]] = {
        "query": [store.sql],
        "metric": [
            lambda metric: store.series("one", metric),
            store.leaderboard,
            store.curves,
            store.group_by,
            store.importance,
            lambda metric: store.probability_better("one", "two", metric),
        ],
        "reference": [store.run, store.find],
        "run_a": [lambda run_a: store.compare(run_a, "two")],
        "goal": [lambda goal: store.leaderboard("loss", goal or 5)],
        "at": [
            lambda at: store.compare("one", "two", at),
            lambda at: store.leaderboard("loss", at="x" if type(at) is int else at),
        ],
        "x": [lambda x: store.curves("loss", x=x)],
        "spec": [store.figure_runs],
    }
    for argument, functions in asks.items():
        for ask in functions:
            for value in NO_TEXTS:
                refused(ask, "must be|those of a FigureSpec", **{argument: value})


def test_several_texts_are_texts(store: Any) -> None:
    asks: dict[str, Callable[..., Any]] = {
        "metrics": lambda metrics: store.reduced("one", metrics),
        "tag": store.runs,
        "status": store.runs,
        "where": store.runs,
        "keys": lambda keys: store.group_by("loss", keys),
    }
    for argument, ask in asks.items():
        for value in [5, 1.5, [5], object(), True, b"x"]:
            refused(ask, "must be text", **{argument: value})
    assert store.reduced("one", "loss").keys() == {"loss"}


def test_an_end_of_the_axis_is_a_number_or_a_time(store: Any) -> None:
    for value in ("x", b"x", [], {}, object(), math.nan):
        for end in ("first", "last"):
            refused(store.curves, "end of the x axis", metric="loss", **{end: value})
    early = datetime(2000, 1, 1, tzinfo=UTC)
    for good in (None, -1, -0.5, np.int64(-1)):
        assert len(store.curves("loss", first=good)) == 2
    assert len(store.curves("loss", x="time", first=early)) == 2


def test_no_folder_is_one_that_no_path_can_be(store: Any, tmp_path: Path) -> None:
    for value in (None, 5, [], object(), "\ud800", "a\0b"):
        with pytest.raises(ConfigurationError, match="folder must be a path") as caught:
            store.export(value)
        assert "\n" not in str(caught.value)
    assert store.export(str(tmp_path / "a"), "csv").runs == 2
