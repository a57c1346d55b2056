"""Processes and threads take turns at the database file, and nobody is forgotten."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stepwell
from stepwell.store import Store, StoreBusyError, StoreWarning, open_store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.recording.run_writer import RunWriter

Python = Callable[..., subprocess.Popen[str]]
Rows = Callable[..., list[tuple[Any, ...]]]

OPENS = """
import sys
from stepwell.store import open_store

sys.stdin.readline()
with open_store(sys.argv[1]) as store:
    print(len(store.runs()), store.sql("select count(*) from points").fetchall())
"""

HOLDS_THE_FILE = """
import duckdb, sys

connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "True")
print("held", flush=True)
sys.stdin.readline()
"""

WAITS_FOR_THE_FILE = """
import duckdb, sys

while True:
    try:
        connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "True")
        break
    except duckdb.IOException:
        pass  # a fold is at work
print("held", flush=True)
sys.stdin.readline()
"""

SLOW_PANDAS = """
import os, subprocess, sys

LOOK = '''
import sys
from pathlib import Path
from stepwell.store.files.lock_file import LockFile
print(LockFile(Path(sys.argv[1])).holder())
'''
if not hasattr(sys, "has_asked"):
    sys.has_asked = True
    look = [sys.executable, "-c", LOOK, os.environ["LOCK"]]
    print("held by", subprocess.check_output(look, text=True).strip(), flush=True)
raise ImportError("asked for, and not needed")
"""

READS_WHAT_IT_LOGGED = """
import sys, stepwell

run = stepwell.init(store=sys.argv[1])
run.log({"loss": 1.0})
with stepwell.open_store(sys.argv[1]) as store:
    print(store.series(run.id, "loss").values.tolist(), flush=True)
"""

HOLDS_THE_LEASE = """
import sys
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

with lease_of(resolve(sys.argv[1])).locked(exclusive=sys.argv[2] == "True"):
    print("held", flush=True)
    sys.stdin.readline()
"""

WAITS_WITH_A_LEASE = """
import sys
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

print("waits", flush=True)
with lease_of(resolve(sys.argv[1])).exclusive(60):
    print("has it", flush=True)
"""

FORKS_WITH_A_LEASE = """
import os, sys, threading
from pathlib import Path
from stepwell.store import Store, open_store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

