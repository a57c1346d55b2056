"""A compaction loses nothing: beside writers, killed at any instant, or refused."""

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import (
    Store,
    StoreBusyError,
    StoreLocationError,
    compact_store,
    examine,
    start_run,
)
from stepwell.store.database.lease import Lease, lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.maintenance import compact as compaction
from stepwell.store.maintenance import point_chunks as pieces
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Python = Callable[..., subprocess.Popen[str]]
Rows = Callable[..., list[tuple[Any, ...]]]

WRITES = """
import select, sys, time
import stepwell

with stepwell.init(store=sys.argv[1], name=sys.argv[2]) as run:
    print("begun", flush=True)
    calls = 0
    while not select.select([sys.stdin], [], [], 0.001)[0]:  # until it is told to end
        run.log({"number": calls, "half": calls / 2})
        calls += 1
print(calls)
"""

READS = """
import sys
from stepwell.store import Store

store, most = Store(sys.argv[1]), 0
print("begun", flush=True)
while True:
    ((count,),) = store.sql("select count(*) from points").fetchall()
    assert count >= most, (count, most)
    most = max(most, count)
    print(count, flush=True)
"""

COMPACTS = """
import os, signal, sys, threading, time
import duckdb
import stepwell.store.maintenance.compact as compaction
from stepwell.store import compact_store

print("begun", flush=True)
delay = float(sys.argv[2])

def kill():
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=kill, daemon=True).start()
while True:
    compact_store(sys.argv[1])
    print("done", flush=True)
"""

HOLDS_THE_FILE = """
import duckdb, sys

connection = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
sys.stdin.readline()
"""


def interleave(path: Path, make_writer: MakeWriter, *, finish: bool = True) -> None:
    """Runs that were folded in many small steps, so that their points are mixed."""
    writers = [make_writer({"name": f"run {number}"}) for number in range(3)]
    recorders = [writer.recorder() for writer in writers]
    for step in range(6):
        for recorder in recorders:
            for call in range(20):
                recorder.log({"loss": call, "accuracy": step}, 20 * step + call)
        fold(lease_of(resolve(path)))
    if finish:
        for writer in writers:
            writer.finish("finished", None)


