"""However a program ends: what it logged is there once, and its run says how it ended."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepwell.store import Store

Python = Callable[..., subprocess.Popen[str]]
Rows = Callable[..., list[tuple[Any, ...]]]
Output = Callable[..., str]

TRAINS = """
import os, pathlib, signal, sys, threading, time
import stepwell
from stepwell.store.recording import background

background.PERIOD = 0.05  # so that the helper is there soon
signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest may be deaf to them,
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as where a shell started it with nohup

def helpers():
    threads = pathlib.Path("/proc/self/task").glob("*/children")
    return [child for thread in threads for child in thread.read_text().split()]

run = stepwell.init(store=sys.argv[1], name="training")
for number in range(1000):
    run.log({"loss": number, "accuracy": number / 2})
if sys.argv[3:] == ["with helper"]:
    deadline = time.monotonic() + 60
    while not helpers() and time.monotonic() < deadline:
        run.log({"waiting": 1.0})
        time.sleep(0.05)
how = sys.argv[2]
if how == "own handler":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("logged", *helpers(), flush=True)

def train_on():
    while True:
        run.log({"more": 1.0})
        time.sleep(0.001)

if how in ("wait", "own handler"):
    train_on()
elif how == "raise":
    raise ValueError("no gradient")
elif how == "raise in block":
    with run:
        raise ValueError("no gradient")
elif how == "exit 3":
    sys.exit(3)
elif how == "exit 3 in block":
    with run:
        sys.exit(3)
elif how == "os._exit":
    os._exit(4)
elif how == "abort":
    os.abort()
elif how == "interrupt":
    signal.raise_signal(signal.SIGINT)
elif how == "finish":
    run.finish()
elif how == "end in a thread":
    threading.Thread(target=lambda: 1 / 0).start()
"""

# Nobody folds before it has ended: neither a helper, which there is none of, nor a reader.
BECOMES_ANOTHER = """
import os, sys
import duckdb  # so that no helper has to load it
import stepwell
from stepwell.store.recording import background

background.PERIOD = 3600.0
run = stepwell.init(store=sys.argv[1], name="training")
run.log({"loss": 1.0})
os.execv(sys.executable, [sys.executable, "-c", "print('another')"])
"""

MINDS = """
import os, signal, sys
import stepwell

def say(when):
    print(f"{when}={signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL}", flush=True)

first = stepwell.init(store=sys.argv[1])
say("first")
second = stepwell.init(store=sys.argv[1])
say("second")
first.finish()
say("one")
second.finish()
say("none")

third = stepwell.init(store=sys.argv[1])
child = os.fork()
if child == 0:
    say("child")
    third.log({"loss": 1.0})
    say("recording")
    third.finish()
    say("ended")
    os._exit(0)
