"""The table `attempts_`, and what later attempts have superseded.

The numbers that people see, and the steps from which points are superseded, are derived
from when each writer began and ended. They are kept, so that no question pays for it.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import duckdb

from .numbering import Numbering, Part, number_attempts

_HERE = """
select
    writer,
    ended is null and writer not in (select unnest(from_json(?, '["VARCHAR"]'))) as is_open,
    last_sign, is_primary
from journals_
"""
# What goes on in another store may have ended, for all that is known here.
_BOTH = """
select
    writer, bool_or(is_open) as is_open, max(last_sign) as last_sign,
    bool_or(is_primary) as is_primary
from (
    select
        writer, ended is null and writer not in (select writer from temp.silent) as is_open,
        last_sign, is_primary
    from journals_
    union all
    select writer, false as is_open, last_sign, is_primary from other.main.journals_
) group by writer
"""
# A writer without a row among the journals was forgotten: it has ended, and when it began
# is all that is known of it.
_PARTS = """
select
    a.run_id::varchar, a.writer, a.number, a.attempt, a.rank, a.follows,
    epoch_us(a.started_at),
    case when coalesce(j.is_open, false) then null
        else epoch_us(greatest(j.last_sign, a.started_at)) end,
    coalesce(j.is_primary, true)
from attempts_ a left join ({journals}) j on j.writer = a.writer
where a.run_id in (select unnest(from_json(?, '["UUID"]')))
"""
_RENUMBER = """
update store.main.attempts_ set number = n.number
from (
    select unnest(from_json(?, '["UUID"]')) as run_id,
        unnest(from_json(?, '["INTEGER"]')) as attempt,
        unnest(from_json(?, '["INTEGER"]')) as number
) n
where attempts_.run_id = n.run_id and attempts_.attempt = n.attempt
    and attempts_.number <> n.number
"""
# `again` looks at later attempts of the same rank, and `left_out` at those in which that
# rank was gone: what any rank recorded there stands for it.
_FROM_STEPS = """
with numbered as (
    select t.run_id, t.metric, t.rank, t.attempt, n.number, t.first_step
    from totals_ t join (
        select distinct run_id, attempt, number from attempts_
        where run_id in (select unnest(from_json(?, '["UUID"]')))
    ) n on n.run_id = t.run_id and n.attempt = t.attempt
    {fits}
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
gone as (
    select unnest(from_json(?, '["UUID"]')) as run_id,
        unnest(from_json(?, '["INTEGER"]')) as number,
        unnest(from_json(?, '["SMALLINT"]')) as rank
),
left_out as (
    select f.run_id, f.metric, f.rank, f.number, min(l.step) as step
    from firsts f
    join gone g on g.run_id = f.run_id and g.rank = f.rank and g.number > f.number
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
_MARK = """
update store.main.totals_ set superseded_from = s.from_step from ({from_steps}) s
where totals_.run_id = s.run_id and totals_.metric = s.metric and totals_.rank = s.rank
    and totals_.attempt = s.attempt
    and totals_.superseded_from is distinct from s.from_step
"""


class Writer(NamedTuple):
    """A row of `attempts_`.

    Attributes:
        writer: The writer's id; empty where that was lost.
        number: The number of its attempt, as it is stored.
        part: Its part in the run.
    """

    writer: str
    number: int
    part: Part


def select_writers(
    connection: duckdb.DuckDBPyConnection,
    run_ids: Iterable[str],
    *,
    silent: Iterable[str] = (),
    both: bool = False,
) -> dict[str, list[Writer]]:
    """The writers of runs, by run.

    Args:
        connection: The store.
        run_ids: The runs.
        silent: Ids of writers of which nothing is heard any more.
        both: Whether a store attached as `other` knows how some of them ended, and a
            temporary table which ones are silent.
    """
    query = _PARTS.format(journals=_BOTH if both else _HERE)
    given = [] if both else [json.dumps(list(silent))]
    found: dict[str, list[Writer]] = {run_id: [] for run_id in run_ids}
    rows = connection.execute(query, [*given, json.dumps(list(found))]).fetchall()
    for run_id, writer, number, *part in rows:
        found[run_id].append(Writer(writer, number, Part(*part)))
    return found


def renumber(
    connection: duckdb.DuckDBPyConnection,
    writers: Mapping[str, list[Writer]],
    numberings: Mapping[str, Numbering],
) -> None:
    """Write the numbers of attempts where other ones are stored."""
    changed = {
        (run_id, writer.part.attempt): numberings[run_id].numbers[writer.part.attempt]
        for run_id, known in writers.items()
        for writer in known
        if writer.number != numberings[run_id].numbers[writer.part.attempt]
    }
    if changed:
        runs, attempts = zip(*changed, strict=True)
        columns = (runs, attempts, list(changed.values()))
        connection.execute(_RENUMBER, [json.dumps(column) for column in columns])


def mark_superseded(
    connection: duckdb.DuckDBPyConnection,
    numberings: Mapping[str, Numbering],
    *,
    chosen: bool = False,
) -> None:
    """Write from which step on later attempts supersede what; within a transaction.

    Args:
        connection: The store.
        numberings: The runs, and how their attempts are numbered.
        chosen: Only for the groups of the temporary table `chosen`; see `choose_groups`.
    """
    if numberings:
        query = from_steps(chosen=chosen)
        connection.execute(_MARK.format(from_steps=query), whom(numberings))


def mark_all(
    connection: duckdb.DuckDBPyConnection, *, chosen: bool = False, both: bool = False
) -> None:
    """Write what is superseded in all runs of several attempts; within a transaction.

    Args:
        connection: The store.
        chosen: Only for the groups of the temporary table `chosen`; see `choose_groups`.
        both: Whether a store attached as `other` knows how some writers ended.
    """
    fits = "and run_id in (select run_id from temp.chosen)" if chosen else ""
    query = f"select distinct run_id::varchar from attempts_ where number > 1 {fits}"  # noqa: S608
    runs = [str(run_id) for (run_id,) in connection.execute(query).fetchall()]
    if runs:
        writers = select_writers(connection, runs, both=both)
        numberings = {
            run_id: number_attempts(writer.part for writer in known)
            for run_id, known in writers.items()
        }
        mark_superseded(connection, numberings, chosen=chosen)


def from_steps(*, chosen: bool = False) -> str:
    """By metric, rank and attempt: from which step on later attempts supersede it, or NULL.

    That is the least step at which a later attempt recorded the metric by the same rank, or
    by any rank where that rank was gone.

    Args:
        chosen: Only for the groups of the temporary table `chosen`; see `choose_groups`.
    """
    fits = "where (t.run_id, t.metric) in (from temp.chosen)" if chosen else ""
    return _FROM_STEPS.format(fits=fits)


def whom(numberings: Mapping[str, Numbering]) -> list[str]:
    """The parameters of `from_steps`."""
    gone = [
        (run_id, number, rank)
        for run_id, numbering in numberings.items()
        for number, rank in sorted(numbering.gone)
    ]
    columns = [list(column) for column in zip(*gone, strict=True)] or [[], [], []]
    return [json.dumps(list(numberings)), *map(json.dumps, columns)]
