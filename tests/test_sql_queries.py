"""Of two long lists of queries one is refused, whole, and the other answered."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import numpy as np
import pytest

import stepwell
from stepwell.store import QueryError, Store, open_store
from stepwell.store._query_check import check

SECRET = "the-secret-of-this-file"
FOLDER = Path(__file__).parent / "sql_queries"


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


@pytest.mark.parametrize("query", listed("refused.sql"))
def test_what_does_more_than_read_is_refused(store: Store, query: str) -> None:
    frame = {"column": np.array([1.0])}

    with pytest.raises(QueryError) as caught:
        store.sql(unescaped(query, store.location.parent))

    assert frame
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("query", listed("honest.sql"))
def test_what_reads_is_answered(store: Store, query: str) -> None:
    assert store.sql(unescaped(query, store.location.parent)).columns


@pytest.mark.parametrize("query", listed("bombs.sql"))
def test_what_takes_all_there_is_ends_at_its_limit(store: Store, query: str) -> None:
    text = unescaped(query, store.location.parent)
    begun = time.monotonic()
    with suppress(QueryError):
        store.sql(text, timeout=0.3, limit=10)
    assert time.monotonic() - begun < 0.3 + 1.0
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
