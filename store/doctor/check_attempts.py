"""Examining the attempts: is each known, and is what they supersede marked."""

import duckdb

from stepwell.store.attempts.numbering import number_attempts
from stepwell.store.attempts.rows import from_steps, select_writers, whom

_UNKNOWN = """
select t.run_id::varchar, t.metric from totals_ t
anti join attempts_ a
    on a.run_id = t.run_id and a.attempt = t.attempt and a.rank = t.rank
order by all limit 1
"""
# Who goes on may be dead by now, which the next fold finds.
_SEVERAL = """
select run_id::varchar from attempts_ group by run_id
having count(distinct attempt) > 1 or max(number) > 1
except select run_id::varchar from journals_ where ended is null
order by all
"""
_MARKED = """
select t.run_id::varchar, t.metric from ({from_steps}) s
join totals_ t on t.run_id = s.run_id and t.metric = s.metric and t.rank = s.rank
    and t.attempt = s.attempt
where t.superseded_from is distinct from s.from_step order by all limit 1
"""


def wrong_attempts(connection: duckdb.DuckDBPyConnection) -> tuple[str, str] | None:
    """What is wrong with the attempts, and of which run; None where nothing is."""
    for run_id, metric in connection.execute(_UNKNOWN).fetchall():
        return run_id, f"points of {metric!r} are of an attempt that is not known"
    runs = [str(run_id) for (run_id,) in connection.execute(_SEVERAL).fetchall()]
    numberings = {}
    for run_id, known in select_writers(connection, runs).items():
        numbering = number_attempts(writer.part for writer in known)
        if any(w.number != numbering.numbers[w.part.attempt] for w in known):
            return run_id, "its attempts are numbered in another order than they began"
        numberings[run_id] = numbering
    query = _MARKED.format(from_steps=from_steps())
    for run_id, metric in connection.execute(query, whom(numberings)).fetchall():
        return run_id, f"what later attempts supersede of {metric!r} is marked wrongly"
    return None
