"""`finish()` records the end and returns; what is due is folded soon, or at the end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stepwell.store import Store
from stepwell.store.files.location import resolve
from stepwell.store.files.lock_file import LockFile
from stepwell.store.recording.ended_journals import EndedJournals

Python = Callable[..., subprocess.Popen[str]]
Output = Callable[..., str]

BEGIN = """
import os, pathlib, signal, sys, threading, time
import stepwell
from stepwell.store.recording import ended_journals
from stepwell.store.recording import background
from stepwell.store.recording import open_runs

store = pathlib.Path(sys.argv[1])
journals = store.with_name(store.name + ".journal")

def train(name, calls=20):
    run = stepwell.init(store=store, name=name)
    for step in range(calls):
        run.log({"loss": 1 / (step + 1), "accuracy": step / 20})
    return run

def helper():
    while store.name not in "".join(str(l) for l in background.keeper._helpers):
        time.sleep(0.01)
    (found,) = background.keeper._helpers.values()
    return found

def left():
    return len(list(journals.glob("*.journal")))

def until_folded():
    begun = time.monotonic()
    while left():
        assert time.monotonic() - begun < 60, os.listdir(journals)
        time.sleep(0.005)
"""


def in_file(path: Path) -> list[tuple[Any, ...]]:
    """Runs, their ends and points, by DuckDB alone."""
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = duckdb.connect(str(path), read_only=True)
            break
        except duckdb.IOException:  # the fold is about to let go of it
            assert time.monotonic() < deadline
            time.sleep(0.01)
    with connection:
        return connection.execute(
            "select r.name, r.status, count(*) from runs r join points p using (run_id)"
            " group by all order by all"
        ).fetchall()


def test_it_waits_for_nobody(store_path: Path, output: Output) -> None:
    folder = store_path.with_name(store_path.name + ".journal")
    folder.mkdir()
    lock = LockFile(folder / ".lock")
    lock.acquire(0.0, exclusive=True)  # so that no fold comes to its end
    program = """
taken = []
for number in range(100):
    run = train(f"run {number:02}", calls=2)
    begun = time.monotonic()
    run.finish()
    taken.append(time.monotonic() - begun)
print(sorted(taken)[50], left(), flush=True)
os._exit(0)  # nothing is waited for
"""
    try:
        median, left = output(BEGIN + program, store_path).split()
    finally:
        lock.release()
        lock.forget()
    assert float(median) < 0.005  # a fold would wait for the lock for seconds
    assert int(left) == 100
    runs = Store(store_path).runs()
    assert {(run.status, len(runs)) for run in runs} == {("finished", 100)}


def test_ends_are_folded_together_and_soon(tmp_path: Path, output: Output) -> None:
    program = """
train("first").finish(wait=True)  # the helper has begun
threads, begun = threading.active_count(), time.monotonic()
for number in range(60):
    train(f"run {number:02}").finish()
before, took = helper()._asked, time.monotonic() - begun
until_folded()
more = threading.active_count() - threads
print(took / background.SETTLE, before, helper()._asked, helper()._failed, more)
os._exit(0)  # it is there before the end
"""
    settles, before, after, failed, more = output(
        BEGIN + program, tmp_path / "s.duckdb"
    ).split()
    assert int(after) <= int(before) + 3
    # One each time that ends are gathered; the first end was folded, too.
    assert int(before) <= float(settles) + 5
    assert int(failed) == 0
    assert int(more) == 0
    found = in_file(tmp_path / "s.duckdb")
    assert found == sorted(
        [("first", "finished", 40)]
        + [(f"run {number:02}", "finished", 40) for number in range(60)]
    )


@pytest.mark.parametrize(
    "end",
    [
        "run.finish()",
        "run.finish(status='failed', message='no gradient')",
        "del run; stepwell.store.active_run().finish()",
    ],
)
@pytest.mark.parametrize("first", ["", "import duckdb"])
def test_all_is_in_the_file_when_the_program_has_ended(
    tmp_path: Path, output: Output, end: str, first: str
) -> None:
    output(BEGIN + f"{first}\nrun = train('a')\n{end}", tmp_path / "s.duckdb")
    status = "failed" if "failed" in end else "finished"
    assert in_file(tmp_path / "s.duckdb") == [("a", status, 40)]
    assert not list((tmp_path / "s.duckdb.journal").glob("*.journal"))


def test_a_run_that_nobody_holds_is_in_the_file_then_too(
    tmp_path: Path, output: Output
) -> None:
    program = """
