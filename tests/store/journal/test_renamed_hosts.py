"""A machine that gets another name while a training on it is stopped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from stepwell.store import Store
from stepwell.store.files.location import resolve
from stepwell.store.journal.files import list_journals
from stepwell.store.journal.writer_alive import is_stopped

Look = Callable[[], str]
Python = Callable[..., subprocess.Popen[str]]

# In a namespace of its own, so that the name of this machine stays as it is.
TRAINS = """
import ctypes, sys
import stepwell
assert ctypes.CDLL(None).unshare(0x04000000) == 0  # CLONE_NEWUTS, sched.h
run = stepwell.init(store=sys.argv[1], name="training")
run.log({"loss": 1.0})
print("logged", flush=True)
sys.stdin.readline()
run.log({"loss": 2.0})
(seen,) = stepwell.open_store(sys.argv[1]).runs()
print(seen.status, flush=True)
"""

LOOKS = """
import os, socket, sys
import stepwell
socket.sethostname("renamed.test")
print(os.uname().nodename)
for run in stepwell.open_store(sys.argv[1]).runs():
    print(run.name, run.status)
"""


@pytest.fixture
def training(
    store_path: Path, python: Python, eventually: Callable[..., None]
) -> subprocess.Popen[str]:
    """A training that is stopped, and has been so for long."""
    unshare, nsenter = shutil.which("unshare"), shutil.which("nsenter")
    if not (unshare and nsenter):
        pytest.skip("no program to enter a namespace")
    if subprocess.run([unshare, "--uts", "true"], check=False).returncode:
        pytest.skip("no right to make a namespace of names")
    process = python(TRAINS, store_path)
    assert process.stdout
    assert process.stdout.readline() == "logged\n", process.communicate()
    process.send_signal(signal.SIGSTOP)
    eventually(lambda: is_stopped(process.pid))
    for journal in list_journals(resolve(store_path).journals):
        os.utime(journal.path, (1e9, 1e9))
    return process


@pytest.fixture(params=["where it runs", "elsewhere on the machine"])
def look(
    request: pytest.FixtureRequest, store_path: Path, training: subprocess.Popen[str]
) -> Iterator[Look]:
    """Gives the host's new name and the runs' statuses, as seen under that name."""
    with Path(f"/proc/{training.pid}/ns/uts").open("rb") as names:  # outlives the training
        place = ["unshare", "--uts"]
        if request.param == "where it runs":
            place = ["nsenter", f"--uts=/proc/{os.getpid()}/fd/{names.fileno()}"]
        command = [*place, sys.executable, "-c", LOOKS, str(store_path)]

        def see() -> str:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=100, check=True
            ).stdout

        yield see


def test_a_stopped_training_runs_under_the_hosts_new_name_and_goes_on(
    store_path: Path, training: subprocess.Popen[str], look: Look
) -> None:
    assert socket.gethostname() != "renamed.test"
    assert look() == "renamed.test\ntraining running\n"

    training.send_signal(signal.SIGCONT)
    assert training.communicate("\n", timeout=100) == ("running\n", "")
    (run,) = Store(store_path).runs()
    assert (run.status, run.exit_message) == ("finished", None)
    assert Store(store_path).summary(run.run_id)["loss"].count == 2


def test_a_stopped_training_that_is_killed_has_crashed_under_the_hosts_new_name(
    store_path: Path, training: subprocess.Popen[str], look: Look
) -> None:
    training.kill()
    training.wait(100)
    for journal in list_journals(resolve(store_path).journals):
        with suppress(FileNotFoundError):  # it may be folded by now
            os.utime(journal.path)  # a fresh sign of life, as elsewhere it would count
    assert look() == "renamed.test\ntraining crashed\n"
    (run,) = Store(store_path).runs()
    assert (run.status, run.exit_message) == ("crashed", "the process ended without a word")
