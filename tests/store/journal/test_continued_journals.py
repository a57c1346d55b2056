"""The journal of a long run goes on in new files; no record is lost, or there twice."""

import json
import os
import resource
import struct
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepwell.store import (
    RunGoesOnError,
    Store,
    StoreWarning,
    copy_store,
    examine,
    merge_stores,
    repair_store,
    start_run,
)
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest import ingest as folding
from stepwell.store.ingest.ingest import fold
from stepwell.store.journal import continuation
from stepwell.store.journal.damage_scan import scan_journal
from stepwell.store.journal.files import list_journals, read_header
from stepwell.store.journal.format import CONTINUED, Header
from stepwell.store.journal.reader import read_piece
from stepwell.store.journal.writer_alive import is_alive, process_started
from stepwell.store.maintenance import remove_runs as removal
from stepwell.store.maintenance import snapshot as snapshots
from stepwell.store.recording.run_writer import RunWriter
from stepwell.store.repair import salvage_journals as salvage

MakeWriter = Callable[..., RunWriter]


def paths(store_path: Path) -> list[Path]:
    return [journal.path for journal in list_journals(resolve(store_path).journals)]


def values(store_path: Path, run: str, metric: str = "loss") -> list[float]:
    found: list[float] = Store(store_path).series(run, metric).values.tolist()
    return found


def is_sound(store_path: Path) -> bool:
    return all(finding.is_ok for finding in examine(store_path))


POINTS_OF = "select step, metric, value from points where run_id = '{}'"
FILES_OF = "select count(*) from journals_ where run_id = '{}'"
EXAMPLES = int(os.environ.get("STEPWELL_FUZZ_EXAMPLES", "12"))
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 40), st.integers(1, 4)),
        st.sampled_from(["fold", "change", "note", "change_without_room"]),
    ),
    max_size=12,
)
ENDS = st.sampled_from(["killed", "finished", "failed", "goes on"])


class Playing:
    """A writer that does what the actions say, and what is to be found of it."""

    def __init__(self, writer: RunWriter) -> None:
        self.writer = writer
        self.points: list[tuple[int, str, float]] = []
        self.notes: str | None = None
        self.files = {writer.journal.path}
        self._recorder = writer.recorder()
        self._calls = 0

    def do(self, action: Any) -> None:
        if isinstance(action, tuple):
            self._log(*action)
        else:
            getattr(self, f"_{action}")()
        self.files.add(self.writer.journal.path)

    def _log(self, calls: int, width: int) -> None:
        for _ in range(calls):
            metrics = {f"m{n}": self._calls + n / 8 for n in range(width)}
            self._recorder.log(metrics)
            self.points += [(self._calls, *metric) for metric in metrics.items()]
            self._calls += 1

    def _fold(self) -> None:
        fold(lease_of(self.writer.location))

    def _change(self) -> None:
        continuation.continue_if_folded(self.writer)
        self.writer.change_files()

    def _change_without_room(self) -> None:
        with largest_file(self.writer.journal.path.stat().st_size + 5):
            self.writer.change_files()

    def _note(self) -> None:
        self.notes = f"notes of {self._calls}"
        self.writer.change({"notes": self.notes})


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions=ACTIONS, end=ENDS, budget=st.sampled_from([300, 2000, 2**22]))
def test_whatever_happens_each_call_is_there_once(
    actions: list[Any], end: str, budget: int, make_writer: MakeWriter, store_path: Path
) -> None:
    """Calls, folds, changes of files and a full disk in any order, and any end."""
    with (
        subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process,
        pytest.MonkeyPatch.context() as patch,
        warnings.catch_warnings(action="ignore", category=StoreWarning),
    ):
        patch.setattr("stepwell.store.ingest.ingest.BUDGET", budget)
        born = process_started(process.pid)
        writer = make_writer(pid=process.pid, process_started=born)
        playing = Playing(writer)
        for action in actions:
            playing.do(action)
        if end in {"finished", "failed"}:
            writer.finish(end, None)
        elif end == "killed":
            process.kill()
            process.wait()
        check(playing, store_path, end)
        process.kill()
        writer.abandon()
    assert is_sound(store_path)