run = stepwell.start_run(store=store, name="left")
run.log({"loss": 1.0})
del run  # the collector ends it
"""
    output(BEGIN + program, tmp_path / "s.duckdb")
    assert in_file(tmp_path / "s.duckdb") == [("left", "finished", 1)]


@pytest.mark.parametrize("first", ["", "import duckdb"])
def test_whoever_waits_finds_it_in_the_file(
    tmp_path: Path, output: Output, first: str
) -> None:
    program = f"""
{first}
run = train("waited")
run.finish(wait=True)
assert not left()
other = train("ended before")
other.finish()
other.finish(wait=True)
other.finish(wait=True)
assert not left()
stepwell.start_run(store=store, mode="disabled").finish(wait=True)
os._exit(0)
"""
    output(BEGIN + program, tmp_path / "s.duckdb")
    assert in_file(tmp_path / "s.duckdb") == [
        ("ended before", "finished", 40),
        ("waited", "finished", 40),
    ]


def test_without_a_thread_the_end_folds(tmp_path: Path, output: Output) -> None:
    program = """
class NoThread(threading.Thread):
    def start(self):
        raise RuntimeError("can't start new thread")

background.threading.Thread = NoThread
train("alone").finish()
assert not left()
run = stepwell.start_run(store=store, name="left")
run.log({"loss": 1.0})
del run
assert left() == 1
"""
    output(BEGIN + program, tmp_path / "s.duckdb")
    assert in_file(tmp_path / "s.duckdb") == [
        ("alone", "finished", 40),
        ("left", "finished", 1),
    ]


def test_when_too_many_wait_the_end_folds_them(tmp_path: Path, output: Output) -> None:
    program = """
ended_journals.MOST = background.keeper._ended._most = 5
train("first").finish(wait=True)
open_runs.FOLD_SECONDS = 0.3
os.kill(helper()._process.pid, signal.SIGSTOP)  # it can't keep up
counts = []
for number in range(13):
    train(f"run {number}", calls=1).finish()
    counts.append(left())
print(*counts)
os.kill(helper()._process.pid, signal.SIGCONT)
"""
    counts = output(BEGIN + program, tmp_path / "s.duckdb").split()
    assert counts == [*"12345", *"012345", *"01"]
    assert len(in_file(tmp_path / "s.duckdb")) == 14


def test_a_store_that_cannot_be_folded_stalls_no_end_but_each_thousandth(
    tmp_path: Path,
) -> None:
    where, ended = resolve(tmp_path / "s.duckdb"), EndedJournals()
    ended._most = 3
    for number in range(4):
        path = tmp_path / f"{number}.journal"
        path.touch()
        ended.add(where, path)
    assert ended.are_too_many()
    assert not ended.are_too_many()  # it was just tried
    assert ended.locations() == {where}
    for number in range(4):
        (tmp_path / f"{number}.journal").unlink()
    assert ended.locations() == set()


def test_a_dead_helper_costs_nothing(tmp_path: Path, output: Output) -> None:
    program = """
train("first").finish(wait=True)
os.kill(helper()._process.pid, signal.SIGKILL)
train("second").finish()
time.sleep(0.3)
assert left() == 1
store_now = stepwell.open_store(store)
assert [run.status for run in store_now.runs()] == ["finished", "finished"]
train("third").finish()
"""
    output(BEGIN + program, tmp_path / "s.duckdb")
    assert len(in_file(tmp_path / "s.duckdb")) == 3


def test_the_process_itself_reads_what_it_has_just_finished(
    tmp_path: Path, output: Output
) -> None:
    program = """