def order(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        query = "select run_id, metric, step from points order by rowid"
        return connection.execute(query).fetchall()


def every_row(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("select table_name, sql from duckdb_tables() order by 1")
        views = connection.execute("select sql from duckdb_views() where not internal")
        found = {"views": sorted(views.fetchall())}
        for name, declared in names.fetchall():
            query = f'from "{name}" order by all'
            found[name] = [(declared,), *connection.execute(query).fetchall()]
    return found


@pytest.mark.parametrize("finish", [True, False])
def test_a_compacted_store_is_sorted_and_the_same(
    store_path: Path,
    make_writer: MakeWriter,
    monkeypatch: pytest.MonkeyPatch,
    finish: bool,
) -> None:
    monkeypatch.setattr(pieces, "MOST", 100)
    interleave(store_path, make_writer, finish=finish)
    fold(lease_of(resolve(store_path)))
    before = every_row(store_path)
    assert order(store_path) != sorted(order(store_path))

    done = compact_store(store_path)

    assert every_row(store_path) == before
    assert order(store_path) == sorted(order(store_path))
    assert (done.points, done.after) == (720, store_path.stat().st_size)
    assert all(finding.is_ok for finding in examine(store_path))
    assert not list(store_path.parent.glob("*.compact*"))


def test_what_is_removed_and_recorded_meanwhile_is_right(
    store_path: Path, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    interleave(store_path, make_writer)
    copy_first = compaction._copy_first
    expected = {}

    def copy_and_change(lease: Lease, *arguments: Any) -> None:
        copy_first(lease, *arguments)
        with lease.exclusive() as connection:  # row ids move
            connection.execute(
                "delete from store.main.points where metric = 'loss' and step < 90"
            )
            connection.execute("delete from store.main.totals_ where metric = 'loss'")
        make_writer({"name": "later"}).recorder().log({"loss": 1.0, "new": 2.0})
        fold(lease)
        expected.update(every_row(store_path))

    monkeypatch.setattr(compaction, "_copy_first", copy_and_change)
    compact_store(store_path)

    assert every_row(store_path) == expected


def test_the_file_keeps_its_mode(store_path: Path) -> None:
    store_path.chmod(0o660)

    compact_store(store_path)

    assert store_path.stat().st_mode & 0o777 == 0o660


@pytest.mark.slow
def test_compacting_beside_writers_and_readers_loses_nothing(
    store_path: Path, python: Python, rows: Rows, eventually: Callable[..., None]
) -> None:
    reader = python(READS, store_path)
    writers = [python(WRITES, store_path, f"run {number}") for number in range(3)]
    for process in (reader, *writers):
        assert process.stdout
        assert process.stdout.readline() == "begun\n"

    for part in (1, 2, 3):
        eventually(lambda part=part: rows("from points select count(*)") >= [(part * 300,)])
        compact_store(store_path)
    assert all(process.poll() is None for process in writers)
    ended = [process.communicate("end\n", timeout=60) for process in writers]
    compact_store(store_path)

    assert reader.poll() is None
    reader.kill()
    assert reader.communicate()[1] == ""
    found = rows(
        "select run, metric, count(*), count(distinct step), max(step), sum(value)"
        " from metrics group by all order by all"
    )
    assert [errors for _, errors in ended] == [""] * 3
    assert found == [
        (f"run {number}", metric, calls, calls, calls - 1, part * calls * (calls - 1) / 2)
        for number, calls in enumerate(int(said) for said, _ in ended)
        for metric, part in (("half", 0.5), ("number", 1.0))
    ]
    assert rows("select distinct status from runs") == [("finished",)]
    assert all(finding.is_ok for finding in examine(store_path))


@pytest.mark.slow
def test_a_compaction_killed_at_any_instant_leaves_a_whole_store(
    store_path: Path, make_writer: MakeWriter, python: Python, rows: Rows
) -> None:
    interleave(store_path, make_writer)
    run = start_run(store=store_path, name="live")
    draw = random.Random(11)
    recorded = 0
    for _ in range(12):
        process = python(COMPACTS, store_path, draw.uniform(0.0, 0.4))
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        while process.poll() is None:
            run.log({"loss": recorded})
            recorded += 1
            time.sleep(0.001)
        assert process.returncode == -signal.SIGKILL
        assert rows("select count(*), count(distinct step) from metrics where run = 'live'")
        assert rows("select count(*) from points where metric = 'accuracy'") == [(360,)]
    run.finish()

    compact_store(store_path)

    found = rows("select count(*), count(distinct step) from metrics where run = 'live'")
    assert found == [(recorded, recorded)]
    assert rows("select count(*) from points") == [(720 + recorded,)]
    assert all(finding.is_ok for finding in examine(store_path))


def test_two_compactions_at_once_are_one_too_many(store_path: Path) -> None:
    waiting, refused = threading.Barrier(3), []

    def work() -> None:
        waiting.wait(60)
        for _ in range(5):
            try:
                compact_store(store_path)
            except StoreBusyError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused
    assert all("is being compacted by another command" in words for words in refused)
    assert Store(store_path).runs() == []


def test_a_file_that_another_program_reads_is_not_replaced(
    store_path: Path, make_writer: MakeWriter, python: Python
) -> None:
    interleave(store_path, make_writer)
    fold(lease_of(resolve(store_path)))
    other = python(HOLDS_THE_FILE, store_path)
    assert other.stdout
    assert other.stdout.readline() == "held\n"
    before = store_path.stat().st_ino

    with pytest.raises(StoreBusyError, match=f"held open by process {other.pid}"):
        compact_store(store_path, seconds=0.2)

    assert store_path.stat().st_ino == before
    assert not list(store_path.parent.glob("*.compact*"))
    other.communicate("go on\n", timeout=60)
    compact_store(store_path)


def test_what_a_killed_compaction_left_is_no_obstacle(store_path: Path) -> None:
    left = store_path.with_name(store_path.name + ".compact")
    left.write_bytes(b"half a database")

    compact_store(store_path)

    assert not left.exists()


def test_no_store_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreLocationError, match="there is no store at"):
        compact_store(tmp_path / "none.duckdb")

    assert list(tmp_path.iterdir()) == []


def test_the_command_says_bytes_before_and_after(store_path: Path) -> None:
    command = ["compact", "--store", str(store_path)]

    line = CliRunner().invoke(main, command)
    found = json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout)

    assert line.exit_code == 0
    assert " before, " in line.stdout
    assert " now (" in line.stdout
    assert found["after"] == store_path.stat().st_size
    assert found["held"] <= found["seconds"]