here, other = Path(sys.argv[1]), Path(sys.argv[2])
open_store(here)
open_store(other).runs()
with lease_of(resolve(here)).shared() as connection:
    before = connection.execute("select count(*) from runs").fetchall()
    child = os.fork()
    if child == 0:
        # The parent's lease is not the child's: it takes its own, of both stores.
        found = Store(here).sql("select 1").fetchall(), Store(other).runs()
        os._exit(0 if found == ([(1,)], []) else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    after = connection.execute("select count(*) from runs").fetchall()
print(code, before == after)
Store(here).runs()
"""

FORKS_WHILE_THREADS_READ = """
import os, sys, threading
from stepwell.store import Store, open_store

store = open_store(sys.argv[1])
is_over = threading.Event()

def read():
    while not is_over.is_set():
        store.runs()

threads = [threading.Thread(target=read) for _ in range(3)]
for thread in threads:
    thread.start()
codes = set()
for _ in range(15):
    child = os.fork()
    if child == 0:
        Store(sys.argv[1]).runs()
        os._exit(0)
    codes.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
is_over.set()
for thread in threads:
    thread.join()
print(codes)
"""


def test_eight_processes_open_a_store_that_does_not_exist_yet(
    new_path: Path, python: Python
) -> None:
    processes = [python(OPENS, new_path) for _ in range(8)]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()

    answers = [process.communicate(timeout=60) for process in processes]

    assert [printed for printed, _ in answers] == ["0 [(0,)]\n"] * 8, answers
    assert not list(new_path.parent.glob("*.new*"))


@pytest.mark.parametrize("read_only", [False, True])
def test_another_program_that_holds_the_file_is_named(
    store_path: Path,
    python: Python,
    rows: Rows,
    read_only: bool,
) -> None:
    run = stepwell.init(store=store_path)
    assert rows("select count(*) from points") == [(0,)]
    other = python(WAITS_FOR_THE_FILE, store_path, read_only)
    assert other.stdout
    assert other.stdin
    assert other.stdout.readline() == "held\n"
    run.log({"loss": 1.0})

    with pytest.raises(StoreBusyError, match=f"held open by process {other.pid}"):
        Store(store_path, seconds=1.0).runs()

    run.log({"loss": 2.0})  # which waits for nobody
    other.communicate("go on\n", timeout=60)
    assert rows("select count(*) from points") == [(2,)]
    run.finish()


def test_the_end_of_a_run_says_that_the_file_is_held(
    store_path: Path, python: Python, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.store.recording.open_runs.FOLD_SECONDS", 0.3)
    run = stepwell.init(store=store_path)
    open_store(store_path)
    other = python(WAITS_FOR_THE_FILE, store_path, False)
    assert other.stdout
    assert other.stdout.readline() == "held\n"
    run.log({"loss": 1.0})

    with pytest.warns(StoreWarning, match="not folded yet, and stay"):
        run.finish(wait=True)

    other.communicate("go on\n", timeout=60)
    assert rows("select status, points from run_table") == [("finished", 1)]


def test_a_process_that_waits_for_another_program_does_not_stand_in_for_it(
    store_path: Path, python: Python
) -> None:
    open_store(store_path)
    holder = python(WAITS_FOR_THE_FILE, store_path, False)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    waiting = python(WAITS_WITH_A_LEASE, store_path)
    assert waiting.stdout
    assert waiting.stdout.readline() == "waits\n"

    for _ in range(5):
        with pytest.raises(StoreBusyError, match=f"held open by process {holder.pid}"):
            Store(store_path, seconds=1.0).runs()

    holder.communicate("go on\n", timeout=60)
    assert waiting.communicate(timeout=60) == ("has it\n", "")


def test_a_connection_of_the_same_process_is_named(store_path: Path) -> None:
    open_store(store_path)
    connection = duckdb.connect(str(store_path))

    with pytest.raises(StoreBusyError, match=r"held open by this very process"):
        Store(store_path, seconds=0.2).runs()
    with pytest.raises(StoreBusyError, match=r"held open by this very process"):
        Store(store_path, seconds=0.2).sql("select 1")

    connection.close()
    assert Store(store_path).runs() == []


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_lease_that_stays_taken_is_waited_for_no_longer_than_said(
    store_path: Path, python: Python, exclusive: bool
) -> None:
    store = open_store(store_path, seconds=0.2)
    other = python(HOLDS_THE_LEASE, store_path, exclusive)
    assert other.stdout
    assert other.stdout.readline() == "held\n"

    if exclusive:
        with pytest.raises(StoreBusyError, match=f"in use by process {other.pid}"):
            store.runs()
    else:
        assert store.runs() == []  # readers stand beside each other
        stepwell.init(store=store_path).log({"loss": 1.0})  # there is now what to fold
        with pytest.raises(StoreBusyError, match=f"in use by process {other.pid}"):
            store.runs()

    other.communicate("go on\n", timeout=60)
    assert len(store.runs()) == (0 if exclusive else 1)


@pytest.mark.parametrize(
    "removed", ["*", "*.journal", "*.journal/.lock", "*.journal/.gate"]
)
def test_lock_files_that_were_removed_are_made_anew(
    store_path: Path, python: Python, removed: str
) -> None:
    store = open_store(store_path, seconds=0.2)
    stepwell.start_run(store=store_path).finish(wait=True)
    for path in store_path.parent.glob(removed):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    left = store.runs()  # which makes what is missing
    other = python(HOLDS_THE_LEASE, store_path, True)
    assert other.stdout
    assert other.stdout.readline() == "held\n"

    with pytest.raises(StoreBusyError, match=f"in use by process {other.pid}"):
        store.runs()

    other.communicate("go on\n", timeout=60)
    assert store.runs() == left
    assert len(left) == (0 if removed == "*" else 1)


def test_nobody_waits_while_a_reader_loads_what_duckdb_wants(
    store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: Python
) -> None:
    """DuckDB 1.5 loads pandas at a process's first parameter; 2.0 does without."""
    slow = tmp_path / "packages" / "pandas"
    slow.mkdir(parents=True)
    slow.joinpath("__init__.py").write_text(SLOW_PANDAS)
    monkeypatch.setenv("PYTHONPATH", str(slow.parent))
    monkeypatch.setenv("LOCK", f"{store_path}.journal/.lock")

    said, _ = python(READS_WHAT_IT_LOGGED, store_path).communicate()

    *looks, answer = said.splitlines()
    assert looks in ([], ["held by None"])
    assert answer == "[1.0]"


def test_a_killed_holder_holds_nothing(store_path: Path, python: Python) -> None:
    store = open_store(store_path, seconds=5)
    other = python(HOLDS_THE_LEASE, store_path, True)
    assert other.stdout
    assert other.stdout.readline() == "held\n"

    other.kill()

    assert store.runs() == []


def test_a_thread_that_keeps_the_lease_is_waited_for(store_path: Path) -> None:
    store = open_store(store_path, seconds=0.1)
    is_held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lease_of(resolve(store_path)).shared():
            is_held.set()
            go_on.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait(60)
    with pytest.raises(StoreBusyError, match="another thread of this process"):
        store.runs()
    go_on.set()
    thread.join()
    assert store.runs() == []


def test_threads_read_and_write_at_once(store_path: Path) -> None:
    run = stepwell.init(store=store_path)
    problems: list[BaseException] = []
    counts: list[int] = []

    def work() -> None:
        try:
            for _ in range(6):
                run.log({"loss": 1.0})
                counts.append(run.summary()["loss"].count)
        except BaseException as error:  # noqa: BLE001 (shown in the main thread)
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert max(counts) == 24
    run.finish()


def test_a_child_takes_its_own_lease_while_its_parent_has_one(
    store_path: Path, python: Python, tmp_path: Path
) -> None:
    process = python(FORKS_WITH_A_LEASE, store_path, tmp_path / "other.duckdb")

    assert process.communicate(timeout=60) == ("0 True\n", "")
    assert process.returncode == 0


def test_children_are_forked_while_threads_have_leases(
    store_path: Path, python: Python
) -> None:
    process = python(FORKS_WHILE_THREADS_READ, store_path)

    printed, errors = process.communicate(timeout=60)
    if sys.version_info >= (3, 12):  # which warns of each fork beside threads
        errors = ""
    assert (printed, errors) == ("{0}\n", "")


def test_an_interrupted_lease_lets_go_of_the_file(store_path: Path) -> None:
    store = open_store(store_path)

    def stop(why: type[BaseException]) -> None:
        with lease_of(resolve(store_path)).exclusive() as connection:
            connection.execute("begin")
            connection.execute("delete from store.main.alembic_version")
            raise why

    for why in (KeyboardInterrupt, RuntimeError):
        with pytest.raises(why):
            stop(why)

    other = subprocess.run(
        [sys.executable, "-c", OPENS, str(store_path)],
        input="go\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (other.stdout, other.stderr) == ("0 [(0,)]\n", "")
    assert store.runs() == []


def test_the_database_is_not_read_without_its_lease(
    store_path: Path, make_writer: Callable[..., RunWriter], rows: Rows
) -> None:
    make_writer().recorder().log({"loss": 1.0})
    assert rows("select count(*) from points") == [(1,)]

    # What would drop DuckDB's own lock: a descriptor of the file closed in this process.
    with lease_of(resolve(store_path)).exclusive() as connection:
        connection.execute("select 1")
        other = subprocess.run(
            [sys.executable, "-c", HOLDS_THE_FILE, str(store_path), "False"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "Could not set lock" in other.stderr
