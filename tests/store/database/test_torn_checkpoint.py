"""A process killed in the middle of a checkpoint loses nothing: the next one puts it right.

DuckDB writes to blocks of its directory where they are. A kill at the worst instant is made
here by writing a part of such a block, as the checkpoint would have done, after a kill.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stepwell
from stepwell import migrations
from stepwell.store import Store, StoreBusyError, StoreDamagedError, examine, open_store
from stepwell.store.database.lease import lease_of
from stepwell.store.database.table_directory_backup import NAME
from stepwell.store.files.location import resolve
from stepwell.store.ingest import ingest
from stepwell.store.ingest.ingest import fold, fold_within
from stepwell.store.ingest.remove_journals import Folded
from stepwell.store.recording.run_writer import RunWriter

Python = Callable[..., "subprocess.Popen[str]"]
MakeWriter = Callable[..., RunWriter]

HEADERS = 12_288  # bytes before block 0
BLOCK = 65_536
PAGE = 4_096  # of a write that is broken off, whole pages are written
STEPS = 200

WRITES = """
import sys
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

with lease_of(resolve(sys.argv[1])).exclusive():
    print("writing", flush=True)
    sys.stdin.read()
"""

COUNTS = """
import sys
from stepwell.store import Store

query = "select count(*), count(distinct (run_id, metric, step)) from points"
print(*Store(sys.argv[1]).sql(query).fetchall()[0])
"""

LOCKS = """
import fcntl, sys

with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_SH, 0)
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def pending(store_path: Path, make_writer: MakeWriter) -> Path:
    """A store of an ended run, and one that goes on and is not folded."""
    with stepwell.init(store=store_path, name="ended") as run:
        for step in range(STEPS):
            run.log({"loss": step})
    run.finish(wait=True)
    recorder = make_writer().recorder()
    for step in range(STEPS):
        recorder.log({"loss": step, "accuracy": step})
    return store_path


def kill_a_writer(store: Path, python: Python) -> None:
    writer = python(WRITES, store)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    writer.kill()
    writer.wait()


