# Queries that people read with, one a line
select count(*) from metrics
SELECT count(*) FROM metrics;
;select 1;;
select 1 -- ; drop table points
/* what */ select /* is */ 1 -- this
select /* a /* nested */ comment */ 1
select 'it''s; -- no /* comment'
select $$it's; -- no /* comment$$, $tag$ $$ $tag$
select e'\\'; drop table points; --'
select 1\u00a0as\u2003a
\ufeffselect 1
select "value" as "a ""quoted"" name" from points
select 'größer', '测试', '🙂'
from metrics
from metrics select max(step)
from metrics select metric, value where step > 3 order by value desc limit 3
table runs
values (1), (2)
(select 1)
((select 1) union all (select 2)) order by 1
select 1 union select 2 intersect select 2 except select 3
select 1 as a union all by name select 2 as b
with t as (select 1 as i) select * from t
with t as materialized (from metrics), u as not materialized (from t) from u
with recursive t as (select 1 i union all select i + 1 from t where i < 3) from t
with recursive t(a, b) using key (a) as (select 1, 2 union select a, b + 1 from t where b < 5) from t
select * from (select * from (select 1))
select (select max(value) from metrics), exists (from runs), 1 in (select 1), 2 > all (select 1)
select array(select step from metrics where metric = 'loss' order by step)
select * from runs r, lateral (select max(value) from metrics m where m.run_id = r.run_id)
select r.name, m.value from runs r join metrics m using (run_id)
select * from runs natural join summary
select * from runs left join params using (run_id)
select * from runs semi join metrics using (run_id)
select * from runs anti join metrics using (run_id)
select * from runs cross join (values (1), (2)) t(i)
select * from runs positional join summary
select a.step, b.value from metrics a asof join metrics b on a.run_id = b.run_id and a.step >= b.step
select metric, min(value), max(value), avg(value), stddev(value) from metrics group by metric
select metric, count(*) from metrics group by all order by all
select metric, step % 2, count(*) from metrics group by grouping sets ((metric), (metric, step % 2), ())
select metric, run, count(*) from metrics group by cube (metric, run)
select metric, run, count(*) from metrics group by rollup (metric, run)
select metric, count(*) as n from metrics group by metric having n > 3
select distinct metric from metrics
select distinct on (metric) metric, step, value from metrics order by metric, step desc
select step, value, value - lag(value) over (partition by metric order by step) as change from metrics
select step, avg(value) over w from metrics window w as (order by step rows between 3 preceding and current row)
select * from metrics qualify row_number() over (partition by metric order by value desc) <= 2
select metric, value, ntile(4) over (order by value), percent_rank() over (order by value) from metrics
select quantile_cont(value, [0.1, 0.5, 0.9]), median(value), mode(metric), mad(value) from metrics
select arg_max(step, value), arg_min(step, value), first(value order by step), any_value(metric) from metrics
select list(value order by step), string_agg(metric, ', ' order by step), histogram(step) from metrics
select approx_count_distinct(step), approx_quantile(value, 0.5), corr(step, value), regr_slope(value, step) from metrics
select count(*) filter (value > 3), sum(value) filter (metric = 'loss') from metrics
select case when value > 3 then 'high' when value > 1 then 'middle' else 'low' end from metrics
select coalesce(notes, '-'), nullif(name, ''), ifnull(project, '?'), greatest(1, 2), least(1, 2) from runs
select cast(value as integer), value::varchar, try_cast('x' as int), step::double / 3 from metrics
select * exclude (run_id) from metrics
select * replace (round(value, 2) as value) from metrics
select * rename (value as v) from metrics
select columns('s.*') from metrics
select min(columns(* exclude (run_id, time, metric, run, project, group_name))) from metrics
select config->>'$.lr', json_extract(config, '$.lr'), json_keys(config) from runs
select config.lr, config['lr'] from runs
select j.key, j.value from runs, json_each(config) j
select metric, sum(value) / 3 + 1 from metrics group by 1 order by 2 desc, 1 nulls first
select * from json_each('{{"a": 1, "b": [2]}}')
select * from json_tree('{{"a": 1, "b": [2]}}')
select json_object('a', 1), json_array(1, 2), to_json(tags), json_structure(config) from runs
select unnest([1, 2, 3]), unnest({{'a': 1, 'b': 2}})
select * from unnest([1, 2, 3]) t(i)
select tag, count(*) from (select unnest(tags) as tag from runs) group by tag
select [x * 2 for x in [1, 2, 3] if x > 1], list_transform([1, 2], lambda x: x + 1), list_sum([1, 2])
select list_filter([1, 2, 3], lambda x: x > 1), list_reduce([1, 2, 3], lambda a, b: a + b), list_sort([3, 1])
select {{'a': 1, 'b': 'x'}}, map {{'k': 1}}, [1, 2][1], struct_pack(a := 1), array_value(1, 2)
select * from range(3)
select * from range(timestamp '2026-01-01', timestamp '2026-01-03', interval 1 day)
select * from generate_series(1, 10, 3) g(step) left join metrics using (step)
select g.step, m.value from generate_series(0, 12) g(step) left join metrics m on m.step = g.step and metric = 'loss'
select * from repeat('x', 3)
from histogram(metrics, value)
from metrics using sample 3
select * from metrics tablesample reservoir(5)
select * from metrics order by value desc nulls last limit 3 offset 1
select * from metrics limit 10%
select created_at::date, date_trunc('hour', created_at), extract(year from created_at), age(created_at) from runs
select strftime(created_at, '%Y-%m-%d'), epoch(created_at), now() > created_at, current_date, today() from runs
select time_bucket(interval 1 minute, time) as minute, count(*) from points group by minute
select created_at at time zone 'UTC', created_at + interval 3 days, interval '1' hour * 2 from runs
select name like 'f%', name ilike 'F%', name ~ '^f', name similar to 'f.*', regexp_matches(name, 'i') from runs
select upper(name), length(name), substring(name, 1, 2), name[1:2], concat_ws('-', name, project), format('{{}}', name) from runs
select split_part(metric, '/', 1), replace(metric, 'o', '0'), printf('%.2f', value), lpad('1', 3, '0') from metrics
select md5(name), hash(name), sha256(name), base64('a'::blob), levenshtein(name, project) from runs
select isnan(value), isinf(value), isfinite(value), 'nan'::double, 'inf'::double from metrics
select round(value, 1), abs(value), sqrt(abs(value)), ln(1 + abs(value)), power(value, 2), value ** 2, 7 // 2, 7 % 2 from metrics
select null, true, 1.5::decimal(4, 1), [1, 2], 170141183460469231731687303715884105727, 'x'::blob, uuid()
select random() < 2, setseed(0.5) is null
select current_setting('threads'), version(), current_schema(), current_database()
select typeof(value), pg_typeof(step), typeof({{'a': 1}}) from metrics limit 1
select value from metrics where metric in ('loss', 'accuracy') and step between 2 and 4 and value is not null
select value from metrics where (metric, step) in (('loss', 3), ('loss', 4))
select count(*) from runs where status = 'finished' and list_contains(tags, 'baseline') or tags = []
select x: value, y: step from metrics
select value.round(1).abs() from metrics
pivot metrics on metric using avg(value) group by run
pivot metrics on metric using avg(value), count(*) group by run order by run limit 3
pivot metrics on metric, step % 2 using max(value)
pivot metrics on step % 2 using max(value) group by metric
pivot metrics on metric in ('loss') using max(value) group by run
pivot metrics on metric in ('loss', 'accuracy'), step in (1, 2) using max(value)
pivot (from metrics where step < 3) on metric using sum(value)
pivot (from metrics join runs using (run_id)) on metric || '!' using sum(value) group by status
pivot metrics on lower(metric), (step), step::varchar, [step][1] using max(value)
pivot metrics on case when step > 3 then 'a' else 'b' end using max(value)
pivot (from metrics a join metrics b on a.step = b.step) on metric using count(*)
pivot_wider metrics on metric using sum(value)
select * from (pivot metrics on metric using count(*) group by run)
with p as (pivot metrics on metric using sum(value) group by run) from p
with a as (pivot metrics on metric using sum(value) group by run), b as (pivot metrics on step using max(value) group by run) from a join b using (run)
pivot (pivot metrics on metric using sum(value) group by run, step) on run using count(*) /* of two */
PIVOT metrics ON metric USING avg(value) -- a comment
from metrics pivot (count(value) for metric in ('loss') group by run)
unpivot (select 1 as a, 2 as b) on a, b
unpivot (select run, min, max, mean from summary) on min, max, mean into name what value number
from (select 1 as a, 2 as b) unpivot (v for n in (a, b))
describe
describe metrics
describe select * from runs
desc runs
show
show tables
show all tables
show databases
show metrics
summarize metrics
summarize select step, value from points
from (describe metrics)
from (show tables)
select column_name from (summarize metrics)
explain select * from points
explain analyze select count(*) from points
explain (analyze, format json) (select count(*) from points)
explain (format json) select 1
explain (analyze) from metrics
explain (select 1) union select 2
EXPLAIN /* what */ ANALYZE -- this does\nSELECT 1;
explain with t as (select 1) from t
explain values (1)
explain from metrics limit 1
explain describe points
explain pivot metrics on metric in ('loss') using avg(value)
explain analyze pivot metrics on metric using avg(value)
from duckdb_tables()
from duckdb_columns()
from duckdb_views() where not internal
select function_name from duckdb_functions() where function_name like 'list_%'
select * from information_schema.tables
select * from information_schema.columns where table_name = 'runs'
select * from pg_catalog.pg_tables
select * from runs where name = (select name from run_table order by points desc limit 1)
select sum(i) from generate_series(1, 100) t(i) where i % 3 = 0
with bins as (select floor(value) as bin, count(*) as n from metrics group by bin) select bin, n, bar(n, 0, 20, 10) from bins
select * from (values (1, 'a'), (2, 'b')) t(i, s) where i = any ([1, 3])
select row(1, 2) = row(1, 2), (1, 2)[1], not false, 1 is distinct from null, 5 & 3, 1 << 2
