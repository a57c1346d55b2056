"""The helper process ends soon after its parent, whatever it waits for."""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from stepwell.store.files.lock_file import LockFile

HELPER = """
import sys
from stepwell.store.ingest_helper import main as helper_main
helper_main._LAST_SECONDS = 1  # 45 of them are too long for a test
helper_main._PARENT_SECONDS = 0.05
{waits}
helper_main.main(sys.argv[1], int(sys.argv[2]))
"""
IN_A_CALL = """
import ctypes
def hang(lease, **options):
    open(sys.argv[1] + ".hangs", "x").close()
    ctypes.PyDLL(None).sleep(600)  # with Python's lock held: no thread runs
helper_main._folded = hang
"""
PARENT = """
import os, subprocess, sys, time
helper = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1], sys.argv[2], str(os.getpid())],
    stdin=subprocess.PIPE, start_new_session=True,
)
os.write(helper.stdin.fileno(), b"1\\n")
print(helper.pid, flush=True)
time.sleep(600)
"""


def start(database: Path, waits: str = "") -> tuple[subprocess.Popen[str], int]:
    code = HELPER.format(waits=waits)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, code, str(database)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    return parent, int(parent.stdout.readline())


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(parent: subprocess.Popen[str]) -> None:
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert parent.stdout
    parent.stdout.close()


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_there(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_there(pid)


def appears(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def waits_for(pid: int, name: str) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError):  # a file was closed just now
            links = [link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()]
            if any(link.name == name for link in links):
                return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("held", [".lock", ".gate"])
def test_a_helper_that_waits_for_a_lock_goes_soon_after_its_killed_parent(
    tmp_path: Path, held: str
) -> None:
    folder = tmp_path / "s.duckdb.journal"
    folder.mkdir()
    (tmp_path / "s.duckdb").write_bytes(b"something")  # so that it waits itself
    lock = LockFile(folder / held)
    lock.acquire(0.0, exclusive=True)
    parent, helper = start(tmp_path / "s.duckdb")
    try:
        assert waits_for(helper, held)
        kill(parent)
        assert gone_within(helper, 20)
    finally:
        lock.release()
        lock.forget()


def test_so_does_one_in_a_call_that_keeps_the_lock_of_the_interpreter(
    tmp_path: Path,
) -> None:
    parent, helper = start(tmp_path / "s.duckdb", IN_A_CALL)
    appears(tmp_path / "s.duckdb.hangs")
    kill(parent)
    assert gone_within(helper, 20)


def test_so_does_one_whose_parent_was_killed_before_it_looked(tmp_path: Path) -> None:
    folder = tmp_path / "s.duckdb.journal"
    folder.mkdir()
    lock = LockFile(folder / ".gate")
    lock.acquire(0.0, exclusive=True)
    parent, helper = start(tmp_path / "s.duckdb")
    try:
        kill(parent)
        assert gone_within(helper, 20)
    finally:
        lock.release()
        lock.forget()
