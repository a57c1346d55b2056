"""Every record becomes rows exactly once, whatever is killed in the middle of it."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepwell.store import open_store
from stepwell.store.base.ids import new_run_id
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Rows = Callable[..., list[tuple[Any, ...]]]
Output = Callable[..., str]

# What the totals say, beside what the points themselves say.
TOTALS = """
with counted as (
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
        arg_max(value, (step, time)) as last_value
    from points group by all
)
select count(*) filter (
    c.run_id is null or t.run_id is null
    or c.count <> t.count or c.non_finite <> t.non_finite
    or abs(c.total - t.total) > 1e-9 * (1 + abs(c.total))
    or c.minimum is distinct from t.minimum
    or c.minimum_step is distinct from t.minimum_step
    or c.maximum is distinct from t.maximum
    or c.maximum_step is distinct from t.maximum_step
    or c.first_time <> t.first_time or c.first_step <> t.first_step
    or c.last_step <> t.last_step or c.last_time <> t.last_time
    or c.last_value is distinct from t.last_value
), count(*)
from counted c full join totals_ t using (run_id, metric, rank, attempt)
"""

LOGGING_IS_KILLED = """
import json, os, random, signal, sys, time
import stepwell

store, kills = sys.argv[1], int(sys.argv[2])
random.seed(7)
acknowledged = {}
for kill in range(kills):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        run = stepwell.init(name=f"run {kill}", store=store)
        number = 0
        while True:
            run.log({"loss": number, "accuracy": number / 2})
            os.write(writing, b"%d\\n" % number)
            number += 1
    os.close(writing)
    first = os.read(reading, 100)
    time.sleep(random.random() * (1.5 if kill % 10 == 0 else 0.1))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    data = first
    while more := os.read(reading, 1 << 16):
        data += more
    os.close(reading)
    acknowledged[f"run {kill}"] = int(data.split(b"\\n")[-2])
print(json.dumps(acknowledged))
"""

FOLDING_IS_KILLED = """
import os, random, signal, sys, time
import duckdb, numpy  # so that the children need not
from pathlib import Path
from stepwell.store import start_run
from stepwell.store.ingest.ingest import fold
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.recording.background import keeper

store, kills = Path(sys.argv[1]), int(sys.argv[2])
random.seed(7)
keeper._ask = lambda location, now: None  # only the children fold
runs = [start_run(name=f"run {n}", store=store) for n in range(2)]
recorded = killed_within = 0
for kill in range(kills):
    child = os.fork()
    if child == 0:
        while True:
            fold(lease_of(resolve(store)))
    end = time.monotonic() + 0.04 + random.random() * 0.12
    while time.monotonic() < end:
        for run in runs:
            run.log({"loss": recorded, "accuracy": recorded % 7, f"m{kill}": 1.0})
        recorded += 1
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(recorded)
for run in runs:
    run.finish()