for number in range(5):
    run = train(f"run {number}", calls=3 + number)
    run.finish()
    assert run.summary()["loss"].count == 3 + number
    assert run.store().run(run.id).status == "finished"
    assert run.store().sql("select count(*) from runs").fetchall() == [(number + 1,)]
    assert len(run.series("loss").values) == 3 + number
run = stepwell.init(store=store, id=run.id, resume="must")
assert (run.attempt, run.current_step) == (2, 6), (run.attempt, run.current_step)
"""
    output(BEGIN + program, tmp_path / "s.duckdb")
    assert [row[1] for row in in_file(tmp_path / "s.duckdb")] == ["finished"] * 5


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_a_child_that_has_ended_has_its_finished_runs_in_the_file(
    tmp_path: Path, output: Output, how: str
) -> None:
    program = f"""
import multiprocessing

def work():
    train("of a child").finish()

if __name__ == "__main__":
    train("of the parent").finish(wait=True)
    child = multiprocessing.get_context("{how}").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 0 and not left()
    os._exit(0)
"""
    path = tmp_path / "program.py"
    path.write_text(BEGIN + program)
    # Spawned children run the program's file anew, so it has to be one.
    start = "import os, sys; os.execv(sys.executable, [sys.executable, *sys.argv[:0:-1]])"
    output(start, tmp_path / "s.duckdb", path)
    assert len(in_file(tmp_path / "s.duckdb")) == 2


def test_os_exit_leaves_it_to_the_helper(
    tmp_path: Path, output: Output, eventually: Callable[..., None]
) -> None:
    program = """
train("first").finish(wait=True)
train("second").finish()
os._exit(0)
"""
    output(BEGIN + program, tmp_path / "s.duckdb")
    journals = tmp_path / "s.duckdb.journal"
    eventually(lambda: not list(journals.glob("*.journal")))
    assert len(in_file(tmp_path / "s.duckdb")) == 2


def test_a_store_in_other_hands_is_told_of_once_at_the_end(
    store_path: Path, python: Python
) -> None:
    program = """
open_runs.FOLD_SECONDS = 0.5
print("begin", flush=True)
sys.stdin.readline()
for number in range(3):
    train(f"run {number}").finish()
"""
    process = python(BEGIN + program, store_path)
    assert process.stdout
    process.stdout.readline()
    assert process.stdin
    assert process.stderr
    told, errors = "were not folded yet, and stay", ""
    with duckdb.connect(str(store_path)):
        process.stdin.write("go\n")
        process.stdin.flush()
        while told not in errors:
            line = process.stderr.readline()
            assert line, errors
            errors += line
    errors += process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert errors.count(told) == 1, errors
    assert len(Store(store_path).runs()) == 3


def test_a_kill_between_the_end_and_its_fold_loses_nothing(
    store_path: Path, python: Python
) -> None:
    program = """
for number in range(10):
    train(f"run {number}").finish()
print("ended", flush=True)
time.sleep(60)
"""
    process = python(BEGIN + program, store_path)
    assert process.stdout
    assert process.stdout.readline() == "ended\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    store = Store(store_path)
    assert [run.status for run in store.runs()] == ["finished"] * 10
    assert store.sql("select count(*), count(distinct run_id) from points").fetchall() == [
        (400, 10)
    ]


def test_an_end_within_a_signal_handler_is_one(tmp_path: Path, output: Output) -> None:
    program = """
run = train("interrupted")
signal.signal(signal.SIGUSR1, lambda *_: run.finish("interrupted", "SIGUSR1"))
with background.keeper._lock:  # whatever the thread was at
    os.kill(os.getpid(), signal.SIGUSR1)
    while run.is_open:
        time.sleep(0.01)
"""
    output(BEGIN + program, tmp_path / "s.duckdb")
    assert in_file(tmp_path / "s.duckdb") == [("interrupted", "interrupted", 40)]


@pytest.mark.parametrize("wait", [True, False])
def test_a_handler_may_wait_for_a_fold_while_the_program_does(
    tmp_path: Path, output: Output, wait: bool
) -> None:
    program = """
run, other = train("run"), train("other")
from stepwell.store.ingest_helper.handle import FoldHelper
receive = FoldHelper._receive