def check(playing: Playing, store_path: Path, end: str) -> None:
    """Compare what a store says with what was done."""
    run_id, store = playing.writer.header.run_id, Store(store_path)
    points = POINTS_OF.format(run_id)
    assert sorted(store.sql(points).fetchall()) == sorted(playing.points)
    info = store.run(run_id)
    status = {"killed": "crashed", "goes on": "running"}.get(end, end)
    assert (info.status, info.notes, info.attempt) == (status, playing.notes, 1)
    assert store.sql(FILES_OF.format(run_id)).fetchall() == [(len(playing.files),)]
    left = [path for path in paths(store_path) if path.name.startswith(run_id)]
    open_files = 1 + playing.writer.chain.has_left
    assert len(left) == (open_files if end == "goes on" else 0)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to let any file become larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


STOPPED_ANYWHERE = """
    import json, os, signal, sys, time
    from pathlib import Path
    from stepwell.store.journal.format import Header
    from stepwell.store.base.ids import new_run_id, new_writer_id
    from stepwell.store.journal.writer_alive import host_name, machine, process_started
    from stepwell.store.files.location import prepare_folder, resolve
    from stepwell.store.recording.run_writer import RunWriter

    location = resolve(sys.argv[1])
    prepare_folder(location)
    MODULES = ("continuation.py", "run_writer.py", "appender.py", "writer_lock.py")

    def write(run_id, stop_at, pipe):
        header = Header(run_id, new_writer_id(), f"run {stop_at}", None, host_name(),
            machine(), os.getpid(), process_started(os.getpid()), 0, 1, True)
        writer = RunWriter(location, header, {"name": header.name, "time": time.time_ns()})
        recorder, lines = writer.recorder(), 0

        def trace(frame, event, argument):
            nonlocal lines
            if os.path.basename(frame.f_code.co_filename) not in MODULES:
                return None
            if event == "line":
                lines += 1
                if lines == stop_at:
                    os.kill(os.getpid(), signal.SIGSTOP)
            return trace

        def say(number):
            recorder.log({"loss": number}, step=number)
            os.write(pipe, b".")

        for number in range(5):
            say(number)
        sys.settrace(trace)
        writer.change_files()
        sys.settrace(None)
        for number in range(5, 10):
            say(number)
        writer.finish("finished", None)
        return lines

    def start(stop_at):
        run_id, (receiving, sending) = new_run_id(), os.pipe()
        child = os.fork()
        if child == 0:
            lines = write(run_id, stop_at, sending)
            os.write(sending, b"%d" % lines)
            os._exit(0)
        os.close(sending)
        os.waitpid(child, os.WUNTRACED)
        return run_id, child, receiving

    _, _, pipe = start(0)
    lines = int(os.read(pipe, 100)[10:])
    assert lines > 40, lines
    stopped = [start(1 + line) for line in range(lines)]
    print(json.dumps([[run_id, len(os.read(pipe, 99))] for run_id, _, pipe in stopped]))
    sys.stdout.flush()
    sys.stdin.readline()
    for place, (run_id, child, pipe) in enumerate(stopped):
        os.kill(child, signal.SIGCONT if place % 2 else signal.SIGKILL)
        os.waitpid(child, 0)
    print("done", flush=True)
    sys.stdin.readline()
"""


