"""A helper that has got ready folds as one that has not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stepwell.store import StoreError
from stepwell.store.database.lease import Lease
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold, get_ready

Output = Callable[..., str]


@pytest.fixture
def lease(store_path: Path) -> Lease:
    """One that is ready, of a store that is empty."""
    made = Lease(resolve(store_path))
    get_ready(made)
    return made


def record(store_path: Path, output: Output, calls: int = 3) -> None:
    """A run whose process ends without a fold."""
    code = f"""
        import os, sys, stepwell
        from stepwell.store.ingest_helper import handle
        handle._start = lambda location: None  # nobody else folds it
        run = stepwell.init("p", config={{"lr": 0.1}}, store=sys.argv[1])
        for number in range({calls}):
            run.log({{"loss": number, "acc": 1.0}})
        run.finish()
        sys.stdout.flush()
        os._exit(0)
    """
    output(code, store_path)


def points_in(lease: Lease) -> list[tuple[Any, ...]]:
    asked = "select metric, count(*), sum(value) from points group by 1 order by 1"
    with lease.shared() as connection:
        return connection.execute(asked).fetchall()


@pytest.mark.parametrize("calls", [1, 3])
def test_what_comes_after_it_got_ready_is_folded(
    lease: Lease, store_path: Path, output: Output, calls: int
) -> None:
    for times in (1, 2):
        record(store_path, output, calls)
        get_ready(lease)  # nothing is left to do

        fold(lease)

        total = times * sum(range(calls))
        assert points_in(lease) == [
            ("acc", times * calls, times * calls),
            ("loss", times * calls, total),
        ]
    assert not list(store_path.with_name("runs.duckdb.journal").glob("*.journal"))


def test_the_store_is_what_is_there_when_it_is_folded(
    lease: Lease, store_path: Path, empty_store: Path, output: Output
) -> None:
    record(store_path, output)
    other = store_path.with_name("other.duckdb")
    shutil.copy(empty_store, other)
    other.replace(store_path)

    fold(lease)

    assert points_in(lease) == [("acc", 3, 3.0), ("loss", 3, 3.0)]


def test_what_is_no_store_any_more_is_left_as_it_is(
    lease: Lease, store_path: Path, output: Output
) -> None:
    record(store_path, output)
    store_path.unlink()
    with duckdb.connect(str(store_path)) as foreign:
        foreign.execute("create table points(secret int)")

    with pytest.raises(StoreError):
        fold(lease)

    with duckdb.connect(str(store_path)) as foreign:
        assert foreign.execute("from points").fetchall() == []


def test_an_instance_is_not_kept_that_did_not_get_ready(
    store_path: Path, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Lease(resolve(store_path))
    with monkeypatch.context() as patched:
        patched.setattr(
            "stepwell.store.database.file_guard.make_views_ahead", fail_half_way
        )
        with pytest.raises(duckdb.Error):
            get_ready(made)
    record(store_path, output)

    fold(made)

    assert points_in(made) == [("acc", 3, 3.0), ("loss", 3, 3.0)]


def fail_half_way(connection: duckdb.DuckDBPyConnection, _: object) -> None:
    connection.execute("ATTACH ':memory:' AS store")
    connection.execute("from nothing")


def test_all_of_a_program_is_in_the_file_when_it_has_ended(
    store_path: Path, output: Output
) -> None:
    code = """
        import sys, time, stepwell
        run = stepwell.init("p", store=sys.argv[1])
        run.log({"loss": 1.0})
        time.sleep(float(sys.argv[2]))
        run.log({"loss": 2.0})
    """
    for number, seconds in enumerate((0.0, 0.1, 0.4), 1):
        output(code, store_path, seconds)
        with duckdb.connect(str(store_path), read_only=True) as file:
            found = file.execute("select count(*), sum(value) from points").fetchall()
        assert found == [(2 * number, 3.0 * number)]
