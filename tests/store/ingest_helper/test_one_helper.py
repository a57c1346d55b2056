"""One helper folds a store; those of other trainings stand by, and take its place."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepwell.store import Store
from stepwell.store.files.location import prepare_folder, resolve
from stepwell.store.files.lock_file import LockFile
from stepwell.store.ingest_helper import leader
from stepwell.store.ingest_helper.leader import FoldTurn

Python = Callable[..., subprocess.Popen[str]]
Begin = Callable[..., "Training"]
Eventually = Callable[..., None]

TRAINING = """
import os, sys, time
import stepwell
from stepwell.store.recording import background
from stepwell.store.journal import writer_lock
exec(sys.argv[3])
run = stepwell.init(store=sys.argv[1], name=sys.argv[2])
run.log({"loss": 1.0})
while not background.keeper._helpers:
    time.sleep(0.01)
print(next(iter(background.keeper._helpers.values()))._process.pid, flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""

AT_WORK = """
import sys, time
from stepwell.store.ingest_helper.leader import FoldTurn
from stepwell.store.files.location import resolve
turn = FoldTurn(resolve(sys.argv[1]))
assert turn.take()
with turn.working():
    print("at work", flush=True)
    time.sleep(600)
"""


# What it records is folded when its run ends, and not for its age, at whatever instant.
QUIET = "background.PERIOD = 3600.0"

# Its helper, standing by, takes one that a busy machine keeps waiting for no stopped one.
PATIENT = """
from stepwell.store.ingest_helper import handle
change = (
    " from stepwell.store.ingest_helper import standby as s;"
    " s._SILENT_SECONDS = 60.0; from "
)
handle._START = handle._START.replace(" from ", change)
"""


class Training:
    """A program with an open run, which does what it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdin
        assert process.stdout
        self._said, self._told = process.stdout, process.stdin
        first = self._said.readline()
        assert first, process.communicate()
        self.helper = int(first)

    def begin(self, statement: str) -> None:
        self._told.write(f"{statement}\n")
        self._told.flush()

    def wait(self) -> None:
        assert self._said.readline() == "done\n", self.process.communicate()

    def do(self, statement: str) -> None:
        self.begin(statement)
        self.wait()

    def end(self) -> None:
        _, errors = self.process.communicate(timeout=60)
        assert (self.process.returncode, errors) == (0, "")

    @property
    def has_duckdb(self) -> bool:
        return "duckdb" in Path(f"/proc/{self.helper}/maps").read_text()


@pytest.fixture
def begin(tmp_path: Path, python: Python) -> Iterator[Begin]:
    """Begins a training; the first one's helper has loaded DuckDB before the next."""
    stopped = []

    def start(name: str = "run", first: str = "pass") -> Training:
        process = python(TRAINING, tmp_path / "s.duckdb", name, first)
        training = Training(process)
        stopped.append(training.helper)
        return training

    yield start
    for helper in stopped:
        if is_running(helper):
            os.kill(helper, signal.SIGCONT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def statuses(path: Path) -> dict[str, str]:
    return {run.name: run.status for run in Store(path).runs()}


@pytest.fixture
def pair(begin: Begin) -> tuple[Training, Training]:
    """Two trainings, of which the first one's helper folds."""
    first = begin("first", QUIET)
    first.do("stepwell.start_run(store=sys.argv[1], name='before').finish(wait=True)")
    assert first.has_duckdb
    return first, begin("second")


def test_of_many_trainings_one_helper_loads_duckdb_and_all_is_in_the_file(
    path: Path, begin: Begin
) -> None:
    trainings = [begin(f"run {number}", PATIENT) for number in range(5)]
    for training in trainings:
        training.begin("run.finish(wait=True)")
    for training in trainings:
        training.wait()
    journals = path.with_name("s.duckdb.journal")
    assert not list(journals.glob("*.journal"))
    (holder,) = (training for training in trainings if training.has_duckdb)
    others = [training for training in trainings if training is not holder]
    for training in others:
        maps = Path(f"/proc/{training.helper}/maps").read_text()
        assert "numpy" not in maps
        rss = int(Path(f"/proc/{training.helper}/statm").read_text().split()[1])
        assert rss * os.sysconf("SC_PAGESIZE") < 20e6
    for training in (*others, holder):
        training.end()
        assert not is_running(training.helper)
    assert set(statuses(path).values()) == {"finished"}


@pytest.mark.parametrize("how", ["SIGKILL", "its parent ends", "its parent is killed"])
def test_who_folds_is_followed_within_a_second(
    path: Path,
    pair: tuple[Training, Training],
    eventually: Eventually,
    how: str,
) -> None:
    first, second = pair
    if how == "SIGKILL":
        os.kill(first.helper, signal.SIGKILL)
    elif how == "its parent ends":
        first.end()
    else:
        first.process.kill()
        first.process.wait()
    eventually(lambda: not is_running(first.helper))
    turn, begun = FoldTurn(resolve(path)), time.monotonic()
    eventually(lambda: is_held(turn))  # before anybody wants a fold
    assert time.monotonic() - begun < 1.5  # a second, on a machine that does more
    second.do("run.finish(wait=True)")
    assert second.has_duckdb
    second.end()
    if how == "SIGKILL":
        first.end()
    wanted = "crashed" if "parent is killed" in how else "finished"
    assert statuses(path) == {"before": "finished", "first": wanted, "second": "finished"}


def is_held(turn: FoldTurn) -> bool:
    assert turn._lock
    return turn._lock.holder() is not None


def test_who_is_stopped_between_folds_keeps_nobody_waiting(
    path: Path, pair: tuple[Training, Training]
) -> None:
    first, second = pair
    first.do("run.log({'loss': 2.0})")
    os.kill(first.helper, signal.SIGSTOP)
    second.do("run.finish(wait=True)")
    assert second.has_duckdb  # else it has given up, and its program has folded
    second.do("other = stepwell.init(store=sys.argv[1], name='third'); other.finish()")
    second.end()
    os.kill(first.helper, signal.SIGCONT)
    first.end()
    assert set(statuses(path).values()) == {"finished"}


def test_who_is_stopped_while_it_says_to_be_at_work_keeps_nobody_waiting(
    path: Path, begin: Begin
) -> None:
    folder = path.with_name("s.duckdb.journal")
    folder.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", AT_WORK, str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "at work\n"
        os.kill(holder.pid, signal.SIGSTOP)
        training = begin()
        training.do("run.finish(wait=True)")
        assert training.has_duckdb
        training.end()
    finally:
        holder.kill()
        holder.communicate()
    assert statuses(path) == {"run": "finished"}


def test_who_is_killed_within_a_fold_is_followed(
    path: Path, pair: tuple[Training, Training], eventually: Eventually
) -> None:
    first, second = pair
    lock = LockFile(path.with_name("s.duckdb.journal") / ".lock")
    lock.acquire(time.monotonic() + 60, exclusive=True)
    try:
        second.begin("run.finish(wait=True)")
        turn = FoldTurn(resolve(path))
        eventually(lambda: turn.is_working)
        os.kill(first.helper, signal.SIGKILL)
        time.sleep(0.1)
    finally:
        lock.release()
        lock.forget()
    second.wait()
    second.end()
    first.end()
    assert set(statuses(path).values()) == {"finished"}


def test_a_stand_by_says_done_when_its_own_journals_are_folded(
    path: Path, begin: Begin, eventually: Eventually
) -> None:
    where = resolve(path)
    prepare_folder(where)
    turn = FoldTurn(where)
    assert turn.take()
    with turn.working():
        training = begin("run", QUIET)
        training.begin(
            "run.finish(wait=True); assert not run._writer.journal.path.exists()"
        )
        eventually(turn.is_wished)
        for _ in range(5):  # folds that took in something else
            turn.say_done()
            time.sleep(0.05)
        assert turn.is_awaited
        assert statuses(path) == {"run": "finished"}  # which folds
        training.wait()
    assert not training.has_duckdb
    training.end()


@pytest.mark.parametrize("stranger", ["version", "user", "container"])
def test_who_is_of_another_kind_is_a_stranger(
    path: Path, monkeypatch: pytest.MonkeyPatch, stranger: str
) -> None:
    where = resolve(path)
    prepare_folder(where)
    assert FoldTurn(where).take()
    assert not FoldTurn(where).is_of_a_stranger
    if stranger == "version":
        monkeypatch.setattr(leader, "__file__", "/elsewhere/leader.py")
    elif stranger == "user":
        monkeypatch.setattr("os.geteuid", lambda: 12345)
    else:
        monkeypatch.setattr(leader, "machine", lambda: "host boot pid:[4026531836]")
    assert FoldTurn(where).is_of_a_stranger


def test_beside_a_stranger_a_helper_folds_by_itself(
    path: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = resolve(path)
    prepare_folder(where)
    monkeypatch.setattr(leader, "machine", lambda: "host boot pid:[4026531836]")
    turn = FoldTurn(where)
    assert turn.take()
    with turn.working():
        training = begin()
        training.do("run.finish(wait=True)")
        assert training.has_duckdb
        training.end()
    assert statuses(path) == {"run": "finished"}


def test_where_it_cannot_be_seen_what_is_folded_a_helper_folds_by_itself(
    path: Path, pair: tuple[Training, Training], begin: Begin
) -> None:
    third = begin("third", "writer_lock._HAS_LOCKS = False")
    third.do("run.finish(wait=True)")
    assert third.has_duckdb
    for training in (third, *pair):
        training.end()
    assert set(statuses(path).values()) == {"finished"}


def test_without_a_file_to_lock_a_helper_folds_by_itself(path: Path, begin: Begin) -> None:
    where = resolve(path)
    prepare_folder(where)
    (where.journals / leader.NAME).mkdir()
    training = begin()
    training.do("run.finish(wait=True)")
    assert training.has_duckdb
    training.end()
    assert statuses(path) == {"run": "finished"}


def test_a_wish_is_heard_without_an_alarm_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = resolve(path)
    prepare_folder(where)
    with_alarm = FoldTurn(where)
    assert with_alarm.take()
    assert with_alarm.alarm is not None
    monkeypatch.setattr(leader, "_watch", lambda path: None)
    without = FoldTurn(resolve(path))
    assert without.take()  # a process has the lock, not a part of one
    assert without.patience < with_alarm.patience
    assert not without.is_wished()
    with_alarm.wish(is_awaited=False)
    assert without.is_wished()
    assert not without.is_wished()
