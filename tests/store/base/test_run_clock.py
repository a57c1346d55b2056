"""The times of a run never run backwards, whatever becomes of the computer's clock."""

import os
import pickle
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import stepwell
from stepwell import Run
from stepwell.store import Store
from stepwell.store.journal.writer_alive import process_started
from stepwell.store.recording.background import Keeper

HOUR = 3600 * 10**9
Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def run(store_path: Path) -> Run:
    return stepwell.start_run(store=store_path)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets this process's clock forth, or back, by nanoseconds."""
    real = time.time_ns

    def change(by: int) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: real() + by)
        monkeypatch.setattr(time, "time", lambda: (real() + by) / 1e9)

    return change


@pytest.fixture
def suspend(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets the machine sleep, for a time: the clock since boot goes on meanwhile."""
    real = time.clock_gettime_ns
    slept = [0]

    def clock(which: int) -> int:
        return real(which) + (slept[0] if which == time.CLOCK_BOOTTIME else 0)

    def sleep(nanoseconds: int) -> None:
        slept[0] += nanoseconds

    monkeypatch.setattr(time, "clock_gettime_ns", clock)
    return sleep


@pytest.mark.parametrize("change", [-HOUR, 30 * HOUR, -(10**18)])
@pytest.mark.parametrize("careful", [False, True])
def test_a_clock_that_is_set_changes_nothing(
    change: int, careful: bool, run: Run, rows: Rows, set_clock: Callable[[int], None]
) -> None:
    run.log({"loss": 1})
    set_clock(change)
    for step in range(1, 5):
        run.log({"loss": {"value": 1} if careful else 1.0}, step=step)
    set_clock(-change)
    run.log({"loss": 1.0})
    run.finish()

    times = [when for (when,) in rows("select time from points order by step")]
    assert times == sorted(times)
    ((created, finished),) = rows("select created_at, finished_at from runs")
    assert created <= times[0]
    assert times[-1] <= finished
    assert (finished - created).total_seconds() < 60
    assert Store(run.location).run(run.id).duration_seconds < 60


def test_a_run_that_goes_on_has_lasted_no_negative_time(
    run: Run, set_clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(HOUR)
    with stepwell.start_run(store=run.location, name="ahead") as ahead:
        info = Store(run.location).run(ahead.id)
        assert info.status == "running"
        assert info.duration_seconds == 0


@pytest.mark.parametrize("seconds", [1, 8 * 3600])
def test_the_time_of_a_suspended_machine_counts(
    seconds: int, run: Run, rows: Rows, suspend: Callable[[int], None]
) -> None:
    run.log({"loss": 1})
    suspend(seconds * 10**9)
    run.finish()

    ((took,),) = rows("select epoch(finished_at - created_at) from runs")
    assert seconds <= took < seconds + 60


def test_points_after_a_suspension_are_of_their_time(
    run: Run, rows: Rows, suspend: Callable[[int], None]
) -> None:
    run.log({"loss": 1})
    suspend(HOUR)
    Keeper()._tick([run._writer], 0.0, 1.0, started=False)  # as each second
    run.log({"loss": 1})
    suspend(HOUR)
    Keeper()._tick([run._writer], 0.0, 1.0, started=False)
    run.log({"loss": 1})
    run.finish()

    ((first, second),) = rows(
        "select epoch(max(time) filter (step = 1) - min(time)),"
        " epoch(max(time) - max(time) filter (step = 1)) from points"
    )
    assert 3600 <= first < 3660
    assert 3600 <= second < 3660


def test_processes_of_a_run_go_by_its_clock(
    run: Run, rows: Rows, set_clock: Callable[[int], None]
) -> None:
    run.log({"parent": 1})
    sent = pickle.dumps(run)
    set_clock(-HOUR)
    child = os.fork()
    if child == 0:
        run.log({"forked": 1})
        os._exit(0)
    os.waitpid(child, 0)
    other = pickle.loads(sent)
    other.log({"sent": 1})
    other.finish()
    run.finish()

    times: dict[str, Any] = dict(rows("select metric, time from points"))
    assert times["parent"] < times["forked"] < times["sent"]


def test_a_run_sent_to_another_machine_goes_by_that_ones_clock(
    run: Run, monkeypatch: pytest.MonkeyPatch, set_clock: Callable[[int], None]
) -> None:
    sent = pickle.dumps(run)
    set_clock(HOUR)
    monkeypatch.setattr("stepwell.store.recording.run_writer.machine", lambda: "elsewhere")
    other = pickle.loads(sent)
    assert other._writer.clock.now() - run._writer.clock.now() > HOUR - 10**9
    other.finish()
    run.finish()


@pytest.mark.parametrize("end", ["finished", "crashed", "goes on"])
def test_an_attempt_begins_after_what_was_recorded_before(
    end: str,
    store_path: Path,
    rows: Rows,
    set_clock: Callable[[int], None],
    output: Callable[..., str],
) -> None:
    code = """
        import os, sys, stepwell
        run = stepwell.start_run(id="mine", store=sys.argv[1])
        run.log({"loss": 1})
        if sys.argv[2] == "finished":
            run.finish()
        os._exit(0)
    """
    first = None
    if end == "goes on":
        first = stepwell.start_run(id="mine", store=store_path)
        first.log({"loss": 1})
    else:
        output(code, store_path, end)
    set_clock(-HOUR)
    again = stepwell.start_run(id="mine", resume="must", store=store_path)
    again.log({"loss": 1})
    again.finish()
    if first:
        first.finish()

    times = [when for (when,) in rows("select time from points order by step")]
    assert len(times) == 2
    assert times == sorted(times)
    ((took,),) = rows("select epoch(finished_at - created_at) from runs")
    assert 0 <= took < 60


@pytest.mark.parametrize("back", [0, 600 * 10**9, 30 * HOUR])
@pytest.mark.parametrize("was_folded", [False, True])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_run_that_crashed_ended_no_earlier_than_its_points(
    store_path: Path, make_writer: Callable[..., Any], back: int, was_folded: bool,
    rank: int,
) -> None:  # fmt: skip
    """Its last sign of life is by a clock that was set back meanwhile."""
    began = time.time_ns() - 2 * HOUR
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        born = process_started(process.pid)
        known = {"pid": process.pid, "process_started": born}
        writers = [make_writer({"time": began}, **known)]
        if rank:
            run_id = writers[0].header.run_id
            known |= {"rank": rank, "primary": False, "run_id": run_id}
            writers.append(make_writer({"time": began}, **known))
        for one in writers:
            one.clock = SimpleNamespace(now=lambda: began + HOUR)
            one.write_points(0, {"loss": 1.0})
        if was_folded:
            Store(store_path).runs()
        process.kill()
    seen = began + HOUR + 10**9 - back
    for one in writers:
        one.abandon()
        os.utime(one.journal.path, ns=(seen, seen))

    (run,) = Store(store_path).runs()

    assert run.status == "crashed"
    assert run.finished_at is not None
    assert run.duration_seconds == pytest.approx(3600 if back else 3601, abs=0.001)
    last = Store(store_path).series(run, "loss").times[-1]
    assert run.finished_at.replace(tzinfo=None) >= last.astype(object)
