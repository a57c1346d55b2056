"""A long query keeps nobody waiting, and is stopped for those who want the newest."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import Run, Store, StoreError, open_store, start_run
from stepwell.store._lease import lease_of
from stepwell.store._location import resolve
from stepwell.store._turns import QUERY

Eventually = Callable[..., None]
SOON = 0.5 + 0.6  # this machine may be busy


class LongQuery:
    """A query of three seconds in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.result: object = None
        self.seconds = 0.0
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        begun = time.monotonic()
        with suppress(StoreError):
            self.result = Store(self.path).sql("select sleep_ms(3000)").fetchall()
        self.seconds = time.monotonic() - begun

    def begin(self, eventually: Eventually) -> None:
        """Start it, and wait until it has the store."""
        turns = lease_of(resolve(self.path))._open_turns()
        self._thread.start()
        eventually(lambda: turns._gate.is_signed(QUERY))

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def wait(self) -> None:
        self._thread.join()


@pytest.fixture
def run(store_path: Path) -> Iterator[Run]:
    """A run whose one point is folded."""
    with start_run(store=store_path) as started:
        started.log({"loss": 1.0}, step=1)
        assert Store(store_path).summary("last")["loss"].count == 1
        yield started


@pytest.fixture
def long_query(store_path: Path, run: Run, eventually: Eventually) -> Iterator[LongQuery]:
    """It runs, and there is a point that was not folded before."""
    query = LongQuery(store_path)
    query.begin(eventually)
    run.log({"loss": 2.0}, step=2)
    yield query
    query.wait()


def test_a_reader_gets_what_is_folded_and_is_told_so(
    store_path: Path, long_query: LongQuery
) -> None:
    store = open_store(store_path)
    begun = time.monotonic()
    found = store.summary("last")["loss"]

    assert time.monotonic() - begun < SOON
    assert long_query.is_running
    assert found.count == 1
    assert store.as_of is not None
    assert abs((datetime.now(UTC) - store.as_of).total_seconds()) < 60
    beside = store.sql("select count(*) from points")
    assert (beside.fetchall(), beside.as_of is None) == ([(1,)], False)
    long_query.wait()
    assert long_query.result
    assert store.summary("last")["loss"].count == 2
    assert store.as_of is None


def test_who_asks_for_the_newest_gets_it_and_the_query_is_run_again(
    store_path: Path, long_query: LongQuery
) -> None:
    store = open_store(store_path, fresh=True)
    begun = time.monotonic()
    assert store.summary("last")["loss"].count == 2
    taken = time.monotonic() - begun

    assert taken < SOON
    assert store.as_of is None
    assert long_query.is_running
    long_query.wait()
    assert long_query.result
    assert long_query.seconds > 3 + 0.5


def test_the_end_of_a_run_stops_the_query(run: Run, long_query: LongQuery) -> None:
    begun = time.monotonic()
    run.finish()

    assert time.monotonic() - begun < SOON + 1
    assert long_query.is_running


def test_a_change_of_a_run_stops_the_query(store_path: Path, long_query: LongQuery) -> None:
    begun = time.monotonic()
    Store(store_path).note("last", "what it was for")

    assert time.monotonic() - begun < SOON + 1
    assert long_query.is_running


def test_a_command_says_on_a_line_of_its_own_how_old_its_answer_is(
    store_path: Path, long_query: LongQuery
) -> None:
    shown = CliRunner().invoke(main, ["--store", str(store_path), "ls", "--json"])

    assert long_query.is_running
    assert shown.exit_code == 0
    assert "as of " in shown.stderr
    assert "as of " not in shown.stdout


def test_many_readers_wait_no_longer_than_one(
    store_path: Path, long_query: LongQuery
) -> None:
    taken = []

    def read() -> None:
        begun = time.monotonic()
        Store(store_path).runs()
        taken.append(time.monotonic() - begun)

    threads = [threading.Thread(target=read) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert long_query.is_running
    assert len(taken) == 5
    assert max(taken) < SOON
