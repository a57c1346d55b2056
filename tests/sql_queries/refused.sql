# Queries that are refused, one a line; {folder} is the store's
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
# Comments, quotes and spaces that hide what is behind
explain (analyze /*) select 1 --*/) copy (select 1) to '{folder}/runs.duckdb' (format csv)
explain (analyze /*) select 1 --*/) copy (select 1) to '{folder}/out.csv'
explain (analyze --) select 1\n) copy (select 1) to '{folder}/out.csv'
explain (analyze /* /* */ ) select 1 */) copy (select 1) to '{folder}/out.csv'
explain analyze /*) select 1 --*/ copy (select 1) to '{folder}/out.csv'
explain (format 'json') copy (select 1) to '{folder}/out.csv'
explain (analyze, format $$json$$) copy (select 1) to '{folder}/out.csv'
explain ( analyze ) ( copy (select 1) to '{folder}/out.csv' )
explain (select 1) copy (select 1) to '{folder}/out.csv'
explain ((select 1)) copy (select 1) to '{folder}/out.csv'
explain explain analyze copy (select 1) to '{folder}/out.csv'
explain analyze explain analyze copy (select 1) to '{folder}/out.csv'
explain verbose copy (select 1) to '{folder}/out.csv'
explain analyse copy (select 1) to '{folder}/out.csv'
/* a */ explain /* b */ analyze /* c */ copy /* d */ (select 1) to '{folder}/out.csv'
EXPLAIN\u2003ANALYZE COPY (SELECT 1) TO '{folder}/out.csv'
\u200bcopy (select 1) to '{folder}/out.csv'
select 1 /* unterminated
select 'unterminated
select $$ unterminated
select $tag$ $$ ; drop table points
select "unterminated
select $a$ ; drop table points; $a$; drop table points
select 1; -- a\ndrop table points
with a as (select 1) /* ) select 1 */ delete from points
with a as (select 1) insert into points select * from points
with a as (select 1) update runs set status = 'x'
with a as (insert into runs (run_id) values (uuid()) returning *) select * from a
with a as (update runs set status = 'x' returning *) select * from a
with a as (delete from points returning *), b as (select 1) select * from b
with a as (with b as (delete from points returning *) select * from b) select * from a
select (with a as (delete from points returning *) select count(*) from a)
select * from (with a as (delete from points returning *) select * from a)
explain analyze with a as (delete from points returning *) select * from a
pivot (with a as (delete from points returning *) from a) on metric using count(*)
with a as (merge into runs using runs r on false when not matched then insert default values returning *) from a
with a as (copy points to '{folder}/out.csv') select 1
with a as materialized (truncate points) select 1
select * from (delete from points returning *)
select * from (values (1)) union all delete from points
# Temporary objects
create temporary table t as select 1
create or replace temp table t (i int)
create temp view v as select 1
create temporary view points as select 1
create temp sequence s
create temp type e as enum ('a', 'b')
create temp macro g(a) as a + 1
create temp macro g() as table select 1
create local temp table t (i int)
create table temp.t (i int)
create table memory.t (i int)
create table memory.main.t as select 1
create schema memory.s
select 1 into t
insert into temp.t values (1)
drop table temp.t
drop type e
drop macro g
declare c cursor for select 1
set variable y = (select count(*) from points)
reset variable y
pragma table_info('points')
pragma storage_info('points')
pragma database_list
pragma show_tables
pragma version
pragma functions
pragma database_size
pragma user_agent
pragma platform
pragma metadata_info
pragma collations
pragma add_parquet_key('k', '0123456789112345')
pragma verify_parallelism
pragma force_checkpoint
pragma enable_profiling = 'json'
pragma profiling_output = '{folder}/profile.json'
pragma log_query_path = '{folder}/log.sql'
pragma copy_database('runs', 'memory')
pragma json_execute_serialized_sql('{{}}')
call pragma_table_info('points')
call range(3)
call repeat(1, 2)
call enable_profiling()
call disable_logging()
call truncate_duckdb_logs()
call duckdb_tables()
call json_execute_serialized_sql(json_serialize_sql('select 1'))
execute p(1)
prepare p as pivot metrics on metric using avg(value)
explain analyze execute p
explain call range(3)
load 'json'
install json from core
attach 'https://example.org/x.duckdb'
attach ':memory:' as other
attach '{folder}/runs.duckdb' as again
attach '{folder}/runs.duckdb' as again (read_only)
detach memory
detach database runs
use temp
use store
set schema = 'temp'
set memory_limit = '-1'
set max_temp_directory_size = '90GB'
set allowed_directories = ['/']
set allowed_paths = ['{folder}/secret.csv']
set secret_directory = '{folder}'
set extension_directory = '{folder}'
set home_directory = '{folder}'
set log_query_path = '{folder}/log.sql'
set profiling_output = '{folder}/profile.json'
set enable_logging = true
set logging_storage = 'file'
set custom_extension_repository = 'https://example.org'
set allow_unsigned_extensions = true
set disabled_filesystems = ''
set enable_http_metadata_cache = true
set http_proxy = 'example.org'
copy points to '{folder}/out.parquet' (format parquet)
copy points to '{folder}/out' (format csv, partition_by (metric))
copy points to '{folder}/runs.duckdb'
copy points to '/dev/null'
copy runs from '{folder}/secret.csv' (format csv)
copy (pivot metrics on metric in ('loss') using avg(value)) to '{folder}/out.csv'
copy (select 1) to 'https://example.org/x.csv'
copy (select 1) to '/proc/self/oom_score_adj'
export database '{folder}/out' (format parquet)
vacuum points
vacuum full
analyze points
reindex points
refresh materialized view m
grant select on points to public
lock table points
notify x
listen x
kill 1
shutdown
# Table functions, however they are called
from main.range(3)
from system.main.range(3)
from system.main.read_text('{folder}/secret.csv')
from "read_text"('{folder}/secret.csv')
from READ_TEXT('{folder}/secret.csv')
from "Read_Text"('{folder}/secret.csv')
from read_text/* */('{folder}/secret.csv')
from read_text -- )\n('{folder}/secret.csv')
from points, read_text('{folder}/secret.csv')
from points join read_text('{folder}/secret.csv') on true
from points left join glob('{folder}/*') on true
from range(1) union all select size from read_text('{folder}/secret.csv')
from (from (from (from read_text('{folder}/secret.csv'))))
from range((select count(*) from read_text('{folder}/secret.csv')))
select exists (from read_text('{folder}/secret.csv'))
select 1 = any (select size from read_text('{folder}/secret.csv'))
select list_transform([1], lambda x: (select content from read_text('{folder}/secret.csv')))
select array(select content from read_text('{folder}/secret.csv'))
select max(value) filter ((select true from read_text('{folder}/secret.csv'))) from points
select sum(value) over (order by (select size from read_text('{folder}/secret.csv'))) from points
select 1 order by (select size from read_text('{folder}/secret.csv'))
select 1 group by (select size from read_text('{folder}/secret.csv'))
select count(*) from points having (select true from read_text('{folder}/secret.csv'))
select columns(lambda c: c = (select content from read_text('{folder}/secret.csv'))) from points
select distinct on ((select size from read_text('{folder}/secret.csv'))) step from points
select * replace ((select content from read_text('{folder}/secret.csv')) as step) from points
select case when true then (select content from read_text('{folder}/secret.csv')) end
select 1 offset (select size from read_text('{folder}/secret.csv'))
select value from points where step between 0 and (select size from read_text('{folder}/secret.csv'))
values (1), ((select size from read_text('{folder}/secret.csv')))
unpivot (from read_text('{folder}/secret.csv')) on size
unpivot read_text('{folder}/secret.csv') on size
pivot metrics on metric in ('loss') using max((select size from read_text('{folder}/secret.csv')))
pivot metrics on metric using max((select size from read_text('{folder}/secret.csv')))
pivot metrics on (select content from read_text('{folder}/secret.csv')) using count(*)
pivot metrics on metric, (select content from read_text('{folder}/secret.csv')) using count(*)
pivot metrics on metric in (select content from read_text('{folder}/secret.csv')) using count(*)
pivot metrics join read_text('{folder}/secret.csv') on true on metric using count(*)
pivot (from metrics, enable_logging(storage = 'file', storage_path = '{folder}/log')) on metric using count(*)
with p as (pivot metrics on metric using sum(value)) from p, glob('{folder}/*')
from (pivot metrics on metric using sum(value)), read_text('{folder}/secret.csv')
from glob('{folder}/*'), (pivot metrics on metric using sum(value))
explain pivot read_text('{folder}/secret.csv') on filename using count(*)
explain analyze pivot (from glob('{folder}/*')) on file using count(*)
describe read_text('{folder}/secret.csv')
describe from glob('{folder}/*')
describe select * from enable_logging()
summarize glob('{folder}/*')
summarize from enable_logging()
show read_text('{folder}/secret.csv')
from (describe from glob('{folder}/*'))
from (summarize from glob('{folder}/*'))
from (show '{folder}/secret.csv')
from enable_logging(storage = 'file')
from enable_logging('QueryLog', storage = 'file', storage_path = '{folder}/log')
from enable_logging(level = 'trace', storage = 'file', storage_path = '{folder}/log')
from enable_profiling()
from disable_profiling()
from disable_logging()
from checkpoint()
from checkpoint('runs')
from checkpoint(runs)
from force_checkpoint()
from truncate_duckdb_logs()
from duckdb_logs()
from duckdb_logs_parsed('QueryLog')
from duckdb_secrets()
from which_secret('s3://bucket', 's3')
from duckdb_extensions()
from duckdb_temporary_files()
from pragma_table_info('points')
from pragma_storage_info('points')
from pragma_database_size()
from pragma_user_agent()
from pragma_metadata_info()
from read_duckdb('{folder}/runs.duckdb', table_name = 'points')
from read_duckdb('{folder}/*.duckdb')
from seq_scan('points')
from arrow_scan_dumb(0, 0, 0)
from test_all_types()
from query('select 1')
from query_table('points')
from query_table(['points', 'points'])
from summary(points)
from register_external_resource('x')
from add_grammar_extension('x')
from create_external_resource('x', 'y')
select json_serialize_plan('copy points to ''{folder}/out.csv''')
select json_serialize_plan('from read_text(''{folder}/secret.csv'')')
select write_log('x')
select 'x'.write_log()
select write_log('x', scope := 'connection', level := 'error')
select max(write_log(metric)) from points
select list_transform([1], lambda x: write_log('x'))
select nextval('q'), currval('q')
select setval('q', 7)
select "getenv"('HOME')
from points where write_log('x') is null
pivot (from runs a join runs b on true, read_text('{folder}/secret.csv')) on name using count(*)
pivot (from runs a join runs b on (true), glob('{folder}/*'), points) on file using count(*)
from (pivot metrics on metric using sum(value)) a join runs on true, enable_logging()
explain analyze pivot (from runs a join runs b on true, read_text('{folder}/secret.csv')) on name using count(*)
pivot metrics on metric using sum(value); pivot metrics on metric using max(value)
pivot metrics on metric using sum(value); create table t as pivot metrics on metric using max(value)
explain analyze pivot metrics on metric using sum(value); pivot metrics on metric using max(value)
