"""Of two long lists of queries one is refused, whole, and the other answered.

Each query of the lists is run as the process of a query runs it, but here; some of them,
and all that only DuckDB refuses, are asked of such a process, too.
"""

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

import stepwell
from stepwell.store import QueryError, SqlResult, Store, open_store
from stepwell.store.database.duckdb_instance import new_memory
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.user_sql.check_query import check
from stepwell.store.user_sql.query_process import _CONFIG, Request, _run
from stepwell.store.user_sql.wire_format import read_result

SECRET = "the-secret-of-this-file"
FOLDER = Path(__file__).parents[2] / "sql_queries"
SOME = slice(None, None, 20)


def listed(name: str) -> list[str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def unescaped(line: str, folder: Path) -> str:
    plain = {"n": "\n", "\\": "\\"}
    text = line.format(folder=folder)
    return re.sub(
        r"\\(u[0-9a-f]{4}|[n\\])",
        lambda found: plain.get(found[1]) or chr(int(found[1][1:], 16)),
        text,
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("queries")
    config = {"lr": 0.1, "layers": [1, 2]}
    path = folder / "runs.duckdb"
    with stepwell.init("digits", "first", config=config, tags=["a"], store=path) as run:
        for number in range(10):
            run.log({"loss": number, "accuracy": -number})
    (folder / "secret.csv").write_text(f"column\n{SECRET}\n")
    opened = open_store(path)
    opened.runs()
    return opened


@pytest.fixture(autouse=True)
def _nothing_changes(store: Store) -> Iterator[None]:
    def look() -> tuple[bytes, list[str]]:
        files = store.location.parent.rglob("*")
        return store.location.read_bytes(), sorted(map(str, files))

    before = look()
    yield
    assert look() == before


@contextmanager
def querying(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection like that of a query's process."""
    memory = new_memory(**_CONFIG)
    with lease_of(resolve(store.location)).querying(memory, 30.0) as connection:
        yield connection


def answer(connection: duckdb.DuckDBPyConnection, store: Store, query: str) -> SqlResult:
    """What a query's process does and its caller reads, without the process."""
    pipe = io.BytesIO()
    request = Request(str(store.location), query, 30.0, 30.0, None, True, yields=True)

    def send(frame: list[Any]) -> None:
        pipe.writelines(frame)

    _run(connection, lease_of(resolve(store.location)).guard, request, send)
    pipe.seek(0)
    return read_result(lambda size: bytearray(pipe.read(size)), None)


def assert_refused(ask: Callable[[str], object], queries: list[str]) -> None:
    frame = {"column": np.array([1.0])}
    for query in queries:
        with pytest.raises(QueryError) as caught:
            pytest.fail(f"not refused: {query}: {ask(query)}")
        assert "\n" not in str(caught.value), query
        assert SECRET not in str(caught.value), query
    assert frame


def test_what_does_more_than_read_is_refused(store: Store) -> None:
    queries = [unescaped(line, store.location.parent) for line in listed("refused.sql")]
    with querying(store) as connection:
        assert_refused(lambda query: answer(connection, store, query), queries)


def test_what_does_more_than_read_is_refused_by_a_query_s_process(store: Store) -> None:
    queries = [unescaped(line, store.location.parent) for line in listed("refused.sql")]

    def is_left_to_duckdb(query: str) -> bool:
        with suppress(QueryError, duckdb.Error):
            check(connection, query)
            return True
        return False

    with querying(store) as connection:
        left = list(filter(is_left_to_duckdb, queries))
    assert len(left) > 20
    assert_refused(store.sql, left + queries[SOME])


def test_what_reads_is_answered(store: Store) -> None:
    with querying(store) as connection:
        for line in listed("honest.sql"):
            query = unescaped(line, store.location.parent)
            assert answer(connection, store, query).columns, query


@pytest.mark.parametrize("query", listed("honest.sql")[SOME])
def test_what_reads_is_answered_by_a_query_s_process(store: Store, query: str) -> None:
    assert store.sql(unescaped(query, store.location.parent)).columns


@pytest.mark.parametrize("query", listed("bombs.sql"))
def test_what_takes_all_there_is_ends_at_its_limit(store: Store, query: str) -> None:
    text = unescaped(query, store.location.parent)
    took: list[float] = []
    while len(took) < 3 and not (took and took[-1] < 0.3 + 1.0):  # on a busy machine
        begun = time.monotonic()
        with suppress(QueryError):
            store.sql(text, timeout=0.3, limit=10)
        took.append(time.monotonic() - begun)
    assert min(took) < 0.3 + 1.0
    assert store.sql("select 1").fetchall() == [(1,)]


def test_the_lists_are_long() -> None:
    assert len(set(listed("bombs.sql"))) > 50
    assert len(set(listed("refused.sql"))) > 400
    assert len(set(listed("honest.sql"))) > 150


ALLOWED = set(
    "range generate_series unnest repeat repeat_row json_each json_tree histogram"
    " histogram_values duckdb_columns duckdb_constraints duckdb_databases duckdb_functions"
    " duckdb_indexes duckdb_keywords duckdb_schemas duckdb_settings duckdb_tables"
    " duckdb_types duckdb_views icu_calendar_names pg_timezone_names".split()
)


def test_of_duckdb_s_table_functions_only_harmless_ones_are_called() -> None:
    connection = duckdb.connect()
    query = "select distinct function_name from duckdb_functions() where function_type in"
    rows = connection.execute(f"{query} ('table', 'table_macro', 'pragma')").fetchall()
    names = {name for (name,) in rows}
    assert len(names) > 80

    for name in names - ALLOWED:
        for form in ("from {}()", "from {}('points')", "call {}()", "pragma {}"):
            with pytest.raises((QueryError, duckdb.Error)):
                check(connection, form.format(name))
        with pytest.raises(QueryError, match=f"table function {name} is not allowed"):
            check(connection, f'from points, "{name}"()')
    connection.close()
