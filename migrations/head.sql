-- Revision 0003; `python -m stepwell.migrations.head` writes this file.
CREATE TABLE alembic_version(version_num VARCHAR, PRIMARY KEY(version_num));
CREATE TABLE attempts_(run_id UUID NOT NULL, attempt INTEGER NOT NULL, rank SMALLINT NOT NULL, writer VARCHAR NOT NULL, follows INTEGER NOT NULL, started_at TIMESTAMP NOT NULL, number INTEGER NOT NULL);
CREATE TABLE figures(name VARCHAR, kind VARCHAR NOT NULL, spec JSON NOT NULL, saved_at TIMESTAMP NOT NULL, PRIMARY KEY(name));
CREATE TABLE journals_(writer VARCHAR NOT NULL, run_id UUID NOT NULL, rank SMALLINT NOT NULL, attempt INTEGER NOT NULL, is_primary BOOLEAN NOT NULL, folded_bytes BIGINT NOT NULL, skipped_bytes BIGINT NOT NULL, ended VARCHAR, last_sign TIMESTAMP NOT NULL, message VARCHAR);
CREATE TABLE names_(writer VARCHAR NOT NULL, number BIGINT NOT NULL, names VARCHAR[] NOT NULL);
CREATE TABLE params_(run_id UUID NOT NULL, key VARCHAR NOT NULL, text VARCHAR, number DOUBLE);
CREATE TABLE points(run_id UUID NOT NULL, metric VARCHAR NOT NULL, step BIGINT NOT NULL, time TIMESTAMP NOT NULL, value DOUBLE NOT NULL, rank SMALLINT NOT NULL, attempt INTEGER NOT NULL);
CREATE TABLE runs(run_id UUID, name VARCHAR NOT NULL, project VARCHAR, group_name VARCHAR, tags VARCHAR[], notes VARCHAR, status VARCHAR NOT NULL, config JSON, created_at TIMESTAMP, finished_at TIMESTAMP, host VARCHAR, pid BIGINT, user_name VARCHAR, command VARCHAR, working_dir VARCHAR, git_commit VARCHAR, git_dirty BOOLEAN, python_version VARCHAR, exit_message VARCHAR, attempt SMALLINT NOT NULL, lost_calls BIGINT NOT NULL, layout JSON, PRIMARY KEY(run_id));
CREATE TABLE totals_(run_id UUID NOT NULL, metric VARCHAR NOT NULL, rank SMALLINT NOT NULL, attempt INTEGER NOT NULL, position BIGINT NOT NULL, count BIGINT NOT NULL, non_finite BIGINT NOT NULL, total DOUBLE NOT NULL, minimum DOUBLE, minimum_step BIGINT, maximum DOUBLE, maximum_step BIGINT, first_time TIMESTAMP NOT NULL, first_step BIGINT NOT NULL, last_step BIGINT NOT NULL, last_time TIMESTAMP NOT NULL, last_value DOUBLE NOT NULL, superseded_from BIGINT);
create view params as
select r.name as run, p.run_id, r.project, r.group_name, p.key, p.text, p.number
from params_ p join runs r on r.run_id = p.run_id;
create view run_table as
with extent as (
    select
        run_id, count(distinct metric) as metrics, sum(count)::bigint as points,
        min(first_step) as first_step, max(last_step) as last_step,
        max(last_time) as last_time
    from totals_ group by run_id
)
select
    r.name as run, r.run_id, r.project, r.group_name, r.status, r.tags, r.notes,
    r.created_at, r.finished_at,
    epoch(coalesce(r.finished_at, e.last_time) - r.created_at) as seconds,
    coalesce(e.metrics, 0) as metrics, coalesce(e.points, 0) as points,
    e.first_step, e.last_step, e.last_time,
    r.config, r.host, r.user_name, r.command, r.git_commit, r.git_dirty,
    r.exit_message, r.attempt, r.lost_calls
from runs r left join extent e on e.run_id = r.run_id;
create view superseded_ as
select run_id, metric, rank, attempt, superseded_from as from_step
from totals_ where superseded_from <= last_step;
create view metrics as
select
    r.name as run, p.run_id, r.project, r.group_name,
    p.metric, p.step, p.time, p.value, p.rank, r.attempt
from points p join runs r on r.run_id = p.run_id
where r.attempt = 1
union all
select
    r.name as run, p.run_id, r.project, r.group_name,
    p.metric, p.step, p.time, p.value, p.rank, coalesce(n.number, 1) as attempt
from points p
join runs r on r.run_id = p.run_id
left join (select distinct run_id, attempt, number from attempts_) n
    on n.run_id = p.run_id and n.attempt = p.attempt
left join superseded_ s on s.run_id = p.run_id and s.metric = p.metric
    and s.rank = p.rank and s.attempt = p.attempt
where r.attempt <> 1 and (s.from_step is null or p.step < s.from_step);
create view summary as
with parts as (
    select
        run_id, metric, position, count, non_finite, total,
        total * 5.421010862427522e-20 as scaled, minimum, minimum_step,
        maximum, maximum_step, first_time, first_step, last_step, last_time, last_value
    from totals_
    where (superseded_from is null or superseded_from > last_step) and isfinite(total)
    union all
    select
        p.run_id, p.metric, min(t.position), count(*),
        count(*) filter (not isfinite(p.value)),
        coalesce(sum(p.value) filter (isfinite(p.value)), 0),
        coalesce(sum(p.value * 5.421010862427522e-20) filter (isfinite(p.value)), 0),
        min(p.value) filter (isfinite(p.value)),
        arg_min(p.step, (p.value, p.step)) filter (isfinite(p.value)),
        max(p.value) filter (isfinite(p.value)),
        arg_min(p.step, (-p.value, p.step)) filter (isfinite(p.value)),
        min(p.time), min(p.step), max(p.step),
        arg_max(p.time, (p.step, p.time)), arg_max(p.value, (p.step, p.time))
    from points p
    join totals_ t on t.run_id = p.run_id and t.metric = p.metric
        and t.rank = p.rank and t.attempt = p.attempt
    where (t.superseded_from <= t.last_step or not isfinite(t.total))
        and (t.superseded_from is null or p.step < t.superseded_from)
    group by p.run_id, p.metric
),
whole as (
    select
        run_id, metric,
        arg_max(last_value, (last_step, last_time)) as current,
        min(minimum) as min, max(maximum) as max,
        case when isfinite(sum(total))
            then sum(total) / nullif(sum(count - non_finite), 0)
            else least(max(maximum), greatest(min(minimum),
                sum(scaled) / nullif(sum(count - non_finite), 0)
                * 18446744073709551616::double)) end as mean,
        sum(count)::bigint as count, sum(non_finite)::bigint as non_finite,
        arg_min(minimum_step, (minimum, minimum_step)) as min_step,
        arg_min(maximum_step, (-maximum, maximum_step)) as max_step,
        min(first_step) as first_step, max(last_step) as last_step,
        max(last_time) as last_time, min(first_time) as first_time,
        min(position) as position
    from parts group by run_id, metric
)
select
    r.name as run, w.run_id, r.project, r.group_name, w.metric,
    w.current, w.min, w.max, w.mean, w.count, w.non_finite, w.min_step, w.max_step,
    w.first_step, w.last_step, w.first_time, w.last_time, w.position
from whole w join runs r on r.run_id = w.run_id;
insert into alembic_version values ('0003');
