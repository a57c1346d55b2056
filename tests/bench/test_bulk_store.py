"""The stores that are measured have the rows that folding journals leaves."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from stepwell.store import Store, start_run

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def make_store(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Store]:
    monkeypatch.syspath_prepend(str(BENCH))
    made: Callable[..., Store] = import_module("_sweep_store").make_store
    return made


def test_both_ways_give_the_same_tables(
    tmp_path: Path, make_store: Callable[..., Store]
) -> None:
    bulk = make_store(tmp_path / "bulk.duckdb", 5, 40, ("train/loss", "val/acc"))
    path = tmp_path / "folded.duckdb"
    for run in bulk.runs()[::-1]:
        again = start_run("bench", run.name, run.config, run.group_name, store=path)
        series = [bulk.series(run, metric) for metric in ("train/loss", "val/acc")]
        for number, step in enumerate(series[0].steps.tolist()):
            again.log({one.metric: one.values[number] for one in series}, step=step)
        again.finish()
    folded = Store(path)

    def rows(store: Store, query: str) -> list[tuple[object, ...]]:
        return store.sql(query).fetchall()

    for query in (
        "select run, metric, step, value, rank, attempt from metrics order by all",
        "select run, key, text, number from params order by all",
        "select run, metric, current, min, max, round(mean, 9), count, non_finite,"
        " min_step, max_step, first_step, last_step, position from summary order by all",
        "select name, project, group_name, tags, status, attempt, lost_calls from runs"
        " order by all",
        "select r.name, t.metric, t.rank, superseded_from, position, count, minimum,"
        " maximum, minimum_step, maximum_step, last_value"
        " from totals_ t join runs r using (run_id)"
        " order by all",
    ):
        both = [rows(store, query) for store in (bulk, folded)]
        assert both[0] == both[1], query
        assert both[0]
    first, second = bulk.runs()[::-1][:2]
    assert second.created_at - first.created_at == timedelta(minutes=1)
    assert np.unique([run.run_id for run in bulk.runs()]).size == 5
    assert bulk.leaderboard("train/loss").run.tolist() == (
        folded.leaderboard("train/loss").run.tolist()
    )
