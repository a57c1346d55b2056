"""Points are saved though DuckDB's directory of the file is lost: a copy of it is kept."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import stepwell
from stepwell.store import RepairedStore, Store, compact_store, examine, repair_store
from stepwell.store.database.lease import lease_of
from stepwell.store.database.table_directory_backup import NAME, missing_blocks
from stepwell.store.files.location import resolve
from stepwell.store.recording.run_writer import RunWriter

HEADERS = 12_288  # bytes before block 0
BLOCK = 65_536
STEPS = 3_000


@pytest.fixture
def recorded(store_path: Path) -> Path:
    """A store of one run of two metrics, whose journal is folded and gone."""
    with stepwell.init(store=store_path, name="only", config={"lr": 0.1}) as run:
        for step in range(STEPS):
            run.log({"loss": 1 / (1 + step), "square": float(step * step)})
    run.finish(wait=True)
    return store_path


def blocks(path: Path, query: str) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return [int(row[0]) for row in connection.execute(query).fetchall()]


def directory_blocks(path: Path) -> list[int]:
    return blocks(path, "select block_id from pragma_metadata_info() order by 1")


def last_block_of_points(path: Path) -> int:
    query = "select max(block_id) from pragma_storage_info('points')"
    return blocks(path, query)[0]


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)


def repaired(path: Path) -> RepairedStore:
    found = repair_store(path, path.with_name("saved.duckdb"))
    assert [finding for finding in examine(found.location) if not finding.is_ok] == []
    with Store(found.location) as store:
        query = "select count(*), sum(step), max(value) from points"
        said = store.sql(query).fetchall()
    if found.points:
        assert said == [(2 * STEPS, STEPS * (STEPS - 1), float((STEPS - 1) ** 2))]
    return found


def test_a_file_cut_behind_its_points_gives_all_of_them_wherever_the_directory_was(
    recorded: Path,
) -> None:
    last = last_block_of_points(recorded)
    assert max(directory_blocks(recorded)) > last  # as it is after a run's only fold
    with recorded.open("r+b") as file:
        file.truncate(HEADERS + BLOCK * (last + 1))

    found = repaired(recorded)

    assert found.points == 2 * STEPS
    assert found.trouble == "read by the kept copy of its directory"


def test_a_damaged_directory_costs_nothing(recorded: Path) -> None:
    for block in directory_blocks(recorded):
        flip(recorded, HEADERS + BLOCK * block + 100)

    found = repaired(recorded)

    assert (found.runs, found.points, found.nameless) == (1, 2 * STEPS, 0)
    assert found.is_complete


def test_a_compacted_store_has_a_copy_of_its_own(recorded: Path) -> None:
    compact_store(recorded)
    for block in directory_blocks(recorded):
        flip(recorded, HEADERS + BLOCK * block + 100)

    assert repaired(recorded).points == 2 * STEPS


def test_the_copy_follows_each_write(
    store_path: Path, make_writer: Callable[..., RunWriter]
) -> None:
    recorder = make_writer().recorder()
    lease = lease_of(resolve(store_path))
    with Store(store_path) as store:
        for step in range(3):
            recorder.log({"loss": step})
            assert len(store.series("lone", "loss").steps) == step + 1
            for block in directory_blocks(store_path):
                there = set(missing_after_damage(store_path, block))
                assert there == {HEADERS + BLOCK * block}
    lease.close()


def missing_after_damage(path: Path, block: int) -> list[int]:
    damaged = path.with_name("damaged.duckdb")
    shutil.copy(path, damaged)
    folder = damaged.with_name("damaged.duckdb.journal")
    folder.mkdir(exist_ok=True)
    shutil.copy(path.with_name(f"{path.name}.journal") / NAME, folder)
    assert missing_blocks(resolve(damaged)) == {}
    flip(damaged, HEADERS + BLOCK * block + 7)
    return list(missing_blocks(resolve(damaged)))


def test_a_copy_of_another_state_of_the_file_is_not_used(recorded: Path) -> None:
    with duckdb.connect(str(recorded)) as connection:
        connection.execute("create table theirs as select range from range(9)")
    flip(recorded, HEADERS + BLOCK * directory_blocks(recorded)[-1] + 100)

    assert missing_blocks(resolve(recorded)) == {}


@pytest.mark.parametrize("place", [3, 40, 9_000, 20_000, -2])
def test_a_damaged_copy_is_not_used(recorded: Path, place: int) -> None:
    kept = recorded.with_name(f"{recorded.name}.journal") / NAME
    flip(recorded, HEADERS + BLOCK * directory_blocks(recorded)[0] + 100)
    assert missing_blocks(resolve(recorded)) != {}

    flip(kept, place % kept.stat().st_size)

    assert missing_blocks(resolve(recorded)) == {}


@pytest.mark.parametrize("length", [0, 10, 12_000, 12_400, 50_000])
def test_a_copy_that_was_cut_is_not_used(recorded: Path, length: int) -> None:
    kept = recorded.with_name(f"{recorded.name}.journal") / NAME
    flip(recorded, HEADERS + BLOCK * directory_blocks(recorded)[0] + 100)
    with kept.open("r+b") as file:
        file.truncate(length)

    assert missing_blocks(resolve(recorded)) == {}
