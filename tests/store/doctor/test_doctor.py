"""The doctor names each fault in one line, says what to do, and writes nothing."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import Finding, StoreLocationError, StoreWarning, examine, start_run
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Python = Callable[..., subprocess.Popen[str]]
Plant = Callable[[Path, RunWriter], None]

GONE = {"process_started": 1}  # a process id that was given to another process since

HOLDS_THE_FILE = """
import duckdb, sys

connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
sys.stdin.readline()
"""

LEAVES_A_LOG = """
import duckdb, os, sys

connection = duckdb.connect(sys.argv[1])
connection.execute("pragma disable_checkpoint_on_shutdown")
connection.execute("update runs set notes = 'a note'")
connection.execute("create table more as select range as i from range(1000)")
os._exit(0)
"""

HOLDS_THE_LEASE = """
import sys
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

with lease_of(resolve(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.readline()
"""


def wrong(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.check, finding.message) for finding in found if not finding.is_ok]


def log(writer: RunWriter, calls: int = 200) -> None:
    recorder = writer.recorder()
    for number in range(calls):
        recorder.log({"loss": number, "accuracy": number / 2})


def ask(path: Path, statement: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)


# Faults: each is planted in a store with a finished run and one that goes on, and each
# must be the only thing that is found.


def cut_the_database(path: Path, _: RunWriter) -> None:
    os.truncate(path, 20_000)


def overwrite_the_database(path: Path, _: RunWriter) -> None:
    path.write_bytes(b"garbage " * 10_000)


def empty_the_database(path: Path, _: RunWriter) -> None:
    os.truncate(path, 0)


def flip_a_bit_of_the_database(path: Path, _: RunWriter) -> None:
    with duckdb.connect(str(path), read_only=True) as connection:
        query = (
            "select max(block_id) from pragma_storage_info('points') where block_id >= 0"
        )
        (block,) = connection.execute(query).fetchall()[0]
    flip(path, 12_288 + 65_536 * block + 5_000)


def flip_a_bit_of_a_journal(path: Path, writer: RunWriter) -> None:
    flip(writer.journal.path, writer.journal.path.stat().st_size - 1000)


def cut_a_journal(path: Path, writer: RunWriter) -> None:
    os.truncate(writer.journal.path, writer.journal.path.stat().st_size - 7)


def be_a_folder_in_place_of_a_journal(path: Path, writer: RunWriter) -> None:
    writer.journal.path.unlink()
    writer.journal.path.mkdir()


def be_a_file_in_place_of_the_folder(path: Path, _: RunWriter) -> None:
    journals = resolve(path).journals
    shutil.rmtree(journals)
    journals.write_text("no folder")


def damage_a_header(path: Path, writer: RunWriter) -> None:
    flip(writer.journal.path, 40)
    os.utime(writer.journal.path, (time.time() - 3600, time.time() - 3600))


def set_a_journal_aside(path: Path, writer: RunWriter) -> None:
    flip_a_bit_of_a_journal(path, writer)
    with pytest.warns(StoreWarning, match="is damaged"):
        fold(lease_of(resolve(path)))


def shorten_what_was_folded(path: Path, _: RunWriter) -> None:
    ask(path, "update journals_ set folded_bytes = 1000000 where ended is null")


def forget_a_run(path: Path, writer: RunWriter) -> None:
    run_id = writer.header.run_id
    for table in ("runs", "points", "totals_"):
        ask(path, f"delete from {table} where run_id = '{run_id}'")  # noqa: S608


def forget_the_name_of_points(path: Path, _: RunWriter) -> None:
    ask(path, "delete from runs where status = 'finished'")


def remove_a_journal(path: Path, writer: RunWriter) -> None:
    writer.journal.path.unlink()


def change_a_total(path: Path, _: RunWriter) -> None:
    ask(path, "update totals_ set count = count + 1 where metric = 'loss'")


def change_an_extreme(path: Path, _: RunWriter) -> None:
    ask(path, "update totals_ set maximum = maximum + 1 where metric = 'loss'")


def lose_points(path: Path, _: RunWriter) -> None:
    ask(path, "delete from points where metric = 'loss' and step = 3")


def leave_half_a_database(path: Path, _: RunWriter) -> None:
    path.with_name(path.name + ".new").write_bytes(b"half")


def leave_half_a_compaction(path: Path, _: RunWriter) -> None:
    path.with_name(path.name + ".compact").write_bytes(b"half")


def come_from_the_future(path: Path, writer: RunWriter) -> None:
    later = time.time() + 86_400
    os.utime(writer.journal.path, (later, later))


def record_in_the_future(path: Path, _: RunWriter) -> None:
    ask(path, "update totals_ set last_time = last_time + interval 2 days")
    ask(path, "update points set time = time + interval 2 days where step = 199")


def begin_in_the_future(path: Path, _: RunWriter) -> None:
    ask(path, "update runs set created_at = created_at + interval 2 days")
    ask(path, "update runs set finished_at = finished_at + interval 2 days")


def end_before_the_start(path: Path, _: RunWriter) -> None:
    times = "created_at = timestamp '2026-01-02', finished_at = timestamp '2026-01-01'"
    ask(path, f"update runs set {times} where status = 'finished'")  # noqa: S608


def drop_a_view(path: Path, _: RunWriter) -> None:
    ask(path, "drop view metrics")


def drop_a_table(path: Path, _: RunWriter) -> None:
    ask(path, "drop table names_")


def drop_a_column(path: Path, _: RunWriter) -> None:
    ask(path, "alter table figures drop column spec")


def drop_the_version(path: Path, _writer: RunWriter) -> None:
    ask(path, "drop table alembic_version")


def forget_the_version(path: Path, _writer: RunWriter) -> None:
    ask(path, "delete from alembic_version")


def be_older(path: Path, writer: RunWriter) -> None:
    writer.journal.path.unlink()
    shutil.copy(Path(__file__).parents[2] / "stores" / "0001.duckdb", path)


def be_newer(path: Path, _: RunWriter) -> None:
    ask(path, "update alembic_version set version_num = '9999'")


def be_somebody_elses(path: Path, _: RunWriter) -> None:
    path.unlink()
    ask(path, "create table mine as select 42 as answer")


FAULTS: list[tuple[Plant, str, str]] = [
    (cut_the_database, "database", r"cannot be read .*Could not read enough bytes"),
    (empty_the_database, "database", r"\w\.duckdb is empty"),
    (overwrite_the_database, "database", r"nor any DuckDB database"),
    (flip_a_bit_of_the_database, "database", r"table points cannot be read: .*checksum"),
    (flip_a_bit_of_a_journal, "journals", r"48 bytes damaged from byte \d.*, 9\d\d bytes"),
    (cut_a_journal, "journals", r"cut after 41 bytes; its call had not returned"),
    (be_a_folder_in_place_of_a_journal, "journals", r"journal is a folder"),
    (
        be_a_file_in_place_of_the_folder,
        "journals",
        r"journal: Not a directory",
    ),
    (damage_a_header, "journals", r"no whole header; 202 records behind it"),
    (set_a_journal_aside, "journals", r"was set aside: 201 records whole, 48 bytes dam"),
    (shorten_what_was_folded, "offsets", r"has [\d,]+ bytes, and 1,000,000 were folded"),
    (forget_a_run, "orphans", r"belongs to run .*which the database does not know"),
    (forget_the_name_of_points, "orphans", r"[1-9]\d* points of run [-\w]{36}, which the"),
    (remove_a_journal, "orphans", r"run 'lone' never ended, and has no journal"),
    (change_a_total, "totals", r"for 1 metric: 'loss' .* has 200 points, and 201 in"),
    (change_an_extreme, "totals", r"'loss' .* has 200 points of other values, steps or"),
    (lose_points, "totals", r"for 1 metric: 'loss' .* has 199 points, and 200 in"),
    (leave_half_a_database, "orphans", r"\.new was left by a creation that was killed"),
    (leave_half_a_compaction, "orphans", r"\.compact was left by a `stepwell compact`"),
    (come_from_the_future, "clock", r"was touched 86,\d\d\d s in the future"),
    (record_in_the_future, "clock", r"has times of .* UTC, which is in the future"),
    (begin_in_the_future, "clock", r"has times of .* UTC, which is in the future"),
    (end_before_the_start, "clock", r"1 run ended before the start, .*: '\w+'"),
    (drop_a_view, "database", r"the database lacks the view metrics"),
    (drop_a_table, "database", r"the database lacks the table names_"),
    (drop_a_column, "database", r"the database lacks figures\.spec"),
    (drop_the_version, "version", r"lacks its version, in the table alembic_version"),
    (forget_the_version, "version", r"lacks its version, in the table alembic_version"),
    (be_older, "version", r"schema 0001, and this Stepwell writes \d{4}"),
    (be_newer, "version", r"written by a newer Stepwell \(schema 9999"),
    (be_somebody_elses, "version", r"is a DuckDB database, but not a Stepwell store"),
]

NEED_A_LIVE_WRITER = (shorten_what_was_folded, forget_a_run, remove_a_journal)


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 4]))


def fill(store_path: Path, make_writer: MakeWriter, **fields: object) -> RunWriter:
    """A run that was finished and folded, and one whose writer is given."""
    done = make_writer(name="done")
    log(done)
    done.finish("finished", None)
    fold(lease_of(resolve(store_path)))
    writer = make_writer(**fields)
    log(writer)
    if not fields:
        fold(lease_of(resolve(store_path)))
    return writer


def content(folder: Path) -> dict[Path, tuple[bytes, float]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime) for path in files}


def doctor(*arguments: object) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, ["doctor", *map(str, arguments)])
    return result.exit_code, result.stdout.splitlines()


@pytest.mark.parametrize("fields", [{}, GONE])
def test_a_store_in_order_has_no_finding(
    store_path: Path, make_writer: MakeWriter, fields: dict[str, int]
) -> None:
    fill(store_path, make_writer, **fields)

    found = examine(store_path)
    code, lines = doctor("--store", store_path)

    assert wrong(found) == []
    assert (code, len(lines)) == (0, len(found))
    assert all(line.startswith("✓ ") for line in lines)
    assert len({finding.check for finding in found}) == len(found) == 9


@pytest.mark.parametrize(("plant", "check", "words"), FAULTS)
def test_each_planted_fault_is_named_in_one_line(
    store_path: Path, make_writer: MakeWriter, plant: Plant, check: str, words: str
) -> None:
    fields = {} if plant in NEED_A_LIVE_WRITER else GONE
    plant(store_path, fill(store_path, make_writer, **fields))
    before = content(store_path.parent)

    found = wrong(examine(store_path))
    code, lines = doctor("--store", store_path)

    assert [name for name, _ in found] == [check], found
    assert re.search(words, found[0][1]), found
    (line,) = (line for line in lines if not line.startswith("✓ "))
    assert re.search(words, line)
    assert "; " in line  # what to do
    assert code == 1
    assert content(store_path.parent) == before


def test_a_store_in_order_beside_live_writers(store_path: Path) -> None:
    run = start_run(store=store_path)
    run.log({"loss": 1.0})

    assert wrong(examine(store_path)) == []
    run.finish()


def test_the_journals_of_a_store_without_a_database_are_examined(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer(**GONE)
    log(writer)
    flip_a_bit_of_a_journal(store_path, writer)
    store_path.unlink()

    found = wrong(examine(store_path))

    assert [check for check, _ in found] == ["database", "journals"]


def test_a_foreign_program_that_holds_the_database_is_named(
    store_path: Path, make_writer: MakeWriter, python: Python
) -> None:
    fill(store_path, make_writer)
    for mode in ("read", "write"):
        other = python(HOLDS_THE_FILE, store_path, mode)
        assert other.stdout
        assert other.stdout.readline() == "held\n"

        ((check, message),) = wrong(examine(store_path))

        assert check == "locks"
        assert message.startswith(f"process {other.pid} (")
        assert "holds the database open, and is not Stepwell" in message
        other.communicate("go on\n", timeout=60)


def test_who_holds_the_lock_is_named_and_whether_it_was_stopped(
    store_path: Path, make_writer: MakeWriter, python: Python
) -> None:
    fill(store_path, make_writer)
    other = python(HOLDS_THE_LEASE, store_path)
    assert other.stdout
    assert other.stdout.readline() == "held\n"

    (held,) = (f for f in examine(store_path, seconds=0.1) if not f.is_ok)
    other.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, other.pid, os.WSTOPPED | os.WNOWAIT)
    (stopped,) = (f for f in examine(store_path, seconds=0.1) if not f.is_ok)
    other.send_signal(signal.SIGCONT)

    assert re.match(rf"process {other.pid} \(.*holds the store for long", held.message)
    assert stopped.advice == f"kill -CONT {other.pid} lets it go on"
    other.communicate("go on\n", timeout=60)


def test_a_lock_of_a_killed_process_is_nobodys(
    store_path: Path, make_writer: MakeWriter, python: Python
) -> None:
    fill(store_path, make_writer)
    other = python(HOLDS_THE_LEASE, store_path)
    assert other.stdout
    assert other.stdout.readline() == "held\n"
    assert wrong(examine(store_path, seconds=0.1))
    other.kill()
    other.wait(60)

    assert wrong(examine(store_path)) == []


def test_tables_that_cannot_be_read_are_one_finding(
    store_path: Path, make_writer: MakeWriter
) -> None:
    fill(store_path, make_writer, **GONE)
    with duckdb.connect(str(store_path), read_only=True) as connection:
        blocks = {
            block
            for table in ("runs", "totals_")
            for (block,) in connection.execute(
                f"select block_id from pragma_storage_info('{table}') where block_id >= 0"  # noqa: S608
            ).fetchall()
        }
    for block in blocks:
        flip(store_path, 12_288 + 65_536 * block + 5_000)

    ((check, message),) = wrong(examine(store_path))

    assert check == "database"
    assert re.match(r"tables? .*(runs|totals_).* cannot be read: .*checksum", message)


def test_a_log_that_makes_the_database_unreadable_is_one_finding(
    store_path: Path, make_writer: MakeWriter, output: Callable[..., str]
) -> None:
    fill(store_path, make_writer, **GONE)
    output(LEAVES_A_LOG, store_path)
    log_file = store_path.with_name(store_path.name + ".wal")
    assert [check for check, _ in wrong(examine(store_path))] == ["contents", "orphans"]
    flip(log_file, log_file.stat().st_size // 2)

    ((check, message),) = wrong(examine(store_path))

    assert check == "database"
    assert "replaying WAL file" in message


def test_times_that_run_backwards_are_named(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer(**GONE)
    log(writer)
    writer.clock.offset -= 3600 * 10**9  # as by the versions before, when a clock was set
    log(writer)

    ((check, message),) = wrong(examine(store_path))

    assert check == "clock"
    assert re.search(r"run back by 3,60\d s", message)


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("server:/data {} nfs4 rw 0 0", "warning"),
        ("//server/data {} cifs rw 0 0", "warning"),
        ("me@server: {} fuse.sshfs rw 0 0", "warning"),
        ("10.0.0.1@tcp:/l {} lustre rw 0 0", "warning"),
        ("bucket {} fuse.s3fs rw 0 0", "warning"),
        ("/dev/sda1 {} ext4 rw 0 0", "ok"),
    ],
)
def test_a_network_file_system_is_named(
    store_path: Path, tmp_path: Path, line: str, verdict: str
) -> None:
    mounts = tmp_path / "mounts"
    where = str(tmp_path).replace(" ", "\\040")
    mounts.write_text("/dev/root / ext4 rw 0 0\n" + line.format(where) + "\n")

    (found,) = (f for f in examine(store_path, mounts=mounts) if f.check == "file system")

    assert found.verdict == verdict
    assert line.split()[2] in found.message


def test_a_full_disk_is_named(store_path: Path) -> None:
    ((check, message),) = wrong(examine(store_path, free=10_000))

    assert check == "disk"
    assert message.startswith("only 10 kB free")


def test_the_findings_are_printed_as_json(store_path: Path) -> None:
    store_path.with_name(store_path.name + ".new").write_bytes(b"half")
    result = CliRunner().invoke(main, ["doctor", "--json", "--store", str(store_path)])

    rows = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {"check", "verdict", "message", "advice"} == set(rows[0])
    assert [row["verdict"] for row in rows if row["check"] == "orphans"] == ["warning"]


def test_no_store_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(StoreLocationError, match="there is no store at"):
        examine(tmp_path / "none.duckdb")

    result = CliRunner().invoke(main, ["doctor", "--store", str(tmp_path / "none.duckdb")])
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_was_only_copied_stays_without_lock_files(
    store_path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "apart"
    folder.mkdir()
    shutil.copy(store_path, folder)

    assert wrong(examine(folder / store_path.name)) == []
    assert [path.name for path in folder.iterdir()] == [store_path.name]
