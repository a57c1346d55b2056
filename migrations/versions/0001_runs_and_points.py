"""Runs, points, and the views over them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0001"
down_revision = None

# From the step at which a later attempt began, an attempt's points are superseded.
SUPERSEDED = """
create view superseded_ as
with attempts as (
    select run_id, attempt, min(first_step) as first_step, max(last_step) as last_step
    from totals_ group by run_id, attempt
)
select a.run_id, a.attempt, min(b.first_step) as from_step
from attempts a join attempts b on a.run_id = b.run_id and a.attempt < b.attempt
group by a.run_id, a.attempt
having min(b.first_step) <= max(a.last_step)
"""

METRICS = """
create view metrics as
select
    r.name as run, p.run_id, r.project, r.group_name,
    p.metric, p.step, p.time, p.value, p.rank, p.attempt
from points p
join runs r on r.run_id = p.run_id
left join superseded_ s on s.run_id = p.run_id and s.attempt = p.attempt
where s.from_step is null or p.step < s.from_step
"""

SUMMARY = """
create view summary as
with redone as (select distinct run_id from superseded_),
parts as (
    select
        run_id, metric, position, count, non_finite, total, minimum, minimum_step,
        maximum, maximum_step, first_time, first_step, last_step, last_time, last_value
    from totals_ where run_id not in (select run_id from redone)
    union all
    select
        p.run_id, p.metric, min(t.position), count(*),
        count(*) filter (not isfinite(p.value)),
        coalesce(sum(p.value) filter (isfinite(p.value)), 0),
        min(p.value) filter (isfinite(p.value)),
        arg_min(p.step, (p.value, p.step)) filter (isfinite(p.value)),
        max(p.value) filter (isfinite(p.value)),
        arg_min(p.step, (-p.value, p.step)) filter (isfinite(p.value)),
        min(p.time), min(p.step), max(p.step),
        arg_max(p.time, (p.step, p.time)), arg_max(p.value, (p.step, p.time))
    from points p
    join totals_ t on t.run_id = p.run_id and t.metric = p.metric
        and t.rank = p.rank and t.attempt = p.attempt
    left join superseded_ s on s.run_id = p.run_id and s.attempt = p.attempt
    where p.run_id in (select run_id from redone)
        and (s.from_step is null or p.step < s.from_step)
    group by p.run_id, p.metric
),
whole as (
    select
        run_id, metric,
        arg_max(last_value, (last_step, last_time)) as current,
        min(minimum) as min, max(maximum) as max,
        sum(total) / nullif(sum(count - non_finite), 0) as mean,
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
from whole w join runs r on r.run_id = w.run_id
"""

PARAMS = """
create view params as
select r.name as run, p.run_id, r.project, r.group_name, p.key, p.text, p.number
from params_ p join runs r on r.run_id = p.run_id
"""

RUN_TABLE = """
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
from runs r left join extent e on e.run_id = r.run_id
"""


def upgrade() -> None:
    _create_tables()
    _create_tables_of_the_store()
    for view in (SUPERSEDED, METRICS, SUMMARY, PARAMS, RUN_TABLE):
        op.execute(view)


def _create_tables() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("project", sa.String),
        sa.Column("group_name", sa.String),
        sa.Column("tags", ARRAY(sa.String)),
        sa.Column("notes", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("config", sa.JSON),
        sa.Column("created_at", sa.TIMESTAMP),
        sa.Column("finished_at", sa.TIMESTAMP),
        sa.Column("host", sa.String),
        sa.Column("pid", sa.BigInteger),
        sa.Column("user_name", sa.String),
        sa.Column("command", sa.String),
        sa.Column("working_dir", sa.String),
        sa.Column("git_commit", sa.String),
        sa.Column("git_dirty", sa.Boolean),
        sa.Column("python_version", sa.String),
        sa.Column("exit_message", sa.String),
        sa.Column("attempt", sa.SmallInteger, nullable=False),
        sa.Column("lost_calls", sa.BigInteger, nullable=False),
        sa.Column("layout", sa.JSON),
    )
    op.create_table(
        "points",
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("metric", sa.String, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("time", sa.TIMESTAMP, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("attempt", sa.SmallInteger, nullable=False),
    )


def _create_tables_of_the_store() -> None:
    op.create_table(
        "params_",
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("text", sa.String),
        sa.Column("number", sa.Double),
    )
    op.create_table(
        "totals_",
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("metric", sa.String, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("attempt", sa.SmallInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("non_finite", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Double, nullable=False),
        sa.Column("minimum", sa.Double),
        sa.Column("minimum_step", sa.BigInteger),
        sa.Column("maximum", sa.Double),
        sa.Column("maximum_step", sa.BigInteger),
        sa.Column("first_time", sa.TIMESTAMP, nullable=False),
        sa.Column("first_step", sa.BigInteger, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("last_time", sa.TIMESTAMP, nullable=False),
        sa.Column("last_value", sa.Double, nullable=False),
    )
    op.create_table(
        "journals_",
        sa.Column("writer", sa.String, nullable=False),
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("attempt", sa.SmallInteger, nullable=False),
        sa.Column("is_primary", sa.Boolean, nullable=False),
        sa.Column("folded_bytes", sa.BigInteger, nullable=False),
        sa.Column("skipped_bytes", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.String),
        sa.Column("last_sign", sa.TIMESTAMP, nullable=False),
    )
    op.create_table(
        "names_",
        sa.Column("writer", sa.String, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("names", ARRAY(sa.String), nullable=False),
    )
