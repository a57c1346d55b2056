"""A repair saves all that can be read, and writes nothing to the damaged store."""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepwell.cli import main
from stepwell.store import (
    RepairedStore,
    Store,
    StoreBusyError,
    StoreLocationError,
    examine,
    repair_store,
)
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.journal.damage_scan import scan_journal
from stepwell.store.journal.format import decode_header, whole_record
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Python = Callable[..., subprocess.Popen[str]]

GONE = {"process_started": 1}  # a process id that was given to another process since


RECORDS = """
import sys
from stepwell.store import start_run

with start_run("p", "done", {"lr": 0.1}, tags=["a"], store=sys.argv[1]) as run:
    run.log({"loss": 1.0})
"""

HOLDS_THE_FILE = """
import duckdb, sys

connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
"""


def log(writer: RunWriter, calls: int = 200) -> None:
    recorder = writer.recorder()
    for number in range(calls):
        recorder.log({"loss": number, "accuracy": number / 2})


def flip(path: Path, *places: int) -> None:
    data = bytearray(path.read_bytes())
    for place in places:
        data[place] ^= 4
    path.write_bytes(data)


def content(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def repair(path: Path, name: str = "saved.duckdb") -> tuple[RepairedStore, list[Any]]:
    """Repairs a store, checks what holds for any, and gives the new one's points."""
    before = content(path.parent)
    saved = repair_store(path, path.with_name(name))
    after = content(path.parent)
    del after[saved.location]
    assert after == before
    assert [f for f in examine(saved.location) if not f.is_ok] == []
    left = sorted(p.name for p in path.parent.glob(f"*{name}*") if p.is_dir())
    assert left in ([], [name + ".journal"])
    with Store(saved.location) as store:
        query = "select run, metric, step, value from metrics order by all"
        return saved, store.sql(query).fetchall()


def expected(calls: range | list[int], run: str = "lone") -> list[tuple[Any, ...]]:
    return sorted(
        (run, metric, call, value)
        for call in calls
        for metric, value in (("loss", call), ("accuracy", call / 2))
    )


def test_a_store_in_order_comes_out_as_it_is(
    store_path: Path, make_writer: MakeWriter, output: Callable[..., str]
) -> None:
    # In a process of its own, whose helper is gone before the second run's last call.
    output(RECORDS, store_path)
    with Store(store_path) as store:
        info = store.run("done")
    writer = make_writer()
    log(writer)
    fold(lease_of(resolve(store_path)))
    writer.recorder().log({"late": 1.5}, step=300)

    saved, points = repair(store_path)

    assert saved.is_complete
    assert (saved.runs, saved.points) == (2, 402)
    late = ("lone", "late", 300, 1.5)
    assert points == sorted([("done", "loss", 0, 1.0), late, *expected(range(200))])
    with Store(saved.location) as store:
        assert store.run("done") == info
        lone = store.run("lone")
        assert store.sql("select count(*) from params").fetchall() == [(1,)]
    assert lone.status == "running"
    assert (lone.exit_message or "").endswith(f", in {store_path}")


@pytest.mark.parametrize("folded", [True, False])
def test_all_whole_records_of_a_journal_cut_in_the_middle_are_saved(
    store_path: Path, make_writer: MakeWriter, folded: bool
) -> None:
    writer = make_writer(**GONE) if not folded else make_writer()
    log(writer)
    if folded:
        fold(lease_of(resolve(store_path)))
        store_path.unlink()
    path = writer.journal.path
    os.truncate(path, path.stat().st_size // 2)
    whole = scan_journal(path).points

    saved, points = repair(store_path)

    assert 90 < whole < 110
    assert points == expected(range(whole))
    (journal,) = saved.journals
    assert (journal.records, journal.damaged) == (whole + 2, 0)
    assert 0 < journal.cut < 48


def test_records_behind_damage_are_saved_and_what_was_skipped_is_counted(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer(**GONE)
    log(writer)
    writer.finish("failed", "no power")
    data = writer.journal.path.read_bytes()
    ends = [len(data) - 48 * count for count in (150, 100, 99, 20)]
    flip(writer.journal.path, *ends)
    scan = scan_journal(writer.journal.path)

    saved, points = repair(store_path)

    assert len(scan.damaged) in {3, 4}
    assert len(points) == 2 * scan.points == 2 * (200 - scan.damaged_bytes // 48)
    assert {value for _, metric, _, value in points if metric == "loss"} < set(range(200))
    assert saved.journals[0].damaged == scan.damaged_bytes > 0
    assert not saved.is_complete
    with Store(saved.location) as store:
        assert (store.run("lone").status, store.run("lone").exit_message) == (
            "failed",
            "no power",
        )


@pytest.mark.filterwarnings("ignore:.* is damaged, and what stands behind")
def test_a_journal_that_was_set_aside_gives_what_was_not_folded(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer(**GONE)
    log(writer)
    flip(writer.journal.path, writer.journal.path.stat().st_size - 48 * 100)
    fold(lease_of(resolve(store_path)))
    (aside,) = writer.journal.path.parent.glob("*.damaged")
    with Store(store_path) as store:
        before = store.summary("lone")["loss"].count

    _, points = repair(store_path)

    assert before == 100
    assert aside.exists()
    assert points == expected([call for call in range(200) if call != 100])


def test_a_journal_whose_header_is_lost_is_known_by_its_name(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer({"name": "named"}, **GONE)
    log(writer)
    flip(writer.journal.path, 60)

    saved, points = repair(store_path)

    assert points == expected(range(200), run="named")
    with Store(saved.location) as store:
        assert store.run("named").run_id == writer.header.run_id
        assert store.run("named").status == "crashed"


def test_a_database_that_is_garbage_leaves_the_journals(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer()
    log(writer)
    fold(lease_of(resolve(store_path)))
    store_path.write_bytes(random.Random(3).randbytes(300_000))

    saved, points = repair(store_path)

    assert "nor any DuckDB database" in saved.trouble
    assert points == expected(range(200))


def big_store(path: Path) -> None:
    """Ended runs of 120,000 points, of which no journal is left."""
    fold(lease_of(resolve(path)))
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as store (row_group_size 10240); use store")
        for number in range(4):
            connection.execute(
                "insert into runs (run_id, name, status, attempt, lost_calls)"
                " values (?::uuid, ?, 'finished', 1, 0)",
                [f"00000000-0000-7000-8000-00000000000{number}", f"run {number}"],
            )
            connection.execute(
                "insert into points select ?::uuid, 'loss', range, timestamp '2026-01-01',"
                " hash(range) / 1e19, 0, 1 from range(30000)",
                [f"00000000-0000-7000-8000-00000000000{number}"],
            )
            connection.execute(
                "insert into params_ values (?::uuid, 'lr', '0.1', 0.1)",
                [f"00000000-0000-7000-8000-00000000000{number}"],
            )
            connection.execute("checkpoint")


def blocks_of_points(path: Path) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        query = (
            "select distinct block_id from pragma_storage_info('points')"
            " where block_id >= 0 order by 1"
        )
        return [block for (block,) in connection.execute(query).fetchall()]


def rows_without(path: Path, damaged: set[int]) -> int:
    """Rows in the row groups of which no part is in a damaged block."""
    query = (
        "select max(start + count) from pragma_storage_info('points') group by row_group_id"
        " having not list_has_any(list(block_id) || flatten(list(additional_block_ids)), ?)"
    )
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(query, [sorted(damaged)]).fetchall()
    return sum(rows for (rows,) in found)


def test_a_database_with_a_damaged_block_gives_all_other_rows(store_path: Path) -> None:
    big_store(store_path)
    blocks = blocks_of_points(store_path)
    damaged = {blocks[3], blocks[len(blocks) // 2]}
    apart = rows_without(store_path, damaged)
    for block in damaged:
        flip(store_path, 12_288 + 65_536 * block + 1000)

    saved, points = repair(store_path)

    table = next(table for table in saved.tables if table.name == "points")
    assert table.rows == saved.points == len(points)
    assert table.rows + table.lost == 120_000
    assert table.rows >= apart > 0
    assert 0 < table.lost < 60_000  # the groups of rows that have a part there
    right = "select count(*) from points where value <> hash(step) / 1e19"
    assert Store(saved.location).sql(right).fetchall() == [(0,)]
    assert [run.name for run in Store(saved.location).runs()] == [
        f"run {number}" for number in (3, 2, 1, 0)
    ]


def test_a_database_cut_in_the_middle_gives_what_is_before_the_cut(
    store_path: Path, make_writer: MakeWriter
) -> None:
    big_store(store_path)
    writer = make_writer({"name": "live"})
    log(writer)
    fold(lease_of(resolve(store_path)))
    size = store_path.stat().st_size
    whole = store_path.read_bytes()
    found = {}
    for percent in (30, 80, 95):
        store_path.write_bytes(whole[: size * percent // 100])
        saved, points = repair(store_path, f"saved{percent}.duckdb")
        live = [point for point in points if point[0] != "live"]
        assert len(points) - len(live) == 400  # its journal has every call
        found[percent] = (saved.is_complete, len(live))

    assert not any(complete for complete, _ in found.values())
    counts = [count for _, count in found.values()]
    assert counts == sorted(counts)


def test_a_database_whose_newest_header_is_damaged_gives_the_state_before(
    store_path: Path,
) -> None:
    big_store(store_path)
    data = store_path.read_bytes()
    places = {int.from_bytes(data[at + 8 : at + 16], "little"): at for at in (4096, 8192)}
    flip(store_path, places[max(places)] + 20)

    saved, points = repair(store_path)

    assert saved.trouble == "read as it was one checkpoint earlier"
    assert len(points) >= 90_000


def test_a_store_that_another_program_holds_is_not_taken_for_a_damaged_one(
    store_path: Path, tmp_path: Path, python: Python
) -> None:
    big_store(store_path)
    other = python(HOLDS_THE_FILE, store_path)
    assert other.stdout is not None
    other.stdout.readline()

    with pytest.raises(StoreBusyError, match=f"held open by process {other.pid}"):
        repair_store(store_path, tmp_path / "saved.duckdb")

    assert [path.name for path in tmp_path.glob("*saved*")] == []


def test_a_foreign_database_is_said_to_be_one(
    store_path: Path, make_writer: MakeWriter
) -> None:
    log(make_writer())
    store_path.unlink(missing_ok=True)
    with duckdb.connect(str(store_path)) as connection:
        connection.execute("create table theirs as select range from range(9)")

    saved, points = repair(store_path)

    assert saved.trouble == "it is a DuckDB database, but not a Stepwell store"
    assert not saved.is_complete
    assert points == expected(range(200))


@pytest.mark.parametrize("data", [b"", b"junk", bytes(5000)])
def test_a_file_that_only_ends_as_journals_do_becomes_no_run(
    store_path: Path, make_writer: MakeWriter, data: bytes
) -> None:
    log(make_writer())
    Path(f"{store_path}.journal", "notes.journal").write_bytes(data)

    saved, points = repair(store_path)

    assert saved.runs == len(saved.journals) == 1
    assert points == expected(range(200))


def test_runs_whose_rows_are_lost_are_named_by_their_ids(
    store_path: Path, make_writer: MakeWriter
) -> None:
    done = make_writer({"name": "done"})
    log(done)
    done.finish("finished", None)
    fold(lease_of(resolve(store_path)))
    with duckdb.connect(str(store_path)) as connection:
        connection.execute("delete from runs")
        connection.execute("delete from totals_")

    saved, points = repair(store_path)

    name = f"recovered-{done.header.run_id[-8:]}"
    assert saved.nameless == 1
    assert points == expected(range(200), run=name)
    with Store(saved.location) as store:
        assert store.summary(name)["loss"].count == 200


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_scan_finds_every_record_that_damage_did_not_touch(
    data: st.DataObject, tmp_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer()
    log(writer, 30)
    whole = writer.journal.path.read_bytes()
    _, offset = decode_header(whole)
    records = []
    while (record := whole_record(memoryview(whole), offset)) is not None:
        records.append((offset, record[2] + 4))
        offset = record[2] + 4
    damaged = bytearray(whole)
    places = data.draw(
        st.lists(st.integers(0, len(whole) - 1), max_size=6, unique=True), "places"
    )
    for place in places:
        damaged[place] ^= data.draw(st.integers(1, 255), "bits")
    cut = data.draw(st.integers(1, len(whole)), "cut")
    path = tmp_path / writer.journal.path.name
    path.write_bytes(damaged[:cut])

    scan = scan_journal(path)

    untouched = [
        (start, stop)
        for start, stop in records
        if stop <= cut and not any(start <= place < stop for place in places)
    ]
    found = [
        record
        for record in records
        if any(start <= record[0] and record[1] <= stop for start, stop in scan.whole)
    ]
    assert found == untouched
    covered = sorted((*scan.whole, *scan.damaged))
    assert all(one[1] == two[0] for one, two in pairwise(covered))
    assert scan.records == len(untouched)


def test_nothing_is_overwritten_and_no_store_is_said(
    store_path: Path, tmp_path: Path
) -> None:
    there = Path(shutil.copy(store_path, tmp_path / "there.duckdb"))

    with pytest.raises(StoreLocationError, match="is there already; choose another path"):
        repair_store(store_path, there)
    with pytest.raises(StoreLocationError, match="there is no store at"):
        repair_store(tmp_path / "none.duckdb", tmp_path / "new.duckdb")


def test_the_command_says_what_was_saved_and_what_was_lost(
    store_path: Path, tmp_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer(**GONE)
    log(writer)
    flip(writer.journal.path, writer.journal.path.stat().st_size - 480)
    command = ["repair", "--store", str(store_path)]

    result = CliRunner().invoke(main, [*command, str(tmp_path / "a.duckdb")])
    as_json = CliRunner().invoke(main, [*command, str(tmp_path / "b.duckdb"), "--json"])

    journal, end = result.stdout.splitlines()
    assert result.exit_code == as_json.exit_code == 1
    assert journal.endswith(
        ": 201 records saved, 48 bytes damaged, 0 bytes of a cut record"
    )
    assert end == f"{tmp_path / 'a.duckdb'}: 1 run, 398 points; the rest is lost"
    found = json.loads(as_json.stdout)
    assert (found["points"], found["is_complete"]) == (398, False)
    assert found["journals"][0]["damaged"] == 48