def interrupted(helper, seconds):
    if other.is_open and not run.is_open:
        os.kill(os.getpid(), signal.SIGUSR1)  # within the wait for the helper's answer
    return receive(helper, seconds)

FoldHelper._receive = interrupted
signal.signal(signal.SIGUSR1, lambda *_: other.finish("interrupted", wait=WAIT))
begun = time.monotonic()
run.finish(wait=True)
assert time.monotonic() - begun < 15, "it has waited for an answer that was taken"
"""
    program = program.replace("WAIT", str(wait))
    output(BEGIN + program, tmp_path / "s.duckdb")

    assert in_file(tmp_path / "s.duckdb") == [
        ("other", "interrupted", 40),
        ("run", "finished", 40),
    ]


@pytest.mark.parametrize(
    "before",
    ["", "helper()", "assert helper().fold(20)", "other = train('other'); other.finish()"],
)
def test_a_handler_that_interrupts_a_read_is_told_at_once(
    tmp_path: Path, output: Output, before: str
) -> None:
    program = """
import warnings
from stepwell.store import StoreBusyError, Store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

run = train("run")
said = []

def handler(*_):
    begun = time.monotonic()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        run.finish("interrupted", wait=True)
    said.extend(str(warning.message) for warning in warned)
    try:
        Store(store).runs()
    except StoreBusyError as error:
        said.append(str(error))
    assert time.monotonic() - begun < 15

signal.signal(signal.SIGUSR1, handler)
Store(store).runs()
with lease_of(resolve(store)).shared():
    os.kill(os.getpid(), signal.SIGUSR1)
    while len(said) < 2:
        time.sleep(0.01)
assert all("by this very thread" in text for text in said), said
"""
    program = program.replace("said = []", f"said = []\n{before}")
    output(BEGIN + program, tmp_path / "s.duckdb")

    assert ("run", "interrupted", 40) in in_file(tmp_path / "s.duckdb")


@pytest.mark.parametrize(
    "interpreter",
    [
        "import sys\nfor line in sys.stdin: print('hello', line, flush=True)",
        "print('3.1 (build 7)')",
        "import time; print('', flush=True); time.sleep(600)",
    ],
)
def test_an_interpreter_that_is_another_program_is_let_go(
    tmp_path: Path, output: Output, interpreter: str
) -> None:
    other = tmp_path / "host"
    other.write_text(f"#!{sys.executable}\n{interpreter}\n")
    other.chmod(0o755)
    program = (
        f"sys.executable = {str(other)!r}\n"
        + """
run = train("run")
run.finish(wait=True)
train("other").finish()
(found,) = background.keeper._helpers.values()
found._process.wait(10)
"""
    )
    output(BEGIN + program, tmp_path / "s.duckdb")

    assert in_file(tmp_path / "s.duckdb") == [
        ("other", "finished", 40),
        ("run", "finished", 40),
    ]


def test_a_frozen_program_does_not_start_itself(tmp_path: Path, output: Output) -> None:
    other = tmp_path / "host"
    other.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    other.chmod(0o755)
    program = (
        f"sys.executable, sys.frozen = {str(other)!r}, True\n"
        + """
run = train("run")
run.finish(wait=True)
"""
    )
    output(BEGIN + program, tmp_path / "s.duckdb")

    assert in_file(tmp_path / "s.duckdb") == [("run", "finished", 40)]
    assert not (tmp_path / "started").exists()


def test_a_stopped_helper_goes_with_its_program(tmp_path: Path, output: Output) -> None:
    program = """
from stepwell.store.ingest_helper import handle
open_runs.FOLD_SECONDS = 0.5
handle._STOP_SECONDS = 60.0
run = train("run")
process = helper()._process
os.kill(process.pid, signal.SIGSTOP)
run.finish()
stop = background.keeper.stop

def timed(**how):
    begun = time.monotonic()
    stop(**how)
    print(process.returncode, time.monotonic() - begun < 50)  # after 60 it is left alone

background.keeper.stop = timed
"""
    assert output(BEGIN + program, tmp_path / "s.duckdb") == "0 True\n"
    assert in_file(tmp_path / "s.duckdb") == [("run", "finished", 40)]
