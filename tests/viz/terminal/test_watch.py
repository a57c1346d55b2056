"""`stepwell watch` shows runs of other processes, from the store alone."""

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import stepwell
from stepwell.cli import main
from stepwell.store import ReducedSeries, RunningReduction
from stepwell.viz import watch_in_terminal
from stepwell.viz.terminal.view_of_run import RunFollower, trail_of

WATCH = [sys.executable, "-c", "from stepwell.cli import start; start()", "watch"]

TRAINING = """
    import sys, time, stepwell
    run = stepwell.init(name="other", store=sys.argv[1], config={"total_steps": 100})
    for step in range(50):
        run.log({"train_loss": 1 / (step + 1), "expert_0": 0.9, "expert_1": 0.1})
    print("ready", flush=True)
    sys.stdin.readline()
    for step in range(50):
        run.log({"train_loss": 0.01, "expert_0": 0.5, "expert_1": 0.5})
"""


@pytest.fixture
def finished(store_path: Path) -> Path:
    """A store with one finished run."""
    with stepwell.init(name="done", store=store_path, config={"total_steps": 200}) as run:
        for step in range(200):
            values = {"train_loss": 100.0 - step, "accuracy": step / 200, "batch_size": 32}
            values |= {f"expert_{number}": 1.0 + number for number in range(4)}
            run.log(values)
    return store_path


def environment(path: Path) -> dict[str, str]:
    return os.environ | {"STEPWELL_STORE": str(path), "COLUMNS": "110"}


