"""Points in pieces that fit a small memory: some metrics of some runs at a time."""

import json
from collections.abc import Iterator

import duckdb

Counts = dict[tuple[str, str], int]
"""Points by run id and metric."""

_SAME = ("run_id", "metric", "step", "time", "value", "rank")
# The same point may have been logged twice, and is kept twice. By their numbers such copies
# are compared one by one, so that as many come as are missing.
_COPY = f"row_number() over (partition by {', '.join(_SAME)}) as copy"

MOST = 500_000  # points a piece; a single metric may have more


def count_groups(
    connection: duckdb.DuckDBPyConnection, database: str, condition: str = "true"
) -> Counts:
    """How many points each metric of each run has in an attached database."""
    query = f"""
        select run_id, metric, count(*) from {database}.main.points where {condition}
        group by all
    """  # noqa: S608
    return {
        (str(run_id), str(metric)): int(count)
        for run_id, metric, count in connection.execute(query).fetchall()
    }


def in_pieces(groups: Counts, most: int = MOST) -> Iterator[list[tuple[str, str]]]:
    """Counts of *most* points together, sorted; a larger group is a piece of its own."""
    piece: list[tuple[str, str]] = []
    size = 0
    for group in sorted(groups):
        if piece and size + groups[group] > most:
            yield piece
            piece, size = [], 0
        piece.append(group)
        size += groups[group]
    if piece:
        yield piece


def choose_groups(
    connection: duckdb.DuckDBPyConnection, piece: list[tuple[str, str]]
) -> None:
    """Fill the temporary table `chosen` (run_id, metric) with a piece's groups."""
    runs, metrics = zip(*piece, strict=True)
    connection.execute(
        "create or replace temp table chosen as select"
        " unnest(from_json(?, '[\"VARCHAR\"]'))::uuid as run_id,"
        " unnest(from_json(?, '[\"VARCHAR\"]')) as metric",
        [json.dumps(runs), json.dumps(metrics)],
    )


def copy_points(
    connection: duckdb.DuckDBPyConnection,
    piece: list[tuple[str, str]],
    source: str,
    target: str,
    condition: str = "true",
) -> None:
    """Copy a piece's points that fit a condition, sorted."""
    choose_groups(connection, piece)
    connection.execute(
        f"insert into {target}.main.points select p.* from {source}.main.points p"  # noqa: S608
        " semi join temp.chosen c on p.run_id = c.run_id and p.metric = c.metric"
        f" where {condition} order by p.run_id, p.metric, p.step, p.time"
    )
    connection.execute("drop table temp.chosen")


def delete_points(
    connection: duckdb.DuckDBPyConnection, piece: list[tuple[str, str]], target: str
) -> None:
    """Delete a piece's points."""
    choose_groups(connection, piece)
    connection.execute(
        f"delete from {target}.main.points p using temp.chosen c"  # noqa: S608
        " where p.run_id = c.run_id and p.metric = c.metric"
    )
    connection.execute("drop table temp.chosen")


def fingerprints(
    connection: duckdb.DuckDBPyConnection, database: str
) -> dict[tuple[str, str], tuple[int, int]]:
    """The points of each metric of each run: how many, and a hash of all of them.

    A point is the same by whichever id its attempt is known.
    """
    query = f"""
        select run_id, metric, count(*), bit_xor(hash(step, time, value, rank))
        from {database}.main.points group by all
    """  # noqa: S608
    return {
        (str(run_id), str(metric)): (int(count), int(hashed))
        for run_id, metric, count, hashed in connection.execute(query).fetchall()
    }


def count_chosen(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many points of the chosen groups the store has, by run id."""
    query = (
        "select run_id, count(*) from points semi join temp.chosen"
        " using (run_id, metric) group by run_id"
    )
    return {str(run): int(n) for run, n in connection.execute(query).fetchall()}


def add_points(connection: duckdb.DuckDBPyConnection, source: str, parts: int = 1) -> None:
    """Insert the points of the chosen groups that are in *source*, and not here.

    A point that is there more often than here is inserted as often as it is missing,
    by whichever id its attempt is known.

    Args:
        connection: The store; the temporary table `chosen` says which groups.
        source: An attached store.
        parts: In how many steps, so that large groups fit the memory.
    """
    chosen = "semi join temp.chosen c on p.run_id = c.run_id and p.metric = c.metric"
    insert = (
        f"insert into store.main.points select p.* from {source}.main.points p {chosen}"  # noqa: S608
    )
    order = "order by run_id, metric, step, time"
    if not count_chosen(connection):
        connection.execute(f"{insert} {order}")
        return
    for part in range(parts):
        # By a hash of what equal points have in common: they are in the same part in both
        # stores.
        some = f"where hash(p.step) % {parts} = {part}"
        there, here = (
            f"select p.*, {_COPY} from {points} p {chosen} {some}"  # noqa: S608
            for points in (f"{source}.main.points", "points")
        )
        # DuckDB takes NaN as equal to NaN, so `=` finds those points, too.
        same = " and ".join(f"o.{name} = h.{name}" for name in (*_SAME, "copy"))
        connection.execute(
            f"insert into store.main.points select o.* exclude (copy) from ({there}) o"  # noqa: S608
            f" anti join ({here}) h on {same} {order}"
        )
