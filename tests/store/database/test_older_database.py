"""An older copy of the database that is put back under an open store is noticed."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stepwell
from stepwell import Run
from stepwell.store import Store, StoreWarning
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold

OLD_SCHEMA = Path(__file__).parents[2] / "stores" / "0001.duckdb"
OLDER = "is an older one than before"


def over(copy: Path, database: Path) -> None:
    """As `cp` does: it is the same file, with another content."""
    database.write_bytes(copy.read_bytes())


def instead(copy: Path, database: Path) -> None:
    """As `mv` does, or a restore: it is another file."""
    other = copy.with_name("other.duckdb")
    shutil.copy(copy, other)
    other.replace(database)


@pytest.fixture
def run(store_path: Path) -> Iterator[Run]:
    with stepwell.start_run(store=store_path, name="live") as run:
        yield run


@pytest.fixture
def store(store_path: Path) -> Store:
    return Store(store_path)


def losses(store: Store) -> list[float]:
    return list(store.series("live", "loss").values)


@pytest.mark.parametrize("put", [over, instead])
@pytest.mark.parametrize("later", [0, 3])
def test_what_the_journals_hold_is_recorded_again(
    put: Callable[[Path, Path], None],
    later: int,
    run: Run,
    store: Store,
    tmp_path: Path,
) -> None:
    store_path, backup = run.location, tmp_path / "backup.duckdb"
    for step in range(10):
        run.log({"loss": step})
    assert losses(store) == list(range(10))
    shutil.copy(store_path, backup)
    for step in range(10, 20):
        run.log({"loss": step})
    assert losses(store) == list(range(20))

    put(backup, store_path)
    for step in range(20, 20 + later):
        run.log({"loss": step})
    with pytest.warns(StoreWarning, match=OLDER):
        assert losses(store) == list(range(20 + later))
    assert losses(store) == list(range(20 + later))  # once
    assert store.run("live").status == "running"
    assert run.summary()["loss"].count == 20 + later


def test_a_copy_from_before_the_run_gets_it_again(
    run: Run, store: Store, store_path: Path, tmp_path: Path
) -> None:
    earlier = stepwell.start_run(store=tmp_path / "empty.duckdb", name="earlier")
    earlier.finish(wait=True)
    run.log({"loss": 1})
    assert losses(store) == [1]
    instead(tmp_path / "empty.duckdb", store_path)
    with pytest.warns(StoreWarning, match=OLDER):
        assert losses(store) == [1]
    assert {found.name for found in store.runs()} == {"earlier", "live"}


def test_runs_that_had_ended_since_are_not_in_it(
    run: Run, store: Store, store_path: Path, tmp_path: Path
) -> None:
    run.log({"loss": 1})
    assert losses(store) == [1]
    shutil.copy(store_path, tmp_path / "backup.duckdb")
    with stepwell.start_run(store=store_path, name="between") as between:
        between.log({"loss": 1})
    run.log({"loss": 2})
    assert {found.name for found in store.runs()} == {"between", "live"}
    over(tmp_path / "backup.duckdb", store_path)
    with pytest.warns(StoreWarning, match="runs that have ended since are not in it"):
        assert [found.name for found in store.runs()] == ["live"]
    assert losses(store) == [1, 2]


@pytest.mark.parametrize("put", [over, instead])
@pytest.mark.parametrize("later", [False, True])
def test_one_with_an_older_schema_is_upgraded(
    put: Callable[[Path, Path], None],
    later: bool,
    run: Run,
    store: Store,
    store_path: Path,
) -> None:
    run.log({"loss": 1})
    assert losses(store) == [1]
    put(OLD_SCHEMA, store_path)
    if later:
        run.log({"loss": 2})
    with pytest.warns(StoreWarning, match=OLDER):
        assert losses(store) == [1, 2][: 1 + later]
    assert len(store.runs()) > 1


def test_a_fold_upgrades_it_the_next_time(run: Run, store: Store, store_path: Path) -> None:
    run.log({"loss": 1})
    assert losses(store) == [1]
    over(OLD_SCHEMA, store_path)
    run.log({"loss": 2})
    lease = lease_of(resolve(store_path))
    with pytest.raises(stepwell.StepwellError, match="has become an older one"):
        fold(lease)
    with pytest.warns(StoreWarning, match=OLDER):
        fold(lease)
    assert losses(store) == [1, 2]


def test_a_change_of_a_run_is_made_in_it(run: Run, store: Store, store_path: Path) -> None:
    run.log({"loss": 1})
    assert losses(store) == [1]
    over(OLD_SCHEMA, store_path)
    with pytest.warns(StoreWarning, match=OLDER):
        store.tag("live", ["a"])
    assert list(store.run("live").tags) == ["a"]
