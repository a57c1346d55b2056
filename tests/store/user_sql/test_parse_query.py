"""Each table and view is there for a query, in whatever way the query names it."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stepwell
from stepwell.store import QueryError, SqlResult, Store, open_store
from stepwell.store.database.duckdb_instance import new_memory
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.schema.tables import TABLES, VIEWS
from stepwell.store.user_sql.check_query import check
from stepwell.store.user_sql.query_process import _CONFIG, Request, _run
from stepwell.store.user_sql.wire_format import read_result

NAMES = sorted(TABLES.keys() | VIEWS.keys())
Ask = Callable[[str], SqlResult]
LISTED = "select view_name from duckdb_views() where not internal and temporary"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("views") / "runs.duckdb"
    for name in ("first", "second"):
        with stepwell.init("digits", name, config={"lr": 0.1}, store=path) as run:
            run.log({"loss": 0.5})
    opened = open_store(path)
    opened.runs()
    return opened


@contextmanager
def querying(store: Store) -> Iterator[tuple[duckdb.DuckDBPyConnection, Ask]]:
    """A new instance with what a query's process does on it, but here."""
    lease = lease_of(resolve(store.location))

    def ask(query: str) -> SqlResult:
        pipe = io.BytesIO()
        request = Request(str(store.location), query, 30.0, 30.0, None, True, yields=True)

        def send(frame: list[Any]) -> None:
            pipe.writelines(frame)

        _run(opened, lease.guard, request, send)
        pipe.seek(0)
        return read_result(lambda size: bytearray(pipe.read(size)), None)

    with lease.querying(new_memory(**_CONFIG), 30.0) as opened:
        yield opened, ask


@pytest.fixture(scope="module")
def parser() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


WAYS = [
    "from {}",
    'select * from "{}"',
    "select count(*) from {} x",
    "with a as (select * from {}) from a, a b",
    "with recursive a as (select 1 i union all select i from a, {} where i < 1) from a",
    "select 1 where exists (from {})",
    "select (select count(*) from {}) + 1 as n",
    "from temp.{}",
    "from temp.main.{}",
    "from (values (1)) v(i), lateral (select i from {})",
    "(from {} limit 1) union all (from {} limit 1)",
    "describe {}",
    "describe from {}",
    "summarize {}",
    "show {}",
    "from (describe {})",
    "explain from {}",
    "explain analyze select count(*) from {}",
    "explain (format json) from {}",
    "table {}",
    "from '{}'",
    "/* {} */ from {} -- nothing",
    "pivot (select 1 as i, count(*) as n from {}) on i in (1) using sum(n)",
    "pivot (select 1 as i, count(*) as n from {}) on i using sum(n)",
    "unpivot (select count(*) as n from {}) on n",
    "from {} a positional join {} b",
    "select columns(*) from {}",
    "with points_of_mine as (from {}) from points_of_mine",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there_alone_and_by_all_that_is_over_it(store: Store, name: str) -> None:
    with querying(store) as (connection, ask):
        assert ask(f"from {name}").columns
        made = {view for (view,) in connection.execute(LISTED).fetchall()}

    assert name in made
    assert len(made) < len(NAMES)


@pytest.mark.parametrize("way", WAYS)
def test_a_view_is_there_in_whatever_way_it_is_named(store: Store, way: str) -> None:
    for name in ("summary", "METRICS", "Run_Table"):
        with querying(store) as (_, ask):
            query = way.replace("{}", name)
            assert ask(query).columns, query


def test_a_query_of_no_table_has_no_views_made_for_it(store: Store) -> None:
    with querying(store) as (connection, ask):
        assert ask("with a as (select 1 as i) from a").fetchall() == [(1,)]
        assert connection.execute(LISTED).fetchall() == []


LISTS = [
    "select view_name from duckdb_views() where temporary and not internal",
    "select view_name from duckdb_views where temporary and not internal",
    "select table_name from information_schema.tables where table_catalog = 'temp'",
    "select distinct table_name from information_schema.columns"
    " where table_catalog = 'temp'",
    "select distinct table_name from duckdb_columns()"
    " where database_name = 'temp' and not internal",
    "select viewname from pg_views where schemaname = 'main' and viewname not like 'pg_%'"
    " and definition not like '%duckdb_%'",
    "with duckdb_views as (select 1) select view_name from system.main.duckdb_views"
    " where temporary and not internal",
    "with tables as (select 1)"
    " select table_name from information_schema.tables where table_catalog = 'temp'",
    "select name from (show all tables) where database = 'temp'",
]


@pytest.mark.parametrize("query", LISTS)
def test_a_list_of_tables_or_views_has_all(store: Store, query: str) -> None:
    with querying(store) as (_, ask):
        found = {name for (name,) in ask(query).fetchall()}

    assert found >= set(NAMES)


def test_every_list_that_duckdb_has_is_taken_for_one(
    parser: duckdb.DuckDBPyConnection,
) -> None:
    query = "select schema_name, view_name from duckdb_views() where internal"
    lists = parser.execute(query).fetchall()
    assert len(lists) > 20

    for schema, view in lists:
        query = f'with "{view}" as (select 1) from "{schema}"."{view}"'  # noqa: S608
        assert check(parser, query).names == set(NAMES), query


@pytest.mark.parametrize(("slip", "meant"), [("metric", "metrics"), ("Summery", "summary")])
def test_a_slip_is_answered_with_the_name_that_was_meant(
    store: Store, slip: str, meant: str
) -> None:
    with querying(store) as (_, ask), pytest.raises(QueryError) as caught:
        ask(f"from {slip}")

    assert f'{slip} does not exist! Did you mean "{meant}"' in str(caught.value)


def test_a_table_of_the_store_is_named_in_full(store: Store) -> None:
    with querying(store) as (_, ask):
        assert len(ask("from store.points").fetchall()) == 2
        assert len(ask("from store.main.summary s").fetchall()) == 2


@pytest.mark.parametrize("function", ["query('from metrics')", "query_table('metrics')"])
def test_a_table_is_not_named_by_a_text(store: Store, function: str) -> None:
    with querying(store) as (_, ask):
        with pytest.raises(QueryError, match=r"table function query\w* is not allowed"):
            ask(f"from {function}")


def test_a_query_s_process_has_what_is_named(store: Store) -> None:
    for _ in range(2):  # of which the second is made while the first one runs
        for name in ("summary", "metrics", "run_table", "params", "points", "runs"):
            assert len(store.sql(f"from {name}").fetchall()) == 2
        assert store.sql("select 1").fetchall() == [(1,)]


def test_the_views_of_the_file_are_another_matter(tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    with stepwell.init("digits", "first", store=path) as run:
        run.log({"loss": 0.5})
    store = open_store(path)
    store.runs()
    with duckdb.connect(str(path)) as opened:
        opened.execute("create or replace view summary as select 'forged' as run")
        opened.execute("create view sumary as select 'forged' as run")

    assert store.sql("select run from summary").fetchall() == [("first",)]
    assert store.sql("with x as (from SUMMARY) select run from x").fetchall() == [
        ("first",)
    ]
    with pytest.raises(QueryError, match="does not exist"):
        store.sql("from sumary")
