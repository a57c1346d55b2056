"""A copy of a live store is whole, is itself a store, and leaves the original alone."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

import stepwell
from stepwell.cli import main
from stepwell.store import (
    Store,
    StoreDamagedError,
    StoreError,
    StoreLocationError,
    copy_store,
    examine,
    merge_stores,
    open_store,
    start_run,
)
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Python = Callable[..., subprocess.Popen[str]]
Rows = Callable[..., list[tuple[Any, ...]]]

WRITES = """
import sys, time
import stepwell

run = stepwell.init(store=sys.argv[1], name=sys.argv[2])
call = 0
for line in sys.stdin:
    for _ in range(int(line)):
        run.log({"number": call, "half": call / 2})
        call += 1
    print(call, flush=True)
    if call >= 900:
        while True:  # on and on, until killed
            time.sleep(0.002)
            run.log({"number": call, "half": call / 2})
            call += 1
"""


def in_order(path: Path) -> bool:
    return all(finding.is_ok for finding in examine(path))


def copy(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["copy", *map(str, arguments)])


def test_a_copy_beside_eight_live_writers_opens_and_passes_the_doctor(
    store_path: Path, tmp_path: Path, python: Python
) -> None:
    writers = [python(WRITES, store_path, f"run {number}") for number in range(8)]
    for calls in ("100\n", "900\n"):  # from then on they do not stop
        for process in writers:
            assert process.stdin
            process.stdin.write(calls)
            process.stdin.flush()
        for process in writers:
            assert process.stdout
            process.stdout.readline()

    made = copy_store(store_path, tmp_path / "copy.duckdb")
    again = copy_store(store_path, tmp_path / "again.duckdb")
    for process in writers:
        process.kill()

    for found in (made, again):
        assert in_order(found.location)
        assert (found.runs, found.running) == (8, 8)
        assert sorted(p.name for p in tmp_path.glob(f"{found.location.name}*")) == [
            found.location.name
        ]
        with open_store(found.location) as store:
            counted = store.sql(
                "select run, count(*), count(distinct step), max(step), sum(value)"
                " from metrics where metric = 'number' group by all"
            ).fetchall()
            statuses = {(run.status, run.exit_message) for run in store.runs()}
        assert len(counted) == 8
        for _, count, steps, last, total in counted:
            assert last >= 999
            assert (count, steps) == (last + 1, last + 1)
            assert total == last * (last + 1) / 2
        ((status, message),) = statuses
        assert status == "running"
        assert re.fullmatch(
            rf"as of .* UTC, in {re.escape(str(store_path))}", message or ""
        )
    assert again.points >= made.points


def test_what_is_only_in_the_journals_is_in_the_copy(
    store_path: Path, tmp_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer()
    writer.recorder().log({"loss": 1})
    ended = make_writer({"name": "ended"})
    ended.recorder().log({"loss": 2})
    ended.finish("finished", None)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}

    result = copy("--store", store_path, tmp_path / "sub" / "copy.duckdb")

    assert result.exit_code == 0
    assert "copy.duckdb: 2 runs, 2 points" in result.stdout
    assert result.stdout.endswith("; 1 run still going on\n")
    after = {path: path.stat().st_mtime_ns for path in before if path.exists()}
    assert after == before  # nothing of the original was written
    with Store(tmp_path / "sub" / "copy.duckdb") as store:
        assert {run.name: run.status for run in store.runs()} == {
            "lone": "running",
            "ended": "finished",
        }
    assert rows("select count(*) from points") == [(2,)]


def test_a_run_goes_on_in_its_copy_as_a_next_attempt(
    store_path: Path, tmp_path: Path
) -> None:
    with start_run(store=store_path, id="mine") as run:
        run.log({"loss": 1})
        target = copy_store(store_path, tmp_path / "copy.duckdb").location

    with stepwell.init(store=target, id="mine", resume="must") as copied:
        copied.log({"loss": 2})

    with Store(target) as store:
        info = store.run("mine")
        assert (info.attempt, info.status, info.exit_message) == (2, "finished", None)
        assert store.series("mine", "loss").values.tolist() == [1, 2]
    assert in_order(target)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_store_that_can_only_be_read_is_copied_with_its_journals(
    store_path: Path, tmp_path: Path, make_writer: MakeWriter
) -> None:
    make_writer().recorder().log({"loss": 1})
    folder = store_path.with_name(store_path.name + ".journal")
    for path in (store_path, *folder.iterdir()):
        path.chmod(0o444)
    folder.chmod(0o555)

    made = copy_store(store_path, tmp_path / "copy.duckdb")

    folder.chmod(0o755)
    assert made.points == 1


@pytest.mark.filterwarnings("ignore:.* is damaged, and what stands behind")
def test_a_journal_that_was_set_aside_stays_beside_the_copy(
    store_path: Path, tmp_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer(process_started=1)
    recorder = writer.recorder()
    for number in range(10):
        recorder.log({"loss": number})
    data = bytearray(writer.journal.path.read_bytes())
    data[-70] ^= 1
    writer.journal.path.write_bytes(data)
    assert rows("select count(*) from points") == [(8,)]

    made = copy_store(store_path, tmp_path / "copy.duckdb")

    (aside,) = (tmp_path / "copy.duckdb.journal").iterdir()
    assert aside.read_bytes() == data
    assert made.points == 8


def test_a_damaged_store_is_not_copied(store_path: Path, tmp_path: Path) -> None:
    with start_run(store=store_path) as run:
        run.log({"loss": 1})
    os.truncate(store_path, store_path.stat().st_size // 2)

    with pytest.raises(StoreDamagedError):
        copy_store(store_path, tmp_path / "copy.duckdb")

    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("drop table alembic_version", "lacks its version"),
        ("update alembic_version set version_num = '9999'", "by a newer Stepwell"),
    ],
)
def test_a_store_that_is_not_copied_is_called_by_its_own_name(
    store_path: Path, tmp_path: Path, make_writer: MakeWriter, spoil: str, words: str
) -> None:
    make_writer()
    with duckdb.connect(str(store_path)) as connection:
        connection.execute(spoil)

    with pytest.raises(StoreError, match=words) as caught:
        copy_store(store_path, tmp_path / "copy.duckdb")
    with pytest.raises(StoreError) as merging:
        merge_stores([store_path], tmp_path / "joined.duckdb")

    assert str(store_path) in str(caught.value)
    assert str(merging.value) == str(caught.value)


def test_nothing_is_overwritten(store_path: Path, tmp_path: Path) -> None:
    there = Path(shutil.copy(store_path, tmp_path / "there.duckdb"))
    before = there.read_bytes()

    with pytest.raises(StoreLocationError, match=r"there\.duckdb is there already; choose"):
        copy_store(store_path, there)
    with pytest.raises(StoreLocationError, match="there is no store at"):
        copy_store(tmp_path / "none.duckdb", tmp_path / "copy.duckdb")
    result = copy("--store", store_path, there)

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert there.read_bytes() == before


def test_the_copy_is_described_as_json(store_path: Path, tmp_path: Path) -> None:
    result = copy("--store", store_path, tmp_path / "copy.duckdb", "--json")

    found = json.loads(result.stdout)
    assert found["location"] == str(tmp_path / "copy.duckdb")
    assert (found["runs"], found["points"], found["running"]) == (0, 0, 0)
    assert found["size"] == (tmp_path / "copy.duckdb").stat().st_size
