"""A user's SQL reads the store, and can do nothing else."""

import contextlib
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

SECRET = "the-secret-of-this-file"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("sandbox")
    with stepwell.init("digits", "first", store=folder / "runs.duckdb") as run:
        for number in range(10):
            run.log({"loss": number, "accuracy": -number})
    (folder / "secret.csv").write_text(f"column\n{SECRET}\n")
    return open_store(folder / "runs.duckdb")


ESCAPES = """
copy points to '{folder}/out.csv'
copy (select 1) to '{folder}/out.parquet'
copy points from '{folder}/secret.csv'
export database '{folder}/out'
import database '{folder}/out'
attach '{folder}/other.duckdb'
attach ':memory:' as m
attach '{folder}/other.db' (type sqlite)
detach runs
use memory
install httpfs
install 'httpfs' from community
force install json
load httpfs
load '{folder}/secret.csv'
update extensions
set threads = 8
set global memory_limit = '90GB'
set enable_external_access = true
set lock_configuration = false
set python_enable_replacements = true
set temp_directory = '{folder}'
set variable x = 1
reset threads
reset enable_external_access
pragma threads = 8
pragma enable_profiling
pragma enable_logging
pragma disable_checkpoint_on_shutdown
pragma enable_external_access = true
pragma import_database('{folder}')
create table t (i int)
create temp table t (i int)
create view v as select 1
create temp macro f() as 1
create type t as enum ('a')
create secret s (type s3)
create schema s
create sequence q
insert into points select * from points
insert into runs (run_id) values (uuid())
update runs set status = 'finished'
delete from points
truncate points
merge into runs using runs r on false when not matched then insert default values
drop table points
drop view metrics
alter table points add column x int
alter table points rename to p
comment on table points is 'x'
begin
commit
rollback
checkpoint
force checkpoint
vacuum
analyze
call pragma_version()
call enable_logging()
call dbgen(sf = 0.01)
prepare p as select 1
execute p
deallocate p
select 1; select 2
select 1; drop table points
pivot metrics on metric using avg(value); drop table points
pivot metrics on metric using avg(value); select 1
select 1; pivot metrics on metric using avg(value)
create type t as enum (select distinct metric from metrics); select 1
select * from read_csv('{folder}/secret.csv')
select * from read_csv_auto('{folder}/secret.csv')
select * from read_text('{folder}/secret.csv')
select * from read_blob('{folder}/secret.csv')
select * from read_json('{folder}/secret.csv')
select * from read_ndjson('{folder}/secret.csv')
select * from read_parquet('{folder}/secret.csv')
select * from parquet_metadata('{folder}/secret.csv')
select * from parquet_schema('{folder}/secret.csv')
select * from sniff_csv('{folder}/secret.csv')
select * from glob('{folder}/*')
select * from '{folder}/secret.csv'
from '{folder}/secret.csv'
select * from 'https://example.org/x.csv'
select * from read_csv('https://example.org/x.csv')
select * from sqlite_scan('{folder}/secret.csv', 't')
select * from postgres_scan('', '', '')
select * from query('copy points to ''{folder}/out.csv''')
select * from query('select * from read_text(''{folder}/secret.csv'')')
select * from query_table('{folder}/secret.csv')
select getenv('HOME')
select * from frame
select * from SECRET
select * from locals
describe '{folder}/secret.csv'
summarize '{folder}/secret.csv'
explain analyze copy points to '{folder}/out.csv'
explain analyze insert into points select * from points
explain analyze delete from points
explain analyze create table t as select 1
explain analyze set threads = 8
explain analyze select * from read_text('{folder}/secret.csv')
with t as (delete from points returning *) select * from t
select * from (copy points to '{folder}/out.csv')
explain (analyze, format json) copy points to '{folder}/out.csv'
explain analyze attach '{folder}/other.duckdb'
copy from database runs to memory
copy (from metrics) to '/dev/stdout'
attach 'md:'
use runs
alter database runs rename to other
create or replace temp view metrics as select 1
create persistent secret s (type http)
drop secret s
create macro f(x) as table select * from read_text(x)
insert or replace into points select * from points
set session threads = 8
set local threads = 8
pragma memory_limit = '90GB'
.shell id
.read {folder}/secret.csv
checkpoint runs
call checkpoint()
call force_checkpoint()
/* select 1 */ drop table points
/* select 1; */ drop table points
select 1 /* ; */ ; /* */ drop table points
explain select 1; drop table points
select * from read_text(['{folder}/secret.csv'])
select * from read_csv('file://{folder}/secret.csv')
select * from read_text('/proc/self/environ')
select * from read_csv('/dev/stdin')
select * from read_json_auto('{folder}/secret.csv')
select * from read_json_objects('{folder}/secret.csv')
select * from read_ndjson_objects('{folder}/secret.csv')
select * from parquet_scan('{folder}/secret.csv')
select * from parquet_file_metadata('{folder}/secret.csv')
select * from parquet_kv_metadata('{folder}/secret.csv')
select * from parquet_bloom_probe('{folder}/secret.csv', 'a', 1)
select * from read_duckdb('{folder}/runs.duckdb')
select * from read_xlsx('{folder}/secret.csv')
select * from read_avro('{folder}/secret.csv')
select * from st_read('{folder}/secret.csv')
select * from mysql_scan('', '', '')
select * from iceberg_scan('{folder}')
select * from delta_scan('{folder}')
select * from "{folder}/secret.csv"
select * from (values ('{folder}/secret.csv')) t(f), read_text(f)
select (select any_value(content) from read_text('{folder}/secret.csv'))
with t as (from read_text('{folder}/secret.csv')) from t
pivot '{folder}/secret.csv' on a using count(*)
pivot read_text('{folder}/secret.csv') on filename using count(*)
pivot (from read_text('{folder}/secret.csv')) on filename using count(*)
unpivot '{folder}/secret.csv' on a
from (pivot '{folder}/secret.csv' on a using count(*))
describe select * from read_text('{folder}/secret.csv')
summarize select * from read_text('{folder}/secret.csv')
explain select * from read_text('{folder}/secret.csv')
explain from '{folder}/secret.csv'
from query('from query(''from read_text("{folder}/secret.csv")'')')
from query_table(['{folder}/secret.csv'])
from json_execute_serialized_sql(json_serialize_sql('from ''{folder}/secret.csv'''))
from pandas_scan(0)
from arrow_scan(0, 0, 0)
select nextval('q')
from force_checkpoint('runs')
from enable_profiling(save_location = '{folder}/profile.json')
from sql_auto_complete('from ''{folder}/')
from query('insert into points select * from points returning *')
from query('drop table points')
from query('select 1; drop table points')
from query('select getenv(''HOME'')')
from query_table(['points', '{folder}/secret.csv'])
from query_table('"{folder}/secret.csv"')
from "{folder}/runs.duckdb".main.points
from '{folder}/runs.duckdb'
from '{folder}/*.csv'
from 'file:{folder}/secret.csv'
from 'pipe:cat {folder}/secret.csv |'
from '/dev/fd/0'
from 's3://bucket/key.parquet'
from 'hf://datasets/some/thing.csv'
from '{folder}/secret.csv' at (version => 1)
from (describe '{folder}/secret.csv')
from (summarize '{folder}/secret.csv')
show '{folder}/secret.csv'
select * from points, lateral (select content from read_text('{folder}/secret.csv'))
select * from points positional join read_text('{folder}/secret.csv')
select [content for content in (select list(content) from read_text('{folder}/secret.csv'))]
values ((select content from read_text('{folder}/secret.csv')))
select 1 where 1 in (select size from read_text('{folder}/secret.csv'))
select 1 limit (select size from read_text('{folder}/secret.csv'))
select 1 qualify (select true from read_text('{folder}/secret.csv'))
with recursive t as (from read_text('{folder}/secret.csv') union all from t) from t
with t(f) as materialized (from glob('{folder}/*')) from t
pivot points on (select content from read_text('{folder}/secret.csv')) using count(*)
pivot (from metrics) on metric using max((select getenv('HOME')))
pivot (select 1 as a) on a using count(*); attach '{folder}/other.duckdb'
create type t as enum (select 'a'); pivot (select 1 as a) on a using count(*)
create temp table t as (pivot metrics on metric using avg(value))
insert into points pivot metrics on metric using avg(value)
copy (pivot metrics on metric using avg(value)) to '{folder}/out.csv'
explain analyze copy (pivot metrics on metric using avg(value)) to '{folder}/out.csv'
explain analyze call enable_logging(storage = 'file', storage_path = '{folder}/log')
explain analyze checkpoint
explain analyze vacuum
explain set threads = 8
explain attach '{folder}/other.duckdb'
explain drop table points
explain analyze copy (select 1) to '{folder}/runs.duckdb' (format csv, use_tmp_file false)
explain analyze copy (select 1) to '{folder}/runs.duckdb.wal' (format csv)
explain (analyze) copy (select 1) to '{folder}/runs.duckdb.wal' (format csv)
explain(analyze,format json)copy (select 1) to '{folder}/runs.duckdb.wal' (format csv)
explain /* select 1 */ analyze copy (select 1) to '{folder}/runs.duckdb.wal' (format csv)
;explain analyze copy (select 1) to '{folder}/runs.duckdb.wal' (format csv)
\ufeffexplain analyze copy (select 1) to '{folder}/runs.duckdb.wal' (format csv)
\u00a0explain analyze copy (select 1) to '{folder}/runs.duckdb.wal' (format csv)
explain analyze call pragma_version()
explain
explain (analyze)
explain analyze export database '{folder}/out'
explain analyze install httpfs
explain analyze prepare p as select 1
explain analyze update runs set status = 'x'
explain analyze drop table points
explain (format json, analyze) insert into points select * from points
copy database runs to memory
attach or replace '{folder}/other.duckdb' as runs
update extensions (json)
set search_path = 'x'
reset all
start transaction
abort
call query('select 1')
create trigger t after insert on points select 1
create index i on points(step)
drop schema main cascade
from read_text_auto('{folder}/secret.csv')
from parquet_full_metadata('{folder}/secret.csv')
from query_table('frame')
from python_map_function(0)
select pg_read_file('{folder}/secret.csv')
select write_file('{folder}/out.csv', 'x')
select load_extension('x')
select readfile('{folder}/secret.csv')
"""


