"""Making the table `attempts_` anew, from what journals and points tell of it."""

import duckdb

from .numbering import number_attempts
from .rows import mark_all, renumber, select_writers

# Attempts that are numbers followed one another.
_OF_JOURNALS = """
insert into store.main.attempts_
select
    j.run_id, j.attempt, j.rank, j.writer, {follows},
    coalesce(least(t.first_time, j.last_sign), j.last_sign), 1
from journals_ j
left join (
    select run_id, attempt, rank, min(first_time) as first_time from totals_ group by all
) t on t.run_id = j.run_id and t.attempt = j.attempt and t.rank = j.rank
anti join attempts_ a
    on a.run_id = j.run_id and a.attempt = j.attempt and a.writer = j.writer
"""
_OF_POINTS = """
insert into store.main.attempts_
select j.run_id, j.attempt, j.rank, '', {follows}, min(j.first_time), 1
from totals_ j
anti join attempts_ a
    on a.run_id = j.run_id and a.attempt = j.attempt and a.rank = j.rank
group by all
"""
_FOLLOWS = "case when j.attempt between 2 and 1000000 then j.attempt - 1 else 0 end"
_SEVERAL = """
select run_id::varchar from attempts_ group by run_id
having count(distinct attempt) > 1 or max(number) > 1
"""
# A run's row has room for 32,767, and a run may be resumed more often.
_LAST = """
update store.main.runs set attempt = n.number
from (
    select run_id, least(max(number), 32767) as number from attempts_ group by run_id
) n
where runs.run_id = n.run_id and runs.attempt <> n.number
"""


def complete_attempts(connection: duckdb.DuckDBPyConnection) -> None:
    """Add writers that are missing, and derive anew what follows from all of them."""
    for query in (_OF_JOURNALS, _OF_POINTS):
        connection.execute(query.format(follows=_FOLLOWS))
    runs = [str(run_id) for (run_id,) in connection.execute(_SEVERAL).fetchall()]
    writers = select_writers(connection, runs)
    numberings = {
        run: number_attempts(writer.part for writer in known)
        for run, known in writers.items()
    }
    renumber(connection, writers, numberings)
    connection.execute(_LAST)
    connection.execute("update store.main.totals_ set superseded_from = null")
    mark_all(connection)