"""


@pytest.mark.slow
def test_a_writer_killed_at_any_instant_loses_no_acknowledged_call(
    store_path: Path, output: Output, rows: Rows
) -> None:
    acknowledged = json.loads(output(LOGGING_IS_KILLED, store_path, 50))

    found = rows(
        "select run, metric, count(*), count(distinct step), min(step), max(step),"
        " sum(value) from metrics group by all"
    )
    assert len(found) == 100
    for run, metric, count, steps, first, last, total in found:
        assert acknowledged[run] <= last <= acknowledged[run] + 1
        assert (count, steps, first) == (last + 1, last + 1, 0)
        assert total == last * (last + 1) / (2 if metric == "loss" else 4)
    assert rows("select distinct status from runs") == [("crashed",)]
    assert rows(TOTALS) == [(0, 100)]


@pytest.mark.slow
def test_a_fold_killed_at_any_instant_folds_each_record_once(
    store_path: Path, output: Output, rows: Rows
) -> None:
    recorded = int(output(FOLDING_IS_KILLED, store_path, 50))

    found = rows(
        "select run, metric, count(*), count(distinct step), max(step) from metrics"
        " where metric in ('loss', 'accuracy') group by all"
    )
    assert [row[2:] for row in found] == [(recorded, recorded, recorded - 1)] * 4
    assert rows("select count(*) from points where metric like 'm%'") == [(2 * recorded,)]
    assert rows(TOTALS)[0][0] == 0
    assert rows("select distinct status from runs") == [("finished",)]
    assert list(store_path.parent.glob("*.journal/*.journal*")) == []


def test_totals_agree_with_the_points_however_they_were_folded(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    run_id = new_run_id()
    odd = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e9, -1e9, 5e-324]
    for attempt in (1, 2):
        for rank in (0, 1):
            writer = make_writer(run_id=run_id, rank=rank, attempt=attempt)
            recorder = writer.recorder()
            for number in range(60):
                step = (number * 37) % 50 - 10  # in disorder, some of them twice
                value = odd[number % 11] if number % 11 < len(odd) else number % 5
                recorder.log({"a": value, "b": math.nan, f"c{number % 3}": number}, step)
                if number in {7, 8, 30}:
                    fold(lease_of(resolve(store_path)))

    assert rows("select count(*) from points") == [(4 * 180,)]
    assert rows(TOTALS) == [(0, 20)]


def test_means_of_sums_beyond_the_largest_float_are_finite(
    make_writer: MakeWriter, store_path: Path
) -> None:
    recorder = make_writer().recorder()
    for _ in range(3):
        recorder.log({"huge": 1.7e308, "deep": -1.7e308})

    with open_store(store_path) as store:
        summary = store.summary("last")
    assert (summary["huge"].mean, summary["deep"].mean) == (1.7e308, -1.7e308)


def test_names_are_known_to_a_later_fold(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer()
    recorder = writer.recorder()
    recorder.log({"a": 1, "b": 2})
    recorder.log({"c": 3})
    fold(lease_of(resolve(store_path)))
    recorder.log({"c": 4})
    recorder.log({"a": 5, "b": 6})

    assert rows("select metric, value from points order by value") == [
        ("a", 1),
        ("b", 2),
        ("c", 3),
        ("c", 4),
        ("a", 5),
        ("b", 6),
    ]
    assert rows("select count(*) from names_") == [(2,)]
    writer.finish("finished", None)
    assert rows("select count(*) from names_") == [(0,)]


def test_more_tuples_of_names_than_are_kept_are_all_right(
    make_writer: MakeWriter, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.store.recording.run_writer._MOST_SHAPES", 3)
    recorder = make_writer().recorder()
    for number in range(100):
        recorder.log({f"m{number % 5}": number})

    found = rows("select metric, count(*), min(value) from points group by all order by 1")
    assert found == [(f"m{number}", 20, number) for number in range(5)]


def test_a_journal_is_removed_only_when_it_is_folded_whole(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer()
    writer.recorder().log({"loss": 1})
    assert rows("select count(*) from points") == [(1,)]
    assert writer.journal.path.exists()  # folded, but its writer may go on

    writer.recorder().log({"loss": 2})
    writer.finish("finished", None)
    assert writer.journal.path.exists()  # finished, but not folded

    assert rows("select count(*), max(ended) from points, journals_") == [(2, "finished")]
    assert not writer.journal.path.exists()


def test_many_journals_are_folded_at_once(make_writer: MakeWriter, rows: Rows) -> None:
    for number in range(60):
        writer = make_writer(name=f"run {number}", started={"name": f"run {number}"})
        writer.recorder().log({"loss": number})
        writer.finish("finished", None)

    found = rows("select run, value from metrics order by value")
    assert found == [(f"run {number}", number) for number in range(60)]


def test_a_later_attempt_supersedes_from_its_first_step(
    make_writer: MakeWriter, rows: Rows
) -> None:
    run_id = new_run_id()
    for attempt, steps in ((1, range(10)), (2, range(6, 12)), (3, range(11, 14))):
        known = {"run_id": run_id, "attempt": attempt, "follows": attempt - 1}
        recorder = make_writer(**known).recorder()
        for step in steps:
            recorder.log({"loss": attempt}, step)

    found = rows(
        "select attempt, min(step), max(step) from metrics group by all order by 1"
    )
    assert found == [(1, 0, 5), (2, 6, 10), (3, 11, 13)]
    assert rows("select count(*) from points") == [(19,)]
    summary = "select count, min, max, current, min_step, last_step from summary"
    assert rows(summary) == [(14, 1, 3, 3, 0, 13)]
    assert rows("select attempt from runs") == [(3,)]


def test_a_database_that_was_removed_is_made_again_from_the_journals(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    recorder = make_writer().recorder()
    recorder.log({"loss": 1})
    assert rows("select count(*) from points") == [(1,)]
    store_path.unlink()

    assert rows("select count(*) from points") == [(1,)]
    recorder.log({"loss": 2})
    assert rows("select count(*) from points") == [(2,)]


def test_many_journals_are_folded_at_once_each_point_to_its_own_run(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    shared = new_run_id()  # several writers of one run and rank, as forked children are
    writers = [make_writer(run_id=shared, primary=number == 0) for number in range(3)]
    writers += [make_writer(run_id=shared, rank=1, primary=False)]
    writers += [make_writer() for _ in range(3)]
    lease = lease_of(resolve(store_path))

    for calls in (5, 3):
        for number, writer in enumerate(writers):
            recorder = writer.recorder()
            for call in range(calls):
                recorder.log({f"own/{number}": call, "all": number, "odd": math.nan})
        fold(lease)

    assert rows(TOTALS) == [(0, 5 + 3 + 3 * 3)]  # those of two ranks, and of three runs
    found = rows(
        "select run_id::varchar, metric, count(*) from points where metric <> 'odd'"
        " group by all"
    )
    expected = {(w.header.run_id, f"own/{n}"): 8 for n, w in enumerate(writers)}
    for writer in writers:
        key = (writer.header.run_id, "all")
        expected[key] = expected.get(key, 0) + 8
    assert {(run_id, metric): count for run_id, metric, count in found} == expected


TWO_FAST_RUNS = """
import sys, time
import stepwell
from stepwell.store.recording import background
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

background.FOLD_SECONDS = 3600.0  # it is not folded for its age
values = {f"m{metric}": float(metric) for metric in range(10)}

with stepwell.init(store=sys.argv[1]) as run:
    end = time.monotonic() + 1.5  # in its first second a process folds nothing
    while time.monotonic() < end:
        run.log(values)
run = stepwell.init(store=sys.argv[1])
for _ in range(15_000):
    run.log(values)
end = time.monotonic() + 60
folded = 0
while not folded and time.monotonic() < end:
    with lease_of(resolve(sys.argv[1])).shared() as connection:
        query = "select count(*) from points where run_id = ?::uuid"
        (folded,) = connection.execute(query, [run.id]).fetchone()
print(folded)
run.finish()
"""


def test_a_fast_run_is_folded_while_it_goes_on_also_after_a_longer_one(
    store_path: Path, output: Output
) -> None:
    assert int(output(TWO_FAST_RUNS, store_path)) > 0
