"""Attempts by identity, and by metric and rank what later ones supersede."""

import json
import math
from collections.abc import Iterator
from zlib import crc32

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

VIEWS = ("superseded_", "metrics", "summary")

SUPERSEDED = """
create view superseded_ as
select run_id, metric, rank, attempt, superseded_from as from_step
from totals_ where superseded_from <= last_step
"""

# Runs of one attempt, which need no join, and then the others.
METRICS = """
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
where r.attempt <> 1 and (s.from_step is null or p.step < s.from_step)
"""

# What is superseded in part is added up again from its points, as is what a sum of doubles
# cannot hold. There values are added as 1/2**64 of what they are.
SUMMARY = """
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
from whole w join runs r on r.run_id = w.run_id
"""

# A writer's journal may be forgotten; its points tell of it.
KNOWN_PARTS = """
select
    t.run_id::varchar, t.attempt, t.rank, coalesce(j.writer, '') as writer,
    coalesce(j.is_primary, true), epoch_us(t.first_time),
    case when j.writer is null then epoch_us(t.last_time)
        when j.ended is not null then epoch_us(j.last_sign) end
from (
    select
        coalesce(t.run_id, j.run_id) as run_id, coalesce(t.attempt, j.attempt) as attempt,
        coalesce(t.rank, j.rank) as rank,
        least(any_value(t.first_time), min(j.last_sign)) as first_time,
        any_value(t.last_time) as last_time
    from (
        select
            run_id, attempt, rank, min(first_time) as first_time,
            max(last_time) as last_time
        from totals_ group by all
    ) t full join journals_ j using (run_id, attempt, rank) group by all
) t
left join journals_ j on j.run_id = t.run_id and j.attempt = t.attempt and j.rank = t.rank
order by 1, 2, 3, 4
"""

FROM_STEPS = """
with numbered as (
    select t.run_id, t.metric, t.rank, t.attempt, n.number, t.first_step
    from totals_ t join (
        select distinct run_id, attempt, number from attempts_
        where run_id in (select run_id from attempts_ where number > 1)
    ) n on n.run_id = t.run_id and n.attempt = t.attempt
),
firsts as (
    select run_id, metric, rank, number, min(first_step) as step
    from numbered group by all
),
again as (
    select run_id, metric, rank, number, min(step) over (
        partition by run_id, metric, rank order by number desc
        rows between unbounded preceding and 1 preceding) as step
    from firsts
),
left_out as (
    select f.run_id, f.metric, f.rank, f.number, min(l.step) as step
    from firsts f
    join gone_ g on g.run_id = f.run_id and g.rank = f.rank and g.number > f.number
    join (
        select run_id, metric, number, min(step) as step from firsts group by all
    ) l on l.run_id = g.run_id and l.number = g.number and l.metric = f.metric
    group by all
)
select
    n.run_id, n.metric, n.rank, n.attempt, least(a.step, o.step) as from_step
from numbered n
join again a on a.run_id = n.run_id and a.metric = n.metric and a.rank = n.rank
    and a.number = n.number
left join left_out o on o.run_id = n.run_id and o.metric = n.metric and o.rank = n.rank
    and o.number = n.number
"""

Part = tuple[str, int, int, str, bool, int, float | None]


