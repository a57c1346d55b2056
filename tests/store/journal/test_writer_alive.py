"""Who is taken for alive: by the machine, the process and the lock, not by a name."""

import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store, start_run
from stepwell.store.files.location import resolve
from stepwell.store.journal.files import list_journals, read_header
from stepwell.store.journal.writer_alive import machine
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Python = Callable[..., subprocess.Popen[str]]

GOES_ON = """
import sys
import stepwell
run = stepwell.init(store=sys.argv[1], name=sys.argv[2])
run.log({"loss": 1.0})
print("logged", flush=True)
sys.stdin.readline()
"""

STATUSES = """
import sys
import stepwell
store = stepwell.open_store(sys.argv[1])
print(*sorted(f"{run.name}={run.status}" for run in store.runs()), flush=True)
"""

BECOMES_ANOTHER = """
import os, sys
import stepwell
run = stepwell.init(store=sys.argv[1], name="before")
run.log({"loss": 1.0})
try:
    os.execv("/no/such/program", ["it"])
except FileNotFoundError:
    run.log({"loss": 2.0})  # nothing has happened
after = "import sys; print('logged', flush=True); sys.stdin.readline()"
command = [sys.executable, "-c", after]
if sys.argv[2] == "itself":
    command = [sys.executable, "-c", sys.argv[3], sys.argv[1], "after"]
os.execv(sys.executable, command)
"""


def facts_of(text: str) -> list[str]:
    return text.split()[1:]


def statuses(path: Path) -> dict[str | None, str]:
    return {run.name: run.status for run in Store(path).runs()}


def wait_for_word(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "logged\n", process.communicate()


@pytest.mark.parametrize("name", ["other-name", "", "another.domain"])
def test_the_name_of_the_host_may_change(
    store_path: Path, make_writer: MakeWriter, name: str
) -> None:
    """As for a laptop that is stopped in one network and goes on in another."""
    facts = " ".join(facts_of(machine()))
    assert facts
    dead = {"process_started": 1}
    make_writer({"name": "goes on"}, name="goes on", machine=f"{name} {facts}", host=name)
    make_writer({"name": "gone"}, name="gone", machine=f"{name} {facts}", **dead)
    for journal in list_journals(resolve(store_path).journals):
        os.utime(journal.path, (1e9, 1e9))  # stopped for years

    assert statuses(store_path) == {"goes on": "running", "gone": "crashed"}


def test_the_name_alone_is_not_the_machine(
    store_path: Path, make_writer: MakeWriter
) -> None:
    """Another boot, with the same name and a process of the same id and start."""
    elsewhere = f"{socket.gethostname()} 0a5e2f3c-aaaa-bbbb-cccc-000000000000 pid:[1]"
    make_writer(machine=elsewhere)
    (journal,) = list_journals(resolve(store_path).journals)

    assert statuses(store_path) == {"lone": "running"}  # there is a fresh sign of life

    os.utime(journal.path, (1e9, 1e9))
    assert statuses(store_path) == {"lone": "crashed"}


@pytest.mark.parametrize("how", ["another", "itself"])
def test_a_program_that_became_another_runs_no_more(
    store_path: Path, python: Python, how: str
) -> None:
    process = python(BECOMES_ANOTHER, store_path, how, textwrap.dedent(GOES_ON))
    wait_for_word(process)

    (before, *after) = reversed(Store(store_path).runs())
    assert (before.name, before.status) == ("before", "crashed")
    assert before.exit_message is not None
    assert before.exit_message.startswith("the process became another program")
    assert Store(store_path).summary(before.run_id)["loss"].count == 2
    assert [run.status for run in after] == ["running"] * (how == "itself")
    process.communicate("\n", timeout=60)


ENDS = """
import os, sys
from stepwell.store.journal import writer_alive

for _ in range(200):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.close(writing)
    os.read(reading, 1)  # the child's files are closed
    os.close(reading)
    started = writer_alive.process_started(child)
    assert started is None or writer_alive._is_ending(child)
    os.waitpid(child, 0)
assert not writer_alive._is_ending(os.getpid())
assert not writer_alive._is_ending(child)
"""


def test_a_process_that_is_ending_has_not_become_another(
    output: Callable[..., str],
) -> None:
    """A helper hears of its program's end, and folds, while that is still listed."""
    output(ENDS)


def test_a_journal_that_is_copied_to_another_store_does_not_run_there(
    store_path: Path, tmp_path: Path
) -> None:
    other = resolve(tmp_path / "other.duckdb")
    with start_run(store=store_path, name="one") as run:
        run.log({"loss": 1.0})
        (journal,) = list_journals(resolve(store_path).journals)
        other.journals.mkdir()
        shutil.copy2(journal.path, other.journals)

        assert statuses(store_path) == {"one": "running"}
        assert statuses(other.database) == {"one": "crashed"}


def test_a_disk_without_such_locks_leaves_it_to_the_process(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.store.journal.writer_lock._HAS_LOCKS", False)
    with start_run(store=store_path, name="one") as run:
        run.log({"loss": 1.0})
        (journal,) = list_journals(resolve(store_path).journals)
        found = read_header(journal.path)
        assert found is not None
        assert not found[0].locked
        assert statuses(store_path) == {"one": "running"}


def test_a_child_that_was_forked_is_no_reason_to_be_alive(
    store_path: Path, python: Python
) -> None:
    code = """
        import os, sys
        import stepwell
        run = stepwell.init(store=sys.argv[1], name="parent")
        run.log({"loss": 1.0})
        if os.fork() == 0:
            print("logged", flush=True)
            sys.stdin.readline()
        os._exit(0)
    """
    process = python(code, store_path)
    wait_for_word(process)
    process.wait(timeout=60)

    assert statuses(store_path) == {"parent": "crashed"}


def namespaced(*arguments: object) -> list[str]:
    unshare = shutil.which("unshare")
    command = [unshare or "unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if unshare is None or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("no right to make a process namespace")
    return [*command, sys.executable, "-c", *map(str, arguments)]


def test_a_process_is_seen_from_another_container(store_path: Path) -> None:
    pipe = subprocess.PIPE
    command = namespaced(GOES_ON, store_path, "inside")
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as inside:
        wait_for_word(inside)
        (journal,) = list_journals(resolve(store_path).journals)
        looks = [sys.executable, "-c", STATUSES, str(store_path)]
        for look in (looks, namespaced(STATUSES, store_path)):
            seen = subprocess.run(look, capture_output=True, text=True, check=True)
            assert seen.stdout == "inside=running\n"

        os.utime(journal.path, (1e9, 1e9))  # no sign of life
        assert statuses(store_path) == {"inside": "crashed"}
        os.utime(journal.path)
        assert statuses(store_path) == {"inside": "running"}
        inside.kill()
        deadline = time.monotonic() + 60  # for the system to end what was inside
        while statuses(store_path) != {"inside": "crashed"}:  # its last sign is fresh still
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_first_process_of_a_container_knows_that_it_is_elsewhere() -> None:
    code = """
        import ctypes, os
        from stepwell.store.journal.writer_alive import machine
        before = machine()
        assert ctypes.CDLL(None).unshare(0x20000000) == 0
        if os.fork() == 0:
            print(machine() == before, flush=True)
            os._exit(0)
        os.wait()
    """
    namespaced("")
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "False\n"
