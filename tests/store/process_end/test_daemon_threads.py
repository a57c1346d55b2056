"""A program ends as it would have, whatever its daemon threads do with a store then."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store

Python = Callable[..., subprocess.Popen[str]]

PROGRAM = """
import atexit, os, sys, threading, time
import stepwell
from stepwell.store import Store
from stepwell.store.process_end import daemon_threads

daemon_threads._LAST_SECONDS = 60.0  # on a slow machine, too
run = stepwell.init(store=sys.argv[1], name="first")
run.log({"loss": 1.0})
run.finish(wait=True)
store = Store(sys.argv[1])
rounds = 0

def read():
    store.summary(run.id)

def work(act):
    global rounds
    while True:
        act()
        rounds += 1

acts = {"read": read}
store.runs()  # this process has DuckDB
threads = [
    threading.Thread(target=work, args=(acts[act],), daemon=True)
    for act in sys.argv[2].split(",")
]
"""


@pytest.mark.parametrize("acts", ["read", "read,read"])
def test_daemon_threads_that_read_do_not_abort_the_program(
    tmp_path: Path, python: Python, acts: str
) -> None:
    program = """
for thread in threads:
    thread.start()
while rounds < 3:
    time.sleep(0.001)
sys.exit(5)
"""
    process = python(PROGRAM + program, tmp_path / "s.duckdb", acts)

    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 5
    ends = {run.status for run in Store(tmp_path / "s.duckdb").runs()}
    assert ends <= {"finished", "crashed"}


def test_who_waits_for_such_a_thread_at_the_end_does_not_wait_for_ever(
    tmp_path: Path, python: Python
) -> None:
    program = """
(thread,) = threads

def late():
    thread.start()  # it is refused DuckDB, and so ends
    thread.join()
    print(rounds, thread.is_alive(), store.summary(run.id)["loss"].count)

# What was registered first is called last.
atexit._clear()
atexit.register(late)
atexit.register(daemon_threads._at_exit)
"""
    process = python(PROGRAM + program, tmp_path / "s.duckdb", "read")

    assert process.communicate(timeout=60) == ("0 False 1\n", "")
    assert process.returncode == 0


def test_a_forked_child_waits_for_no_thread_of_its_parent(
    tmp_path: Path, python: Python
) -> None:
    program = """
is_within = threading.Event()

def stay():
    with daemon_threads.keeping_end_off():
        is_within.set()
        time.sleep(600)

threading.Thread(target=stay, daemon=True).start()
is_within.wait()
daemon_threads._LAST_SECONDS = 600.0
child = os.fork()
if child == 0:
    sys.exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
os._exit(0)
"""
    process = python(PROGRAM + program, tmp_path / "s.duckdb", "read")

    assert process.communicate(timeout=60) == ("3\n", "")