def upgrade() -> None:
    for view in VIEWS:
        op.execute(f"drop view {view}")
    # Numbers of attempts had 16 bits; the ids that take their place have 31.
    for table in ("points", "totals_", "journals_"):
        op.execute(f"alter table {table} alter attempt type integer")
    op.execute("alter table totals_ add column superseded_from bigint")
    op.execute("alter table journals_ add column message varchar")
    op.create_table(
        "attempts_",
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("writer", sa.String, nullable=False),
        sa.Column("follows", sa.Integer, nullable=False),
        sa.Column("started_at", sa.TIMESTAMP, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
    )
    _take_over()
    for view in (SUPERSEDED, METRICS, SUMMARY):
        op.execute(view)


def _take_over() -> None:
    """Give each attempt an identity, and mark what the rule of today supersedes."""
    bind = op.get_bind()
    rows: list[tuple[object, ...]] = []
    renamed: list[tuple[object, ...]] = []
    gone: list[tuple[object, ...]] = []
    found = bind.exec_driver_sql(KNOWN_PARTS).fetchall()
    for run_id, parts in _by_run([tuple(row) for row in found]):
        identities = _identities(run_id, parts)
        numbers, lacking = _number(parts)
        gone += [(run_id, number, rank) for number, rank in sorted(lacking)]
        renamed += [(run_id, old, new) for old, new in identities.items() if old != new]
        rows += [
            (run_id, identities[attempt], rank, writer, identities.get(attempt - 1, 0),
             began, numbers[attempt])
            for _, attempt, rank, writer, _, began, _ in parts
        ]  # fmt: skip
    _fill("attempts_", rows, "UUID INTEGER SMALLINT VARCHAR INTEGER BIGINT INTEGER")
    op.execute("create temp table gone_ (run_id uuid, number integer, rank smallint)")
    _fill("gone_", gone, "UUID INTEGER SMALLINT")
    op.execute("create temp table renamed_ (run_id uuid, old integer, new integer)")
    _fill("renamed_", renamed, "UUID INTEGER INTEGER")
    if renamed:
        for table in ("points", "totals_", "journals_"):
            op.execute(
                f"update {table} set attempt = n.new from renamed_ n"  # noqa: S608
                f" where {table}.run_id = n.run_id and {table}.attempt = n.old"
            )
    op.execute(
        "update runs set attempt = n.number from (select run_id, max(number) as number"
        " from attempts_ group by run_id) n"
        " where runs.run_id = n.run_id and runs.attempt <> n.number"
    )
    op.execute(
        f"update totals_ set superseded_from = s.from_step from ({FROM_STEPS}) s"  # noqa: S608
        " where totals_.run_id = s.run_id and totals_.metric = s.metric"
        " and totals_.rank = s.rank and totals_.attempt = s.attempt"
        " and s.from_step is not null"
    )
    op.execute("drop table gone_")
    op.execute("drop table renamed_")


def _fill(table: str, rows: list[tuple[object, ...]], kinds: str) -> None:
    if not rows:
        return
    listed = [f"unnest(from_json(?, '[\"{kind}\"]'))" for kind in kinds.split()]
    if table == "attempts_":
        listed[5] = f"make_timestamp({listed[5]})"
    columns = tuple(json.dumps(column) for column in zip(*rows, strict=True))
    query = f"insert into {table} select {', '.join(listed)}"
    op.get_bind().exec_driver_sql(query, columns)


def _by_run(parts: list[Part]) -> Iterator[tuple[str, list[Part]]]:
    runs: dict[str, list[Part]] = {}
    for part in parts:
        runs.setdefault(part[0], []).append(part)
    yield from runs.items()


def _identities(run_id: str, parts: list[Part]) -> dict[int, int]:
    """The identity of each attempt: the same in each store that has the same attempt.

    A run of random id began in one place, and its first attempt keeps its number.
    """
    writers: dict[int, tuple[bool, str]] = {}
    for _, attempt, _, writer, primary, _, _ in parts:
        who = (not primary, writer)
        writers[attempt] = min(who, writers.get(attempt, who))
    # As `store.base.ids.attempt_id_of` draws it, and written out here: what a revision does
    # must not change with today's code.
    return {
        attempt: 1
        if attempt <= 1 and run_id[14] == "7"
        else 1_000_001
        + crc32(f"{run_id}/{attempt}/{writer}".encode()) % (2**31 - 1_000_001)
        for attempt, (_, writer) in writers.items()
    }


def _number(parts: list[Part]) -> tuple[dict[int, int], set[tuple[int, int]]]:
    """The numbers of attempts, which one after the other began; and which ranks lack then.

    Ranks that came one after the other counted as so many attempts; they are one, until a
    rank comes again.
    """
    ranks: dict[int, set[int]] = {}
    for _, attempt, rank, *_ in parts:
        ranks.setdefault(attempt, set()).add(rank)
    numbers: dict[int, int] = {}
    present: list[set[int]] = []
    for attempt in sorted(ranks):
        if not present or present[-1] & ranks[attempt]:
            present.append(set())
        present[-1] |= ranks[attempt]
        numbers[attempt] = len(present)
    begun: dict[int, float] = {}
    ends: dict[tuple[int, int], float] = {}
    for _, attempt, rank, _, _, began, ended in parts:
        number = numbers[attempt]
        begun[number] = min(began, begun.get(number, math.inf))
        end = math.inf if ended is None else ended
        ends[number, rank] = max(end, ends.get((number, rank), -math.inf))
    gone: set[tuple[int, int]] = set()
    for number, here in enumerate(present, 1):
        earlier: dict[int, float] = {}
        for (other, rank), end in ends.items():
            if other < number and rank not in here:
                earlier[rank] = max(end, earlier.get(rank, -math.inf))
        gone |= {(number, rank) for rank, end in earlier.items() if end <= begun[number]}
    return numbers, gone
