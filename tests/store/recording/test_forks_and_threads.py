"""One run is logged from its parent, its children and its threads."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stepwell

Rows = Callable[..., list[tuple[Any, ...]]]
Output = Callable[..., str]

POOLS = """
import multiprocessing, os, sys, time
import stepwell

def work(run, number):
    for call in range(200):
        run.log({"child": number * 1000 + call})

def inherit(number):
    work(RUN, number)

if __name__ == "__main__":
    method = sys.argv[2]
    RUN = stepwell.init(store=sys.argv[1], name=method, rank=3)
    for call in range(100):
        RUN.log({"parent": call})
    context = multiprocessing.get_context(method)
    if method == "fork":
        made = [context.Process(target=inherit, args=(number,)) for number in range(4)]
    else:
        made = [context.Process(target=work, args=(RUN, number)) for number in range(4)]
    for child in made:
        child.start()
    for call in range(100, 200):
        RUN.log({"parent": call})
    if sys.argv[3:] == ["finish first"]:
        RUN.finish()
    for child in made:
        child.join()
    print([child.exitcode for child in made])
"""

FORKS = """
import os, signal, sys, threading, time
import stepwell

run = stepwell.init(store=sys.argv[1])
other = stepwell.init(store=sys.argv[1], name="other")
is_over = threading.Event()

def log():
    while not is_over.is_set():
        run.log({"thread": 1.0})

thread = threading.Thread(target=log)
thread.start()
codes = []
for number in range(20):
    child = os.fork()
    if child == 0:
        # The thread that logs, and the locks it held, stayed in the parent.
        for call in range(50):
            run.log({"child": number * 1000 + call})
        other.config[f"child {number}"] = number
        if number == 0:
            sys.exit(0)      # as a program of its own ends
        if number == 1:
            run.finish()     # its own part of the run
        if number == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        if number == 3:
            with run:
                pass
        os._exit(0)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
is_over.set()
thread.join()
run.log({"parent": 1.0})
print(codes == [0, 0, -signal.SIGTERM] + [0] * 17, run.is_open)
"""

CHILD_OUTLIVES = """
import os, sys, time
import stepwell

run = stepwell.init(store=sys.argv[1])
run.log({"parent": 1.0})
reading, writing = os.pipe()
if os.fork() == 0:
    os.close(writing)
    os.read(reading, 1)  # until the parent has gone
    time.sleep(0.1)
    for call in range(10):
        run.log({"child": call})
    print("done", flush=True)
    os._exit(0)
os.close(reading)
run.finish()
"""

CHILD_INITS = """
import multiprocessing, sys
import stepwell

def train(number):
    run = stepwell.init(store=sys.argv[1], name=f"child {number}")
    for call in range(100):
        run.log({"loss": call})
    run.finish()

parent = stepwell.init(store=sys.argv[1], name="parent")
parent.log({"loss": 1.0})
with multiprocessing.get_context("fork").Pool(3) as pool:
    pool.map(train, range(6))
parent.log({"loss": 2.0})
"""


STARTS_MEANWHILE = """
import os, threading, time
from stepwell.store.base.forks import starting_process

begun, is_started = threading.Event(), False

def start():
    global is_started
    with starting_process:
        begun.set()
        time.sleep(0.3)
        is_started = True

threading.Thread(target=start).start()
begun.wait()
child = os.fork()
if child == 0:
    with starting_process:  # the child can start programs, too
        os._exit(0 if is_started else 1)
print(os.waitpid(child, 0)[1], is_started)
"""


@pytest.mark.parametrize("arguments", [["fork"], ["spawn"], ["spawn", "finish first"]])
def test_multiprocessing_children_log_the_run_of_their_parent(
    store_path: Path, tmp_path: Path, rows: Rows, arguments: list[str]
) -> None:
    program = tmp_path / "train.py"
    program.write_text(POOLS)
    command = [sys.executable, str(program), str(store_path), *arguments]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (printed.stdout, printed.stderr) == ("[0, 0, 0, 0]\n", "")
    assert rows(
        "select metric, count(*), sum(value) from metrics group by 1 order by 1"
    ) == [
        ("child", 800, 1_279_600.0),
        ("parent", 200, 19_900.0),
    ]
    assert rows("select count(distinct value) from metrics") == [(800 + 200 - 200,)]
    assert rows("select distinct rank, attempt from metrics") == [(3, 1)]
    assert rows("select status, attempt, points from run_table") == [("finished", 1, 1000)]


def test_children_are_forked_while_a_thread_logs(
    store_path: Path, output: Output, rows: Rows
) -> None:
    assert output(FORKS, store_path) == "True True\n"

    counted = "select count(*), count(distinct value) from metrics where metric = 'child'"
    assert rows(counted) == [(1000, 1000)]
    assert rows("select distinct status, exit_message from runs") == [("finished", None)]
    assert rows("select count(*) from params where run = 'other'") == [(20,)]
    assert rows("select count(*) from journals_ where ended is null") == [(0,)]


def test_a_fork_waits_while_a_thread_starts_a_program(output: Output) -> None:
    """A child with the pipes of a half-started program would make its parent wait."""
    assert output(STARTS_MEANWHILE) == "0 True\n"


def test_a_child_that_outlives_its_parent_is_heard(
    store_path: Path, output: Output, rows: Rows
) -> None:
    assert output(CHILD_OUTLIVES, store_path) == "done\n"

    found = rows("select metric, count(*) from metrics group by 1 order by 1")
    assert found == [("child", 10), ("parent", 1)]
    assert rows("select status from runs") == [("finished",)]


def test_children_have_runs_of_their_own(
    store_path: Path, output: Output, rows: Rows
) -> None:
    output(CHILD_INITS, store_path)

    found = rows("select run, status, points from run_table order by run")
    assert found == [
        *((f"child {number}", "finished", 100) for number in range(6)),
        ("parent", "finished", 2),
    ]


def test_threads_log_one_run(store_path: Path, rows: Rows) -> None:
    run = stepwell.init(store=store_path)

    def work(number: int) -> None:
        for call in range(500):
            run.log({"loss": number * 1000 + call, f"own {number}": call})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()

    found = rows(
        "select count(*), count(distinct value), count(distinct step), max(step)"
        " from points where metric = 'loss'"
    )
    assert found == [(4000, 4000, 4000, 3999)]
    found = rows(
        "select count(*), sum(value) from points where metric like 'own%' group by metric"
    )
    assert found == [(500, 124_750.0)] * 8


def test_threads_share_the_first_front_end(store_path: Path, rows: Rows) -> None:
    for _ in range(20):
        run = stepwell.init(store=store_path)
        ready = threading.Barrier(4)

        def work(run: stepwell.Run, ready: threading.Barrier) -> None:
            ready.wait()
            run.log({"loss": 1.0}, step=7)

        threads = [threading.Thread(target=work, args=(run, ready)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run.finish()

    assert rows("select count(*) from points") == [(80,)]


def test_threads_start_and_end_runs_at_once(store_path: Path, rows: Rows) -> None:
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for call in range(3):
                with stepwell.init(store=store_path, name=f"{number} {call}") as run:
                    run.log({"loss": 1.0})
        except BaseException as error:  # noqa: BLE001 (shown in the main thread)
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    found = rows("select count(*), min(points), max(points), min(status) from run_table")
    assert found == [(15, 1, 1, "finished")]
