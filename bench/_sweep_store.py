"""Stores of many runs, made in bulk: the rows that folding their journals would leave."""

import json
import os
from pathlib import Path

import duckdb

from stepwell import open_store
from stepwell.store import Store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

RATES = (0.0001, 0.001, 0.01, 0.1)
BATCHES = (32, 64, 128)
METRICS = ("train/loss", "val/loss", "val/acc", "lr", "grad_norm")

# A loss that falls to a floor given by the learning rate, and noise from a hash.
_POINTS = """
insert into store.main.points
select
    run_id, ?, step, created_at + interval 1 millisecond * step,
    floor_ + exp(-8.0 * step / ?) + 0.05 * (hash(number, step, ?) % 10000) / 10000.0, 0, 1
from made, range(?) t(step)
where number >= ? and number < ? order by number, step
"""
_TOTALS = """
insert into store.main.totals_
select
    run_id, metric, 0, 1, ?, count(*), count(*) filter (not isfinite(value)),
    coalesce(sum(value) filter (isfinite(value)), 0),
    min(value) filter (isfinite(value)), arg_min(step, value) filter (isfinite(value)),
    max(value) filter (isfinite(value)), arg_max(step, value) filter (isfinite(value)),
    min(time), min(step), max(step), arg_max(time, step), arg_max(value, step), null
from points where metric = ? group by run_id, metric
"""


def make_store(
    path: Path, runs: int, points: int, metrics: tuple[str, ...] = METRICS[:1]
) -> Store:
    """A store of *runs* finished runs with *points* points of each metric.

    Args:
        path: Where; there must be no store yet.
        runs: How many runs.
        points: Steps of each metric.
        metrics: Names of the metrics.
    """
    store = open_store(path)
    with lease_of(resolve(path)).exclusive() as connection:
        connection.execute("begin")
        _make_runs(connection, runs, points)
        at_once = max(1, 4_000_000 // points)
        for first in range(0, runs, at_once):
            for position, metric in enumerate(metrics):
                bounds = [first, first + at_once]
                values = [metric, points, position, points, *bounds]
                connection.execute(_POINTS, values)
        for position, metric in enumerate(metrics):
            connection.execute(_TOTALS, [position, metric])
        connection.execute("commit")
    return store


def _make_runs(connection: duckdb.DuckDBPyConnection, runs: int, points: int) -> None:
    rows = []
    for number in range(runs):
        config = {
            "lr": RATES[number % 4],
            "batch_size": BATCHES[number // 4 % 3],
            "optimizer": ("adam", "sgd")[number % 2],
            "model": {"depth": 2 + number % 5, "width": 256},
            "seed": number // 12,
        }
        rows.append((_run_id(number), number, json.dumps(config), number % 4))
    texts = json.dumps([dict(zip(("i", "n", "c", "f"), row, strict=True)) for row in rows])
    connection.execute(
        "create temp table made as select (j->>'i')::uuid as run_id, (j->>'n')::bigint as"
        " number, j->>'c' as config, (j->>'f')::double / 10 as floor_,"
        " timestamp '2026-01-01' + interval 1 minute * (j->>'n')::bigint as created_at"
        " from (select unnest(from_json(?, '[\"JSON\"]')) as j)",
        [texts],
    )
    connection.execute(
        "insert into store.main.runs"
        " (run_id, name, project, group_name, tags, status, config,"
        " created_at, finished_at, host, pid, attempt, lost_calls)"
        " select run_id, 'run-' || number, 'bench', 'g' || (number // 12), [], 'finished',"
        " config, created_at, created_at + interval 1 millisecond * ?, 'here', 1, 1, 0"
        " from made order by number",
        [points],
    )
    connection.execute(
        "insert into store.main.attempts_"
        " select run_id, 1, 0, number::varchar, 0, created_at, 1"
        " from made order by number"
    )
    connection.execute(
        "insert into store.main.params_"
        " select run_id, key, text, try_cast(text as double) from ("
        " select run_id, number, unnest(['lr', 'batch_size', 'optimizer', 'model.depth',"
        " 'model.width', 'seed']) as key, unnest([config->>'lr', config->>'batch_size',"
        " config->>'optimizer', config->>'$.model.depth', config->>'$.model.width',"
        " config->>'seed']) as text from made) order by number"
    )


def _run_id(number: int) -> str:
    # Of version 7, as a run's that began at its time.
    milliseconds = 1_767_225_600_000 + 60_000 * number
    tail = os.urandom(10).hex()
    head = f"{milliseconds:012x}"
    return f"{head[:8]}-{head[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:18]}"
