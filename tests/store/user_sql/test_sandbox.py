"""A user's SQL reads the store, and can do nothing else."""

from collections.abc import Callable

import numpy as np
import pytest

import stepwell
from stepwell.store import (
    ConfigurationError,
    QueryError,
    QueryTimeoutError,
    Store,
    open_store,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("sandbox")
    with stepwell.init("digits", "first", store=folder / "runs.duckdb") as run:
        for number in range(10):
            run.log({"loss": number, "accuracy": -number})
    return open_store(folder / "runs.duckdb")


READS = [
    ("select count(*) from metrics", [(20,)]),
    ("SELECT count(*) FROM metrics;", [(20,)]),
    ("from metrics select max(step)", [(9,)]),
    ("with t as (select 1 as i) select * from t", [(1,)]),
    ("with recursive t as (select 1 i union all select i + 1 from t where i < 3)"
     " select * from t", [(1,), (2,), (3,)]),
    ("values (1), (2)", [(1,), (2,)]),
    ("select metric, min(value) from metrics group by all order by all",
     [("accuracy", -9.0), ("loss", 0.0)]),
    ("pivot metrics on metric using avg(value) group by run",
     [("first", -4.5, 4.5)]),
    ("select * from (pivot metrics on metric using count(*) group by run)",
     [("first", 10, 10)]),
    ("with p as (pivot metrics on metric using sum(value) group by run) from p",
     [("first", -45.0, 45.0)]),
    ("from metrics pivot (count(value) for metric in ('loss') group by run)",
     [("first", 10)]),
    ("pivot metrics on metric in ('loss') using max(value) group by run",
     [("first", 9.0)]),
    ("select value from metrics where metric = 'loss' and step = 3 -- it's 3", [(3.0,)]),
    ("select ';' as semicolon", [(";",)]),
    ("select null, true, 1.5::decimal(4, 1), [1, 2]", None),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), READS, ids=[query for query, _ in READS])
def test_reading_works(
    store: Store, query: str, expected: list[tuple[object, ...]] | None
) -> None:
    found = store.sql(query).fetchall()

    assert expected is None or found == expected


@pytest.mark.parametrize(
    "query",
    [
        "describe metrics",
        "describe select * from runs",
        "show tables",
        "summarize metrics",
        "explain select * from points",
        "explain analyze select count(*) from points",
        "explain (analyze, format json) (select count(*) from points)",
        "explain (select 1) union select 2",
        "explain describe points",
        "explain pivot metrics on metric in ('loss') using avg(value)",
        "unpivot (select 1 as a, 2 as b) on a, b",
    ],
)
def test_looking_around_works(store: Store, query: str) -> None:
    assert len(store.sql(query)) > 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "give one statement; there is none in the query"),
        ("  -- nothing", "give one statement"),
        ("selekt 1", "syntax error at or near"),
        ("select nothing from metrics", "nothing"),
        ("select * from nowhere", "nowhere does not exist"),
        ("select 1 / 'x'", "x"),
        ("select ?", "parameter"),
        ("select $1", "parameter"),
        ("select '\ud800'", "not valid Unicode"),
        ("select error('my own\nwords')", "my own words"),
    ],
)
def test_a_query_that_fails_says_why_in_one_line(
    store: Store, query: str, words: str
) -> None:
    with pytest.raises(QueryError) as caught:
        store.sql(query)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


ENDLESS = [
    "select count(*) from range(100_000_000_000) a, range(1000) b",
    "select i::hugeint from range(1_000_000_000_000) t(i)",
    "with recursive t as (select 1 i union all select i + 1 from t) select max(i) from t",
    "pivot (select i % 10 as k, i from range(1_000_000_000_000) t(i)) on k using count(*)",
    "explain analyze select count(*) from range(100_000_000_000) a, range(1000) b",
]


@pytest.mark.parametrize("query", ENDLESS)
def test_a_query_without_end_is_stopped(store: Store, query: str) -> None:
    with pytest.raises(QueryTimeoutError, match=r"time limit of 0\.3 s; narrow it"):
        store.sql(query, timeout=0.3)
    assert store.sql("select 1").fetchall() == [(1,)]


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_time_limit_is_above_zero(store: Store, timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout must be above 0"):
        store.sql("select 1", timeout=timeout)


def test_a_query_that_needs_too_much_memory_is_refused(store: Store) -> None:
    query = "select length(string_agg(repeat('x', 1000000), '')) from range(3000)"
    with pytest.raises(QueryError, match="Out of Memory"):
        store.sql(query, timeout=60)


def test_the_result_is_columns_and_rows(store: Store) -> None:
    result = store.sql("select step, value, run_id from metrics where metric = 'loss'")

    assert result.columns == ("step", "value", "run_id")
    assert len(result) == 10
    assert "10 rows of step, value, run_id" in repr(result)
    first = result.fetchone()
    assert first is not None
    assert first[:2] == (0, 0.0)
    assert sum(1 for _ in iter(result.fetchone, None)) == 9
    assert result.fetchone() is None
    assert len(result.fetchall()) == 10


def test_the_result_becomes_arrays(store: Store) -> None:
    arrays = store.sql(
        "select step, value, case when step > 7 then step end as late, metric, run_id,"
        " status, tags from metrics join runs using (run_id) where metric = 'loss'"
        " order by step"
    ).to_numpy()

    assert arrays["step"].tolist() == list(range(10))
    assert arrays["value"].dtype == np.float64
    late = arrays["late"]
    assert isinstance(late, np.ma.MaskedArray)
    assert late.compressed().tolist() == [8, 9]
    assert set(arrays["metric"].tolist()) == {"loss"}


def test_columns_of_one_name_keep_their_places(store: Store) -> None:
    result = store.sql("select 1 as a, 2 as a")

    assert result.columns == ("a", "a")
    assert result.fetchall() == [(1, 2)]


def test_pandas_is_asked_for_by_name(store: Store) -> None:
    result = store.sql("select 1 as a")
    make: Callable[[], object] = result.to_pandas
    try:
        import pandas  # noqa: F401, PLC0415  # pyright: ignore[reportMissingImports]
    except ImportError:
        with pytest.raises(ImportError, match="pip install pandas"):
            make()
    else:
        assert result.to_pandas().to_dict("list") == {"a": [1]}
