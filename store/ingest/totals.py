"""What the totals ought to be: counted anew from the points."""

import duckdb

from stepwell.store.attempts.rows import mark_all

_COLUMNS = (
    "count non_finite total minimum minimum_step maximum maximum_step first_time"
    " first_step last_step last_time last_value"
).split()

# Step and sign in the pairs break ties by the first step, for the least and the greatest,
# as `batch.totals` does. A sum depends on the order of adding; `size`, the sum of the
# absolute values, is the measure of how much it may.
COUNTED = """
select
    run_id, metric, rank, attempt,
    count(*) as count,
    count(*) filter (not isfinite(value)) as non_finite,
    coalesce(sum(value) filter (isfinite(value)), 0) as total,
    min(value) filter (isfinite(value)) as minimum,
    arg_min(step, (value, step)) filter (isfinite(value)) as minimum_step,
    max(value) filter (isfinite(value)) as maximum,
    arg_min(step, (-value, step)) filter (isfinite(value)) as maximum_step,
    min(time) as first_time, min(step) as first_step, max(step) as last_step,
    arg_max(time, (step, time)) as last_time,
    arg_max(value, (step, time)) as last_value,
    coalesce(sum(abs(value)) filter (isfinite(value)), 0) as size
from {source} group by run_id, metric, rank, attempt
"""
"""A row a metric, rank and attempt of a run, as in `totals_`."""

_DISAGREEMENTS = """
select coalesce(c.run_id, t.run_id), coalesce(c.metric, t.metric),
    coalesce(c.count, 0), coalesce(t.count, 0)
from ({counted}) c
full join totals_ t using (run_id, metric, rank, attempt)
where c.run_id is null or t.run_id is null
    or c.count <> t.count or c.non_finite <> t.non_finite
    or c.minimum is distinct from t.minimum
    or c.minimum_step is distinct from t.minimum_step
    or c.maximum is distinct from t.maximum
    or c.maximum_step is distinct from t.maximum_step
    or c.first_time <> t.first_time or c.first_step <> t.first_step
    or c.last_step <> t.last_step or c.last_time <> t.last_time
    or (c.total is distinct from t.total
        and not coalesce(abs(c.total - t.total) <= 1e-9 * c.size, false)
        and isfinite(2 * c.size))
order by all
"""
# Not compared: the last value, where a step and a time were said twice; nor totals that
# may have gone beyond the largest double, which depends on the order of adding.


def disagreements(
    connection: duckdb.DuckDBPyConnection,
) -> list[tuple[str, str, int, int]]:
    """Where points and totals disagree: run, metric, points found and points in totals."""
    query = _DISAGREEMENTS.format(counted=COUNTED.format(source="points"))
    return [
        (str(run_id), str(metric), int(found), int(said))
        for run_id, metric, found, said in connection.execute(query).fetchall()
    ]


def recount(
    connection: duckdb.DuckDBPyConnection, *, chosen: bool = False, also: str | None = None
) -> None:
    """Write the totals anew; within a transaction.

    A metric keeps its place among its run's metrics; a new one comes last.

    Args:
        connection: The store.
        chosen: Only for the groups of the temporary table `chosen`; see `choose_groups`.
        also: An attached store that knows the places of metrics that are new here.
    """
    fits = "semi join temp.chosen using (run_id, metric)" if chosen else ""
    place = "select run_id, metric, min(position) as position from {}totals_ group by all"
    sources = ["", *([f"{also}.main."] if also else [])]
    places = " union all ".join(place.format(source) for source in sources)
    listed = ", ".join(_COLUMNS)
    connection.execute(
        f"""
        create or replace temp table counted as
        select
            c.run_id, c.metric, c.rank, c.attempt,
            coalesce(p.position, 1000000 + dense_rank() over (
                partition by c.run_id order by c.first_time, c.metric)) as position,
            {listed}
        from ({COUNTED.format(source="points " + fits)}) c
        left join (
            select run_id, metric, min(position) as position from ({places}) group by all
        ) p on p.run_id = c.run_id and p.metric = c.metric
        """  # noqa: S608
    )
    condition = "where (run_id, metric) in (from temp.chosen)" if chosen else ""
    connection.execute(f"delete from store.main.totals_ {condition}")  # noqa: S608
    connection.execute("insert into store.main.totals_ by name select * from temp.counted")
    connection.execute("drop table temp.counted")
    mark_all(connection, chosen=chosen, both=also is not None)