def test_a_process_may_be_stopped_killed_and_folded_at_any_line_of_a_change(
    store_path: Path, python: Callable[..., subprocess.Popen[str]]
) -> None:
    process = python(STOPPED_ANYWHERE, store_path)
    assert process.stdin is not None
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    said = dict(json.loads(line))
    store = Store(store_path)

    def found() -> dict[str, tuple[str, int]]:
        query = (
            "select run_id::varchar, status, count(value), count(distinct step)"
            " from runs left join points using (run_id) group by all"
        )
        rows = store.sql(query).fetchall()
        assert all(points == steps for *_, points, steps in rows)
        return {run: (status, points) for run, status, points, _ in rows if run in said}

    assert found() == {run: ("running", calls) for run, calls in said.items()}

    process.stdin.write("go on\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"

    assert found() == {
        run: ("finished", 10) if place % 2 else ("crashed", calls)
        for place, (run, calls) in enumerate(said.items())
    }
    assert found() == found()
    # One that was made, and has no header, belongs to nobody.
    assert all(path.stat().st_size == 0 for path in paths(store_path))
    for path in paths(store_path):
        os.utime(path, (1e9, 1e9))
    store.runs()
    assert paths(store_path) == []
    assert is_sound(store_path)


@pytest.mark.parametrize("content", [b"", b"stepwell journal"])
def test_a_file_that_was_made_and_never_written_is_removed(
    store_path: Path, make_writer: MakeWriter, content: bytes
) -> None:
    writer = make_writer()
    empty = writer.journal.path.with_name(f"{writer.header.run_id}-00.journal")
    empty.write_bytes(content)
    os.utime(empty, (1e9, 1e9))

    with pytest.warns(StoreWarning, match="damaged") if content else nullcontext():
        assert Store(store_path).run("lone").status == "running"

    assert empty not in paths(store_path)
    assert empty.with_name(f"{empty.name}.damaged").exists() is bool(content)


@pytest.mark.parametrize("forgets", [False, True])
def test_a_call_that_waited_for_the_change_says_its_names_anew(
    store_path: Path, make_writer: MakeWriter, forgets: bool
) -> None:
    """Its names' number is that of other names in the new file."""
    writer = make_writer()
    waiting, main = writer.recorder(), writer.recorder()
    waiting.log({"a": 0.0}, step=0)
    looked_up = threading.Event()

    class Late(dict[str, float]):
        def values(self) -> Any:
            looked_up.set()
            return super().values()

    with writer.lock:
        thread = threading.Thread(target=waiting.log, args=(Late(a=1.0), 1))
        thread.start()
        assert looked_up.wait(60)
        if forgets:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("stepwell.store.recording.run_writer._MOST_SHAPES", 1)
                main.log({"c": 7.0}, step=1)
        writer.change_files()
        writer._declared = 0  # of all numbers the one that would be mistaken
        main.log({"b": 2.0}, step=1)
    thread.join()
    writer.finish("finished", None)

    assert values(store_path, "lone", "a") == [0.0, 1.0]
    assert values(store_path, "lone", "b") == [2.0]


def test_an_end_that_a_collector_brings_in_the_midst_of_a_change_is_the_runs(
    store_path: Path, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make_writer()
    writer.recorder().log({"loss": 1.0})
    make = continuation.Chain.next_file

    def collected(*arguments: Any) -> Any:
        made = make(*arguments)
        writer.recorder().log({"loss": 2.0}, step=1)
        writer.finish("interrupted", "collected")
        writer.recorder().log({"loss": 3.0}, step=2)
        return made

    monkeypatch.setattr(continuation.Chain, "next_file", collected)
    writer.change_files()

    assert not writer.is_open
    info = Store(store_path).run("lone")
    assert (info.status, info.exit_message) == ("interrupted", "collected")
    assert values(store_path, "lone") == [1.0, 2.0, 3.0]
    assert paths(store_path) == []


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("is_folded", [False, True])
def test_a_journal_goes_on_in_a_new_file_when_it_is_large_and_folded(
    store_path: Path,
    make_writer: MakeWriter,
    monkeypatch: pytest.MonkeyPatch,
    is_large: bool,
    is_folded: bool,
) -> None:
    monkeypatch.setattr(continuation, "LIMIT", 100_000)
    writer = make_writer()
    recorder, first = writer.recorder(), writer.journal.path
    calls = 3000 if is_large else 1800
    for step in range(calls):
        recorder.log({"loss": step})
    if is_folded:
        fold(lease_of(resolve(store_path)))
    continuation.continue_if_folded(writer)

    changed = is_large and is_folded
    assert (writer.journal.path != first) is changed
    recorder.log({"loss": -1.0})
    assert len(paths(store_path)) == 1 + changed
    assert values(store_path, "lone") == [*range(calls), -1.0]
    assert paths(store_path) == [writer.journal.path]


@pytest.mark.parametrize(
    "note",
    [
        *(b"", b"[]", b"{", b'{"x": 9}', b'{"%s": "y"}', b"[" * 99),
        *(b'{"%s": Infinity}', b'{"%s": -1e999}', b'{"%s": NaN}'),
    ],
)
def test_a_note_that_says_nothing_changes_nothing(
    store_path: Path, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch, note: bytes
) -> None:
    monkeypatch.setattr(continuation, "LIMIT", 10)
    writer = make_writer()
    path = writer.journal.path.with_name(".folded")
    path.write_bytes(note.replace(b"%s", writer.header.writer.encode()))
    continuation.continue_if_folded(writer)

    assert paths(store_path) == [writer.journal.path]
    path.unlink()
    path.symlink_to(path)
    continuation.continue_if_folded(writer)
    assert paths(store_path) == [writer.journal.path]


def test_a_file_that_cannot_be_told_is_told_later(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer()
    recorder, old = writer.recorder(), writer.journal.path
    for step in range(100):
        recorder.log({"loss": step})
    with (
        largest_file(old.stat().st_size + 5),
        pytest.warns(StoreWarning, match="cannot be written"),
    ):
        writer.change_files()
    recorder.log({"loss": 100})

    assert paths(store_path) == [old, writer.journal.path]
    assert values(store_path, "lone") == [*range(101)]
    assert Store(store_path).run("lone").status == "running"
    assert paths(store_path) == [old, writer.journal.path]
    assert writer.journal.lost == 0

    continuation.continue_if_folded(writer)
    assert scan_journal(old).has_end
    assert Store(store_path).run("lone").status == "running"
    assert paths(store_path) == [writer.journal.path]


@pytest.mark.parametrize("end", ["finished", "killed"])
def test_a_file_that_was_never_told_does_not_end_the_run(
    store_path: Path, make_writer: MakeWriter, end: str
) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        born = process_started(process.pid)
        writer = make_writer(pid=process.pid, process_started=born)
        writer.recorder().log({"loss": 0})
        with (
            largest_file(writer.journal.path.stat().st_size + 5),
            pytest.warns(StoreWarning),
        ):
            writer.change_files()
        writer.recorder().log({"loss": 1}, step=1)
        if end == "finished":
            writer.chain.close()
            writer.finish("finished", None)
        process.kill()

    status = "finished" if end == "finished" else "crashed"
    assert Store(store_path).run("lone").status == status
    assert values(store_path, "lone") == [0, 1]
    assert paths(store_path) == []


class Untold:
    """A writer that went on in a new file, and ended there, without room to say so."""

    def __init__(self, writer: RunWriter, end: str, message: str | None) -> None:
        self.old = writer.journal.path
        self._writer, self._end = writer, (end, message)
        for step in range(100):
            writer.write_points(step, {"loss": float(step)})
        with self._no_room(), pytest.warns(StoreWarning, match="cannot be written"):
            writer.change_files()
        writer.write_points(100, {"loss": 100.0})

    def finish(self) -> None:
        with self._no_room():
            self._writer.finish(*self._end)

    def read_piece(self, path: Path, *arguments: Any) -> Any:
        """Finish between the reading of the old file and of the new one."""
        piece = read_piece(path, *arguments)
        if path == self.old:
            self.finish()
        return piece

    def finish_unseen(self, store: Store, away: Path) -> None:
        """The new file is folded while the old one cannot be."""
        self.finish()
        self.old.rename(away)
        store.runs()
        away.rename(self.old)

    def _no_room(self) -> AbstractContextManager[None]:
        return largest_file(self.old.stat().st_size + 5)


LATE = ["read before the end", "in a fold of its own", "known, but unseen", "unseen"]


@pytest.mark.parametrize("when", LATE)
@pytest.mark.parametrize("end", [(0, "finished", None), (3, "failed", "because")])
def test_a_file_that_was_never_told_may_be_folded_after_the_last_one(
    store_path: Path,
    make_writer: MakeWriter,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    end: tuple[int, str, str | None],
) -> None:
    rank, status, message = end
    writer, store = make_writer(rank=rank), Store(store_path)
    untold = Untold(writer, status, message)
    if when == "read before the end":
        monkeypatch.setattr(folding, "read_piece", untold.read_piece)
    elif when == "in a fold of its own":
        untold.finish()
        monkeypatch.setattr(folding, "BUDGET", 100)
    else:
        if when.startswith("known"):
            store.runs()
        untold.finish_unseen(store, store_path.with_name("away"))

    for _ in range(2):
        info = store.run(writer.header.run_id)
        assert (info.status, info.exit_message, info.attempt) == (status, message, 1)
        assert values(store_path, "lone") == [*range(101)]
    assert (paths(store_path), is_sound(store_path)) == ([], True)


def test_a_file_with_its_end_may_be_folded_after_the_last_one(
    store_path: Path, make_writer: MakeWriter, tmp_path: Path
) -> None:
    writer = make_writer()
    writer.recorder().log({"loss": 1.0})
    old = writer.journal.path
    writer.change_files()
    writer.finish("interrupted", "enough")
    away = old.rename(tmp_path / "away")
    store = Store(store_path)
    assert store.run("lone").status == "interrupted"
    away.rename(old)

    info = store.run("lone")
    assert (info.status, info.exit_message) == ("interrupted", "enough")
    assert values(store_path, "lone") == [1.0]
    assert paths(store_path) == []


def test_no_descriptor_and_no_room_let_the_journal_grow(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer()
    path = writer.journal.path
    with largest_file(20):
        writer.change_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        writer.change_files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    writer.recorder().log({"loss": 1})

    assert paths(store_path) == [path]
    writer.change_files()
    assert paths(store_path) == [path, writer.journal.path]
    assert values(store_path, "lone") == [1]


@pytest.mark.parametrize("what", ["folder", "file", "gone"])
def test_a_moved_journal_is_not_continued_in_its_old_place(
    store_path: Path, make_writer: MakeWriter, tmp_path: Path, what: str
) -> None:
    writer = make_writer()
    path = writer.journal.path
    if what == "folder":
        path.parent.rename(tmp_path / "other")
        path.parent.mkdir()
    elif what == "file":
        path.rename(tmp_path / "other")
    else:
        path.unlink()
    writer.change_files()

    assert writer.journal.path == path
    assert paths(store_path) == []


@pytest.mark.parametrize("budget", [2000, 2**22])
def test_a_reader_that_listed_the_folder_before_the_change_sees_what_comes_behind(
    store_path: Path,
    make_writer: MakeWriter,
    monkeypatch: pytest.MonkeyPatch,
    budget: int,
) -> None:
    writer = make_writer()
    recorder = writer.recorder()
    for step in range(200):
        recorder.log({"loss": step})
    look = list_journals
    monkeypatch.setattr(folding, "BUDGET", budget)
    looked: list[int] = []

    def changing(folder: Path) -> Any:
        found = look(folder)
        looked.append(len(found))
        if len(looked) == 1:
            writer.change_files()
            recorder.log({"loss": 200})
        return found

    monkeypatch.setattr(folding, "list_journals", changing)
    found = values(store_path, "lone")

    assert looked[0] == 1
    assert found == [*range(201)]
    query = "select ended from journals_ order by writer"
    assert Store(store_path).sql(query).fetchall() == [("continued",), (None,)]


@pytest.mark.parametrize("budget", [1000, 2000, 3001, 2**22])
def test_the_points_of_several_files_lie_in_their_order(
    store_path: Path, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    """Else a question for one metric reads more blocks of the database."""
    writer = make_writer()
    for file in range(3):
        for step in range(200 * file, 200 * (file + 1)):
            writer.recorder().log({"loss": step, "acc": step}, step=step)
        writer.change_files()
    monkeypatch.setattr(folding, "BUDGET", budget)
    fold(lease_of(resolve(store_path)))

    query = "select step from store.main.points where metric = 'loss' order by rowid"
    with lease_of(resolve(store_path)).shared() as connection:
        found = connection.execute(query).fetchall()
    assert found == [(step,) for step in range(600)]


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_run_whose_next_file_is_removed_unread_has_crashed(
    store_path: Path, make_writer: MakeWriter, tmp_path: Path, comes_back: bool
) -> None:
    writer = make_writer()
    writer.recorder().log({"loss": 1})
    fold(lease_of(resolve(store_path)))
    writer.change_files()
    writer.recorder().log({"loss": 2}, step=1)
    away = writer.journal.path.rename(tmp_path / "away")

    info = Store(store_path).run("lone")
    assert (info.status, info.exit_message) == (
        "crashed",
        "its journal was removed, or moved away",
    )
    if comes_back:
        away.rename(writer.journal.path)
        assert Store(store_path).run("lone").status == "running"
        assert values(store_path, "lone") == [1, 2]


def test_the_end_of_a_part_of_the_program_is_not_forgotten_by_a_change(
    make_writer: MakeWriter,
) -> None:
    writer = make_writer()
    writer.recorder().log({"loss": 1})
    sizes = [writer.points_size]
    for _ in range(3):
        writer.change_files()
        sizes.append(writer.points_size)
    assert len(set(sizes)) == 1
    writer.recorder().log({"loss": 1})
    assert writer.points_size > sizes[0]


def as_first(header: Header) -> Header:
    return header._replace(writer="", continues="", started=0)


def test_files_follow_each_other_by_name_and_header(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer(rank=2, primary=False)
    for _ in range(12):
        writer.change_files()
    heads = [head[0] for path in paths(store_path) if (head := read_header(path))]

    assert len(heads) == 13
    assert [head.continues for head in heads] == ["", *(h.writer for h in heads[:-1])]
    first = heads[0]
    assert {as_first(head) for head in heads} == {as_first(first)}
    assert all(head.locked for head in heads)


def test_a_forked_child_goes_on_in_files_of_its_own(store_path: Path, output: Any) -> None:
    code = """
        import multiprocessing, sys
        from stepwell.store import start_run
        from stepwell.store.recording import background
        background.PERIOD = 3600.0
        run = start_run(store=sys.argv[1], name="both")
        run.log({"loss": 0.0}, step=0)
        run._writer.change_files()

        def child():
            run.log({"child": 1.0}, step=1)
            run._writer.change_files()
            run.log({"child": 2.0}, step=2)

        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join()
        run.log({"loss": 3.0}, step=3)
        run._writer.change_files()
        run.finish()
    """
    output(code, store_path)

    assert values(store_path, "both") == [0.0, 3.0]
    assert values(store_path, "both", "child") == [1.0, 2.0]
    assert Store(store_path).run("both").status == "finished"
    assert (paths(store_path), is_sound(store_path)) == ([], True)


def test_tools_read_across_the_files(
    store_path: Path, make_writer: MakeWriter, tmp_path: Path
) -> None:
    writer = make_writer()
    recorder = writer.recorder()
    for part in range(3):
        for step in range(20):
            recorder.log({"loss": 20 * part + step})
        writer.change_files()
        if part == 0:
            fold(lease_of(resolve(store_path)))
    recorder.log({"loss": 60.0})
    run_id, store = writer.header.run_id, Store(store_path)

    made = [tmp_path / f"{name}.duckdb" for name in ("copied", "repaired", "merged")]
    assert copy_store(store_path, made[0]).running == 1
    assert repair_store(store_path, made[1]).is_complete
    merge_stores([store_path], made[2])
    for path in made:
        assert values(path, run_id) == [*range(61)]
        assert Store(path).run(run_id).status == "running"
        assert is_sound(path)

    with pytest.raises(RunGoesOnError):
        store.remove_runs(run_id)
    writer.change_files()
    assert store.stamp() != store.stamp() or len(paths(store_path)) == 2
    writer.finish("finished", None)
    merge_stores([store_path], made[2])
    assert Store(made[2]).run(run_id).status == "finished"
    assert values(made[2], run_id) == [*range(61)]
    store.remove_runs(run_id)
    assert paths(store_path) == []
    assert store.runs() == []


def test_who_resumes_a_run_across_files_joins_its_attempt(
    store_path: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer(attempt=1_234_567)
    writer.recorder().log({"loss": 1}, step=0)
    writer.change_files()
    writer.recorder().log({"loss": 2}, step=1)
    run_id = writer.header.run_id
    assert Store(store_path).run(run_id).status == "running"

    joined = start_run(id=run_id, resume="must", store=store_path)
    assert joined._writer.header.attempt == writer.header.attempt
    assert not joined._writer.header.primary
    joined.finish()
    writer.change_files()
    writer.finish("finished", None)

    again = start_run(id=run_id, resume="must", store=store_path)
    again.log({"loss": 3}, step=1)
    again.finish()
    info = Store(store_path).run(run_id)
    assert (info.attempt, info.status) == (2, "finished")
    assert values(store_path, run_id) == [1, 3]


LONG = """
    import json, os, sys, time
    from pathlib import Path
    import stepwell
    from stepwell.store.journal import continuation as continuation_module
    from stepwell.store.recording import background
    continuation_module.LIMIT = 2**17
    background.FOLD_BYTES = background.FIRST_FOLD_BYTES = 2**16
    background.PERIOD = background.FAST_PERIOD = 0.02

    run = stepwell.init(store=sys.argv[1], name="long")
    folder, most, files = Path(f"{sys.argv[1]}.journal"), 0, set()
    before = len(os.listdir("/proc/self/fd"))
    step = 0
    deadline = time.monotonic() + 60
    while len(files) < 5 and time.monotonic() < deadline:
        for _ in range(200):
            run.log({"loss": step, "kind" + str(step % 3): 1})
            step += 1
        time.sleep(0.005)
        files.add(run._writer.journal.path.name)
        most = max(most, sum(p.stat().st_size for p in folder.glob("*.journal")
            if p.exists()))
    descriptors = 4
    while descriptors > 3 and time.monotonic() < deadline + 60:  # some are open briefly
        descriptors = len(os.listdir("/proc/self/fd")) - before
        time.sleep(0.001)
    run.finish()
    print(json.dumps([step, len(files), most, run._writer.journal.total, descriptors]))
"""


def test_a_long_run_keeps_little_in_its_journals(store_path: Path, output: Any) -> None:
    calls, files, most, total, descriptors = json.loads(output(LONG, store_path))

    assert files >= 5
    assert total > 4 * 2**17
    assert most < total
    assert descriptors <= 3  # the helper's pipes
    store = Store(store_path)
    assert store.series("long", "loss").values.tolist() == [*range(calls)]
    assert store.run("long").status == "finished"
    assert (paths(store_path), is_sound(store_path)) == ([], True)


def test_a_next_file_that_nobody_may_name_is_not_looked_for(
    store_path: Path, make_writer: MakeWriter
) -> None:
    for place, name in enumerate(["../../x", "\0", "", 7, None, "é", "0" * 300]):
        writer = make_writer(name=f"n{place}")
        writer.recorder().log({"loss": place})
        writer.journal.write_json(CONTINUED, {"writer": name})
        assert values(store_path, writer.header.run_id) == [place]
        assert not writer.journal.path.exists()


def test_packing_by_withdrawn_shapes_is_refused(make_writer: MakeWriter) -> None:
    writer = make_writer()
    shape = writer.shape(("a",))
    writer.change_files()
    with pytest.raises(struct.error, match="another file"):
        shape.pack(shape.head, 0, 0, 1.0)
    assert writer.shape(("a",)) is not shape


@pytest.mark.parametrize("damaged", [0, 1, 2])
def test_a_repair_knows_whose_file_it_is_whose_head_is_lost(
    store_path: Path, make_writer: MakeWriter, tmp_path: Path, damaged: int
) -> None:
    writer = make_writer(attempt=1_234_567, rank=3)
    for step in range(3):
        writer.recorder().log({"loss": step}, step=step)
        if step == 0:
            Store(store_path).runs()
        if step < 2:
            writer.change_files()
    path = paths(store_path)[damaged]
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    made = tmp_path / "made.duckdb"

    repair_store(store_path, made)

    query = "select step, rank, attempt from points order by step"
    found = Store(made).sql(query).fetchall()
    assert found == [(step, 3, 1_234_567) for step in range(3)]


Look = Callable[..., Any]


def change_behind(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, writer: RunWriter
) -> None:
    """Let a writer change files, and go on, just when a folder was first listed."""
    look: Look = getattr(module, name)
    looked: list[Any] = []

    def changing(*arguments: Any) -> Any:
        looked.append(look(*arguments))
        if len(looked) == 1:
            writer.change_files()
            writer.recorder().log({"loss": 2.0}, step=1)
        return looked[-1]

    monkeypatch.setattr(module, name, changing)


@pytest.mark.parametrize("tool", ["copy", "repair"])
def test_what_is_copied_is_copied_to_the_last_file(
    store_path: Path,
    make_writer: MakeWriter,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tool: str,
) -> None:
    writer = make_writer()
    writer.recorder().log({"loss": 1.0}, step=0)
    made = tmp_path / "made.duckdb"
    if tool == "copy":
        change_behind(monkeypatch, snapshots, "list_journals", writer)
        copy_store(store_path, made)
    else:
        change_behind(monkeypatch, salvage, "_entries", writer)
        repair_store(store_path, made)

    assert values(made, "lone") == [1.0, 2.0]
    assert Store(made).run("lone").status == "running"


def test_a_run_that_just_went_on_in_another_file_is_not_removed(
    store_path: Path, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make_writer()
    writer.recorder().log({"loss": 1.0}, step=0)
    store = Store(store_path)
    store.runs()
    change_behind(monkeypatch, removal, "list_journals", writer)

    with pytest.raises(RunGoesOnError):
        store.remove_runs("lone")
    assert values(store_path, "lone") == [1.0, 2.0]


@pytest.mark.parametrize("changes", [0, 1, 3])
def test_a_file_that_was_left_counts_as_alive_while_its_writer_goes_on(
    store_path: Path, make_writer: MakeWriter, changes: int
) -> None:
    writer = make_writer()
    for _ in range(changes):
        writer.change_files()
    journals = list_journals(resolve(store_path).journals)
    heads = [head[0] for one in journals if (head := read_header(one.path))]

    assert [is_alive(*pair) for pair in zip(heads, journals, strict=True)] == [True] * (
        changes + 1
    )
    writer.abandon()
    assert [is_alive(*pair) for pair in zip(heads, journals, strict=True)] == [False] * (
        changes + 1
    )