os.waitpid(child, 0)
"""

CRASHED = ("crashed", "the process ended without a word")


def children_of(process: subprocess.Popen[str]) -> list[int]:
    """The helper processes that a program said it has."""
    assert process.stdout
    first, *children = process.stdout.readline().split()
    assert first == "logged", process.communicate()
    return [int(child) for child in children]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def end_of(store_path: Path) -> tuple[str, str | None]:
    (run,) = Store(store_path).runs()
    return run.status, run.exit_message


def check_points(rows: Rows) -> None:
    found = rows(
        "select metric, count(*), count(distinct step), min(step), max(step), sum(value)"
        " from points where metric in ('loss', 'accuracy') group by all order by all desc"
    )
    assert found == [
        ("loss", 1000, 1000, 0, 999, 499_500.0),
        ("accuracy", 1000, 1000, 0, 999, 249_750.0),
    ]


@pytest.mark.parametrize(
    ("how", "end"),
    [
        ("nothing", (0, "finished", None)),
        ("finish", (0, "finished", None)),
        ("raise", (1, "failed", "ValueError: no gradient")),
        ("raise in block", (1, "failed", "ValueError: no gradient")),
        ("exit 3", (3, "failed", "SystemExit: 3")),
        ("exit 3 in block", (3, "failed", "SystemExit: 3")),
        ("interrupt", (-signal.SIGINT, "interrupted", "KeyboardInterrupt")),
        ("end in a thread", (0, "finished", None)),
        ("os._exit", (4, *CRASHED)),
        ("abort", (-signal.SIGABRT, *CRASHED)),
    ],
)
def test_a_program_that_ends_itself(
    store_path: Path, python: Python, rows: Rows, how: str, end: tuple[object, ...]
) -> None:
    process = python(TRAINS, store_path, how)
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, *end_of(store_path)) == end, errors
    raises = how.split(maxsplit=1)[0] in {"raise", "interrupt", "end"}
    assert errors.count("Traceback") == raises
    check_points(rows)


def test_a_program_that_has_become_another_and_ended(
    store_path: Path, output: Output, rows: Rows
) -> None:
    """What is said while the other one still runs is in `test_liveness`."""
    assert output(BECOMES_ANOTHER, store_path) == "another\n"

    assert end_of(store_path) == CRASHED
    assert rows("select value from points") == [(1.0,)]


@pytest.mark.parametrize(
    ("number", "end"),
    [
        (signal.SIGKILL, CRASHED),
        (signal.SIGTERM, ("interrupted", "SIGTERM")),
        (signal.SIGINT, ("interrupted", "KeyboardInterrupt")),
        (signal.SIGHUP, CRASHED),
    ],
)
def test_a_program_that_is_ended_with_its_helper(
    store_path: Path, python: Python, rows: Rows, number: int, end: tuple[str, str]
) -> None:
    process = python(TRAINS, store_path, "wait", "with helper")
    (helper,) = children_of(process)
    assert is_running(helper)

    process.send_signal(number)
    process.communicate(timeout=60)

    assert process.returncode == -number
    wait_until(lambda: not is_running(helper))
    check_points(rows)
    assert end_of(store_path) == end
    journals = store_path.with_name(store_path.name + ".journal")
    assert not list(journals.glob("*.journal*"))


@pytest.mark.parametrize("how", ["nothing", "finish", "raise", "os._exit"])
def test_no_helper_outlives_its_program(store_path: Path, python: Python, how: str) -> None:
    process = python(TRAINS, store_path, how, "with helper")
    (helper,) = children_of(process)
    process.communicate(timeout=60)

    wait_until(lambda: not is_running(helper))
    assert end_of(store_path)[0] in {"finished", "failed", "crashed"}


def test_a_helper_that_is_killed_costs_nothing(
    store_path: Path, python: Python, rows: Rows
) -> None:
    process = python(TRAINS, store_path, "wait", "with helper")
    (helper,) = children_of(process)
    os.kill(helper, signal.SIGKILL)
    time.sleep(0.1)  # it trains on

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1  # the interrupt's own
    check_points(rows)
    assert end_of(store_path) == ("interrupted", "KeyboardInterrupt")


def test_a_signal_handler_of_the_program_stays(
    store_path: Path, python: Python, rows: Rows
) -> None:
    process = python(TRAINS, store_path, "own handler", "with helper")
    children_of(process)

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert process.returncode == 7
    check_points(rows)
    assert end_of(store_path) == ("failed", "SystemExit: 7")


def test_the_signal_is_minded_only_while_a_run_is_open(
    store_path: Path, output: Output
) -> None:
    assert output(MINDS, store_path).split() == [
        *("first=True", "second=True", "one=True", "none=False"),
        *("child=False", "recording=True", "ended=False"),
    ]


def test_a_stopped_program_is_not_taken_for_dead(
    store_path: Path, python: Python, rows: Rows
) -> None:
    process = python(TRAINS, store_path, "wait")
    children_of(process)
    process.send_signal(signal.SIGSTOP)

    assert end_of(store_path) == ("running", None)

    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    check_points(rows)
    assert end_of(store_path) == ("interrupted", "SIGTERM")


def test_the_end_is_quiet_when_warnings_are_errors(
    store_path: Path, python: Python, rows: Rows
) -> None:
    environment = os.environ | {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"}
    process = python(TRAINS, store_path, "nothing", "with helper", env=environment)

    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    check_points(rows)


def test_modules_of_the_current_folder_do_not_reach_the_helper(
    store_path: Path, python: Python, rows: Rows, tmp_path: Path
) -> None:
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    for name in ("json", "select", "duckdb", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)")

    process = python(TRAINS, store_path, "nothing", "with helper", env=environment)
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    check_points(rows)
