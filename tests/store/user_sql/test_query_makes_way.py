"""A long query keeps nobody waiting, and is stopped for those who want the newest."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import Run, StepwellError, Store, open_store, start_run
from stepwell.store.database.lease import lease_of
from stepwell.store.database.turns import QUERY, QUERY_SECONDS
from stepwell.store.files.location import resolve
from stepwell.store.user_sql import run_query
from stepwell.store.user_sql.query_process import YIELDED, Request, _is_wished_for
from stepwell.store.values.sql_result import SqlResult

Eventually = Callable[..., None]
Python = Callable[..., subprocess.Popen[str]]
SOON = 0.5 + 0.6  # this machine may be busy
Stop = Callable[[threading.Thread], None]


class LongQuery:
    """A query in a thread, of a minute unless it is said otherwise."""

    def __init__(self, path: Path, seconds: float = 60.0) -> None:
        self.path = path
        self.result: object = None
        self.taken = 0.0
        self._query = f"select sleep_ms({int(seconds * 1000)})"
        self.thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        begun = time.monotonic()
        with suppress(StepwellError):
            self.result = Store(self.path).sql(self._query, timeout=100).fetchall()
        self.taken = time.monotonic() - begun

    def begin(self, eventually: Eventually) -> None:
        """Start it, and wait until it has the store."""
        self.thread.start()
        eventually(lambda: self.has_the_store)

    @property
    def has_the_store(self) -> bool:
        with suppress(ValueError):  # the other thread opens its lock files anew just now
            return lease_of(resolve(self.path))._open_turns()._gate.is_signed(QUERY)
        return False

    @property
    def is_running(self) -> bool:
        return self.thread.is_alive()


@pytest.fixture
def run(store_path: Path) -> Iterator[Run]:
    """A run whose one point is folded."""
    with start_run(store=store_path) as started:
        started.log({"loss": 1.0}, step=1)
        assert Store(store_path).summary("last")["loss"].count == 1
        yield started


@pytest.fixture
def long_query(
    store_path: Path, run: Run, eventually: Eventually, stop_query: Stop
) -> Iterator[LongQuery]:
    """It runs, and there is a point that was not folded before."""
    query = LongQuery(store_path)
    query.begin(eventually)
    run.log({"loss": 2.0}, step=2)
    yield query
    stop_query(query.thread)


def test_a_reader_gets_what_is_folded_and_is_told_so(
    store_path: Path, long_query: LongQuery, stop_query: Stop
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
    assert long_query.is_running
    stop_query(long_query.thread)
    assert store.summary("last")["loss"].count == 2
    assert store.as_of is None


def test_who_asks_for_the_newest_gets_it(store_path: Path, long_query: LongQuery) -> None:
    store = open_store(store_path, fresh=True)
    begun = time.monotonic()
    assert store.summary("last")["loss"].count == 2
    assert time.monotonic() - begun < SOON
    assert store.as_of is None
    assert long_query.is_running  # again


def test_a_query_that_made_way_is_run_again(
    store_path: Path, run: Run, eventually: Eventually
) -> None:
    query = LongQuery(store_path, seconds=4)
    query.begin(eventually)
    run.log({"loss": 2.0}, step=2)
    assert open_store(store_path, fresh=True).summary("last")["loss"].count == 2
    query.thread.join()
    assert query.result
    assert query.taken > 4 + 0.5


def test_the_end_of_a_run_waits_for_no_query(run: Run, long_query: LongQuery) -> None:
    run.finish()

    assert long_query.is_running


def unfolded(path: Path) -> list[Path]:
    return list(path.with_name(f"{path.name}.journal").glob("*.journal"))


def test_who_waits_for_the_end_of_a_run_has_it_in_the_file(
    store_path: Path, run: Run, long_query: LongQuery
) -> None:
    begun = time.monotonic()
    run.finish(wait=True)

    assert time.monotonic() - begun < 30  # of the query's minute
    assert unfolded(store_path) == []
    assert long_query.is_running  # again
    beside = Store(store_path).sql(
        "select status, count(*) from run_table join points using (run_id) group by all"
    )
    assert beside.fetchall() == [("finished", 2)]


def remove_store(path: Path) -> None:
    shutil.rmtree(path.with_name(f"{path.name}.journal"))
    path.unlink()


def test_a_query_makes_way_in_a_store_that_took_the_place_of_another(
    store_path: Path, eventually: Eventually, stop_query: Stop
) -> None:
    start_run(store=store_path).finish(wait=True)
    # Long enough for a look whether somebody waits for the store, by the same process.
    Store(store_path).sql("select sleep_ms(300)").fetchall()
    remove_store(store_path)

    with start_run(store=store_path) as run:
        run.log({"loss": 1.0}, step=1)
        query = LongQuery(store_path)
        query.begin(eventually)
        run.log({"loss": 2.0}, step=2)
        begun = time.monotonic()
        found = open_store(store_path, fresh=True).summary("last")["loss"].count
        taken = time.monotonic() - begun
        stop_query(query.thread)
    assert found == 2
    assert taken < 30  # of the query's minute


@pytest.mark.parametrize("left", ["an empty folder", "no folder"])
def test_who_looks_whether_a_query_is_in_the_way_makes_no_file(
    store_path: Path, left: str
) -> None:
    folder = store_path.with_name(f"{store_path.name}.journal")
    if left == "an empty folder":
        folder.mkdir()

    assert not _is_wished_for(str(store_path))
    assert [*store_path.parent.rglob(".*")] == []


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("run.finish()", "finished"),
        ("run.finish(wait=True)", "finished"),
        ("import duckdb; run.finish(wait=True)", "finished"),  # folds by itself
        ("", "finished"),
        ("sys.exit(3)", "failed"),
    ],
)
def test_a_program_that_ends_stops_the_query_of_another_process(
    store_path: Path, long_query: LongQuery, python: Python, end: str, status: str
) -> None:
    code = f"""
import sys, stepwell
run = stepwell.init(store=sys.argv[1], name="other")
run.log({{"loss": 3.0}})
{end}
"""
    begun = time.monotonic()
    said = python(code, store_path).communicate(timeout=60)

    assert said == ("", "")
    assert time.monotonic() - begun < 15  # its helper need not wait for the query
    assert long_query.is_running  # again
    beside = Store(store_path).sql("select status from run_table where run = 'other'")
    assert beside.fetchall() == [(status,)]


def test_a_query_makes_way_once(
    store_path: Path,
    run: Run,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = []
    ask = run_query._asked

    def noted(request: Request) -> tuple[int | None, SqlResult | None]:
        end = ask(request)
        ends.append(end[0])
        return end

    monkeypatch.setattr(run_query, "_asked", noted)
    query = LongQuery(store_path, seconds=4)
    query.begin(eventually)
    other = start_run(store=store_path)
    run.log({"loss": 2.0}, step=2)
    run.finish(wait=True)
    eventually(lambda: query.has_the_store)

    other.finish(wait=True)

    query.thread.join()
    assert ends == [YIELDED, 0]
    assert query.result
    assert unfolded(store_path) == []
    assert {one.status for one in Store(store_path).runs()} == {"finished"}


def test_a_change_of_a_run_stops_the_query(store_path: Path, long_query: LongQuery) -> None:
    Store(store_path).note("last", "what it was for")

    assert Store(store_path).run("last").notes == "what it was for"
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
    count = 40
    threads = [
        threading.Thread(target=lambda: Store(store_path).runs()) for _ in range(count)
    ]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert long_query.is_running
    assert time.monotonic() - begun < count * QUERY_SECONDS * 0.75  # not one after another