def invoke(path: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, ["--store", str(path), "watch", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_once_shows_how_a_run_stands(finished: Path) -> None:
    text = invoke(finished, "last", "--once")

    assert "● finished" in text
    assert "step 200 / 200" in text
    assert "train_loss" in text
    assert "1.60×" in text
    assert "\x1b" not in text


def test_several_runs_are_rows(finished: Path) -> None:
    with stepwell.init(name="second", store=finished) as run:
        run.log({"train_loss": 0.25})
    lines = invoke(finished, "done", "second", "--once").splitlines()

    assert [line.split()[0] for line in lines] == ["run", "done", "second"]
    assert "0.25" in lines[2]


def test_without_a_terminal_the_end_is_a_line_and_the_summary(finished: Path) -> None:
    lines = invoke(finished, "done").splitlines()

    assert lines[0].startswith("finished after")
    assert "step 200/200  100%  train_loss -99" in lines[0]
    assert "finished after" in lines[1]
    assert any(line.split()[:1] == ["accuracy"] for line in lines)


def test_an_unknown_run_is_one_line_of_error(finished: Path) -> None:
    result = CliRunner().invoke(main, ["--store", str(finished), "watch", "nothing"])
    assert result.exit_code == 2
    assert "nothing" in result.output


def test_a_window_shows_one_run(finished: Path) -> None:
    arguments = ["--store", str(finished), "watch", "a", "b", "--window"]
    assert CliRunner().invoke(main, arguments).exit_code == 2


@pytest.mark.parametrize("end", ["finished", "crashed"])
def test_it_follows_a_run_of_another_process_to_its_end(
    end: str, store_path: Path, python: Callable[..., subprocess.Popen[str]]
) -> None:
    training = python(TRAINING, store_path)
    assert training.stdout is not None
    assert training.stdin is not None
    assert training.stdout.readline() == "ready\n"
    watching = subprocess.Popen(
        [*WATCH, "other"], stdout=subprocess.PIPE, text=True, env=environment(store_path)
    )
    assert watching.stdout is not None
    first = watching.stdout.readline()
    if end == "crashed":
        training.send_signal(signal.SIGKILL)
    else:
        training.stdin.write("\n")
        training.stdin.flush()
    rest, _ = watching.communicate(timeout=60)

    assert watching.returncode == 0
    assert first.startswith("step 50/100  50%  train_loss 0.02")
    assert "balance 47%" in first
    assert f"{end} after" in rest
    assert ("step 100/100" in rest) is (end == "finished")
    assert any(line.split()[:1] == ["train_loss"] for line in rest.splitlines())


@pytest.mark.parametrize("is_there", [False, True])
def test_it_waits_for_a_store_that_is_not_there_yet(
    is_there: bool, new_path: Path, store_path: Path
) -> None:
    path = store_path if is_there else new_path
    pipe = subprocess.PIPE
    watching = subprocess.Popen(
        WATCH, stdout=pipe, stderr=pipe, text=True, env=environment(path)
    )
    assert watching.stderr is not None
    said = watching.stderr.readline()
    assert said == f"waiting for a run in {path}; Ctrl-C ends it\n"
    assert path.exists() == is_there
    with stepwell.start_run(store=path, name="awaited") as run:
        run.log({"train_loss": 0.5})
    shown, errors = watching.communicate(timeout=60)
    assert watching.returncode == 0, errors
    assert "run awaited" in shown
    assert "finished after" in shown


def test_waiting_for_a_store_ends_by_ctrl_c(new_path: Path) -> None:
    pipe = subprocess.PIPE
    watching = subprocess.Popen(
        WATCH, stdout=pipe, stderr=pipe, text=True, env=environment(new_path)
    )
    assert watching.stderr is not None
    assert watching.stderr.readline().startswith("waiting for a run in")
    watching.send_signal(signal.SIGINT)
    assert watching.communicate(timeout=60) == ("", "")
    assert watching.returncode == 0
    assert not new_path.exists()


def test_a_follower_sees_what_is_new_and_what_came_late(store_path: Path) -> None:
    with stepwell.init(name="mine", store=store_path, config={"total_steps": 10}) as run:
        follower = RunFollower(run.store(), run.id)
        follower.look(0.0)
        assert follower.view().rows == ()

        run.log({"loss": 4.0}, step=3)
        follower.look(10.0)
        run.log({"loss": 2.0, "expert_0": 3.0, "expert_1": 1.0}, step=5)
        run.log({"loss": 9.0}, step=1)
        run.log({"loss": math.nan}, step=6)
        run.log({"loss": 3.0}, step=7)
        follower.look(20.0)
        view = follower.view()

    assert view.rows is not None
    (row,) = view.rows
    assert (row.last, row.best, row.best_step) == (3.0, 2.0, 5)
    assert row.change == pytest.approx(-0.25)
    assert row.trail.first_step == 1
    assert row.trail.means[:5] == pytest.approx(
        (9.0, math.nan, 4.0, math.nan, 2.0), nan_ok=True
    )
    assert row.trail.broken == {5}
    assert view.experts is not None
    assert view.experts.shares == (1.5, 0.5)
    assert view.progress.total == 10
    assert view.status == "running"
    assert view.alarms[0].text == "loss had 1 NaN or Inf, first at step 6"


def test_watching_ends_with_the_run_and_sleeps_between_looks(
    store_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stepwell.init(name="mine", store=store_path)
    run.log({"loss": 1.0})
    now = 0.0
    pauses = []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        pauses.append(seconds)
        if len(pauses) == 3:
            run.finish("failed", "out of memory")

    watch_in_terminal(run.store(), ["mine"], clock=lambda: now, sleep=sleep)
    printed = capsys.readouterr().out

    assert len(pauses) >= 3
    assert all(pause >= 0.25 for pause in pauses)
    assert "failed after" in printed
    assert "! failed: out of memory" in printed


def test_ctrl_c_leaves_the_run_alone(store_path: Path) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with stepwell.init(name="mine", store=store_path) as run:
        run.log({"loss": 1.0})
        watch_in_terminal(run.store(), ["mine"], sleep=interrupt)
        assert run.is_open


def test_a_reduced_series_keeps_its_extremes() -> None:
    reduction = RunningReduction("loss", 128)
    values = np.ones(100_000)
    values[54321] = 9.0
    reduction.extend(np.arange(100_000), values)
    series: ReducedSeries = reduction.series()
    trail = trail_of(series, 0, 512)

    assert len(trail.means) == 196
    assert trail.highs.index(9.0) == pytest.approx(54321 // 512, abs=2)