def directory_blocks(path: Path) -> set[int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        query = "select block_id from pragma_metadata_info()"
        return {int(row[0]) for row in connection.execute(query).fetchall()}


def after_a_fold(store: Path) -> Path:
    """The database of a copy of the store in which all is folded."""
    copy = store.parent / "copy" / store.name
    copy.parent.mkdir()
    shutil.copy(store, copy)
    shutil.copytree(resolve(store).journals, resolve(copy).journals)
    fold(lease_of(resolve(copy)))
    lease_of(resolve(copy)).close()
    return copy


def write_half(store: Path, part: int = PAGE) -> None:
    """Write the beginning of a directory's block, as a fold would do it."""
    before, after = store.read_bytes(), after_a_fold(store).read_bytes()
    with store.open("r+b") as file:
        for block in directory_blocks(store):
            start = HEADERS + BLOCK * block
            if before[start : start + BLOCK] != after[start : start + BLOCK]:
                file.seek(start)
                file.write(after[start : start + part])
    with pytest.raises(duckdb.Error), duckdb.connect(str(store)) as connection:
        connection.execute("select * from points").fetchall()


def counts(store: Path) -> tuple[int, int]:
    with Store(store) as opened:
        query = "select count(*), count(distinct (run_id, metric, step)) from points"
        (found,) = opened.sql(query).fetchall()
    return int(found[0]), int(found[1])


@pytest.fixture
def half_written(pending: Path, python: Python) -> Path:
    """A store whose fold was killed in the middle of a write to the directory."""
    kill_a_writer(pending, python)
    write_half(pending)
    return pending


@pytest.mark.parametrize("part", [PAGE, 2 * PAGE])
def test_each_call_is_there_once(pending: Path, python: Python, part: int) -> None:
    kill_a_writer(pending, python)
    write_half(pending, part)

    assert counts(pending) == (3 * STEPS, 3 * STEPS)
    assert [finding for finding in examine(pending) if not finding.is_ok] == []


def test_several_readers_find_it_at_once(half_written: Path, python: Python) -> None:
    readers = [python(COUNTS, half_written) for _ in range(4)]

    said = [reader.communicate(timeout=100)[0] for reader in readers]

    assert said == [f"{3 * STEPS} {3 * STEPS}\n"] * 4


def test_the_doctor_says_so_and_writes_nothing(half_written: Path) -> None:
    before = half_written.read_bytes()

    wrong = [finding for finding in examine(half_written) if not finding.is_ok]

    assert [finding.check for finding in wrong] == ["database"]
    assert "was killed while it wrote to the directory" in wrong[0].message
    assert half_written.read_bytes() == before


def test_a_file_that_was_cut_since_is_left_as_it_is(half_written: Path) -> None:
    os.truncate(half_written, half_written.stat().st_size - BLOCK)

    is_left_as_it_is(half_written)


def test_a_file_in_its_place_is_left_as_it_is(half_written: Path) -> None:
    other = half_written.with_name("other.duckdb")
    shutil.copy(half_written, other)
    other.replace(half_written)

    is_left_as_it_is(half_written)


def test_a_block_that_was_damaged_otherwise_is_left_as_it_is(pending: Path) -> None:
    write_half(pending)

    is_left_as_it_is(pending)


def attach(store: Path) -> None:
    with lease_of(resolve(store)).shared(0.2):
        pass


def is_left_as_it_is(store: Path) -> None:
    before = store.read_bytes()
    with pytest.raises(StoreDamagedError, match="stepwell repair NEW"):
        attach(store)
    assert store.read_bytes() == before


def test_a_file_that_another_program_has_open_waits(
    half_written: Path, python: Python
) -> None:
    before = half_written.read_bytes()
    other = python(LOCKS, half_written)
    assert other.stdout is not None
    assert other.stdout.readline() == "locked\n"

    with pytest.raises(StoreBusyError, match="held open by another process"):
        attach(half_written)

    assert half_written.read_bytes() == before
    other.kill()
    other.wait()
    assert counts(half_written) == (3 * STEPS, 3 * STEPS)


def test_a_copy_that_is_out_of_date_is_made_anew_before_anything_is_written(
    pending: Path,
) -> None:
    with duckdb.connect(str(pending)) as connection:
        connection.execute("create table theirs as select range from range(9)")
    assert not is_kept(pending)

    with lease_of(resolve(pending)).exclusive():
        assert is_kept(pending)


def is_kept(store: Path) -> bool:
    """Whether the copy of the directory is that of the file as it is now."""
    kept = (resolve(store).journals / NAME).read_bytes()
    return store.read_bytes()[:HEADERS] in kept


def test_each_piece_of_a_fold_begins_with_a_copy(
    pending: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    insert = ingest.insert_journals

    def watched(*arguments: Any) -> Folded:
        seen.append(is_kept(pending))
        return insert(*arguments)

    monkeypatch.setattr(ingest, "insert_journals", watched)
    monkeypatch.setattr(ingest, "BUDGET", 1_000)
    lease = lease_of(resolve(pending))
    with lease.exclusive() as connection:
        fold_within(connection, lease)
        seen.append(is_kept(pending))

    assert len(seen) > 3
    assert all(seen)


def test_a_migration_has_a_copy_too(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(Path(__file__).parents[2] / "stores" / "0001.duckdb", store_path)
    upgrade, seen = migrations.upgrade, []

    def watched(*arguments: object) -> None:
        note = (resolve(store_path).journals / ".lock").read_bytes()
        seen.append((is_kept(store_path), int.from_bytes(note, "little")))
        upgrade(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(migrations, "upgrade", watched)
    with open_store(store_path) as store:
        assert store.runs()

    assert seen == [(True, store_path.stat().st_ino)]


def test_a_note_that_finds_no_room_is_left_out(
    output: Callable[..., str], tmp_path: Path
) -> None:
    said = output(
        """
        import resource, sys
        from pathlib import Path
        from stepwell.store.files.lock_file import LockFile

        lock = LockFile(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        lock.leave_note(5)
        print(lock.note())
        """,
        tmp_path / ".lock",
    )
    assert said == "0\n"