@pytest.mark.parametrize("query", ESCAPES.strip().splitlines())
def test_no_query_gets_out(store: Store, query: str) -> None:
    folder = store.location.parent
    frame = {"column": np.array([1.0])}
    before = store.location.read_bytes()
    files = sorted(path.name for path in folder.iterdir())

    with pytest.raises(QueryError) as caught:
        store.sql(query.format(folder=folder))

    assert frame
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert sorted(path.name for path in folder.iterdir()) == files
    assert store.location.read_bytes() == before


WITHOUT_EFFECT = """
from read_duckdb('{folder}/runs.duckdb', table_name = 'points')
from checkpoint()
from enable_logging('QueryLog', storage = 'file', storage_path = '{folder}/log')
from enable_logging(level = 'trace', storage = 'file', storage_path = '{folder}/log')
from truncate_duckdb_logs()
from duckdb_databases()
from duckdb_secrets()
select json_serialize_plan('copy points to ''{folder}/out.csv''')
pragma table_info('points')
select 1 -- ; drop table points
;select 1;;
"""


@pytest.mark.parametrize("query", WITHOUT_EFFECT.strip().splitlines())
def test_what_is_let_through_changes_nothing(store: Store, query: str) -> None:
    folder = store.location.parent
    before = store.location.read_bytes()
    files = sorted(path.name for path in folder.iterdir())

    with contextlib.suppress(QueryError):  # DuckDB's versions differ in what they allow
        assert SECRET not in repr(store.sql(query.format(folder=folder)).fetchall())

    assert sorted(path.name for path in folder.iterdir()) == files
    assert store.location.read_bytes() == before


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
