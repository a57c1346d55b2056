"""The window of its own process: seen on a real screen, without cost or danger."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Screen

Python = Callable[..., "subprocess.Popen[str]"]

LOOP = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test may run without
from m.training_viz import (
    MetricConfig,
    RealTimeTrainingVisualizer,
    TrainingVisualizerConfig,
)
config = TrainingVisualizerConfig(
    1, 2, (8, 4), update_interval=1, keep_window="keep" in sys.argv,
    metrics=[MetricConfig("loss", 0), MetricConfig("rate", 1)],
)
visualizer = RealTimeTrainingVisualizer(config)
step = 0
print("ready", flush=True)
stop = False
while not stop:
    visualizer.update_metrics({"loss": 1 / (step + 1), "rate": 0.1})
    step += 1
    time.sleep(0.005)
    if os.path.exists("stop"):
        stop = True
if "save" in sys.argv:
    visualizer.save_plot("end.png")
visualizer.close()
print("closed", step, flush=True)
"""

HOLDS_THE_FILE = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def finish(process: "subprocess.Popen[str]", folder: Path) -> tuple[str, str]:
    (folder / "stop").touch()
    printed, errors = process.communicate(timeout=150)
    assert process.returncode == 0, errors
    return printed, errors


def test_a_kept_window_stays_with_the_final_picture(
    display: "Screen", python: Python, tmp_path: Path
) -> None:
    process = python(LOOP, "keep")
    window = display.await_window()
    _, errors = finish(process, tmp_path)
    assert "ResourceWarning" not in errors
    assert display.windows() == [window]
    display.close(window)


def test_a_window_opens_by_itself_takes_no_focus_and_ends_with_close(
    display: "Screen", python: Python, tmp_path: Path
) -> None:
    other = python("import tkinter; w = tkinter.Tk(); w.title('editor'); w.mainloop()")
    editor = display.await_window("editor")
    display.focus(editor)
    process = python(LOOP)
    display.await_window()
    assert display.ask("getactivewindow") == editor
    finish(process, tmp_path)
    display.wait(lambda: not display.windows())
    other.kill()


def test_a_window_waits_for_a_store_that_is_in_use(
    display: "Screen", python: Python, store_path: Path, tmp_path: Path
) -> None:
    other = python(HOLDS_THE_FILE, store_path)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    process = python(LOOP)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(5.0)  # longer than a question of the window waits
    assert not display.windows()
    other.kill()
    display.await_window()
    _, errors = finish(process, tmp_path)
    assert "in use" not in errors


def test_a_window_closed_by_the_user_is_said_once_and_training_goes_on(
    display: "Screen", python: Python, tmp_path: Path
) -> None:
    process = python(LOOP, "save")
    display.close(display.await_window())
    _, errors = finish(process, tmp_path)
    assert errors.count("window closed; the run goes on") == 1
    assert (tmp_path / "end.png").stat().st_size > 0
    assert "stepwell watch --window" in errors


def test_the_death_of_the_screen_does_not_end_the_training(
    display: "Screen", python: Python, tmp_path: Path
) -> None:
    process = python(LOOP, "save")
    display.await_window()
    display.server.kill()
    display.server.wait()
    _, errors = finish(process, tmp_path)
    assert "Traceback" not in errors
    assert (tmp_path / "end.png").stat().st_size > 0


def test_the_death_of_the_window_is_said_once(
    display: "Screen", python: Python, tmp_path: Path
) -> None:
    process = python(LOOP, "save")
    window = display.await_window()
    os.kill(int(display.ask("getwindowpid", window)), signal.SIGKILL)
    display.wait(lambda: not display.windows())
    _, errors = finish(process, tmp_path)
    assert errors.count("the live window died") == 1
    assert (tmp_path / "end.png").stat().st_size > 0


def test_the_death_of_the_training_ends_the_window(
    display: "Screen", python: Python
) -> None:
    process = python(LOOP)
    display.await_window()
    process.kill()
    display.wait(lambda: not display.windows())


def test_an_interrupt_reaches_the_loop_and_not_the_window(
    display: "Screen", python: Python
) -> None:
    process = python(LOOP, start_new_session=True)
    window = display.await_window()
    viewer = int(display.ask("getwindowpid", window))
    os.kill(viewer, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=150)
    assert "KeyboardInterrupt" in errors
    display.wait(lambda: not display.windows())


def test_without_a_screen_one_line_names_the_terminal(
    python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    _, errors = finish(python(LOOP, "save"), tmp_path)
    (line,) = errors.splitlines()
    assert "no display" in line
    assert "stepwell watch" in line
    assert (tmp_path / "end.png").stat().st_size > 0


def test_a_broken_toolkit_costs_one_line(
    display: "Screen", python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qt aborts a process whose plugin is wrong, and here Tk is missing, too."""
    del display
    monkeypatch.setenv("QT_QPA_PLATFORM", "wrong")
    (tmp_path / "tkinter.py").write_text("raise ImportError('no Tk')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = python(LOOP + "\ntime.sleep(6)")
    _, errors = finish(process, tmp_path)
    (line,) = errors.splitlines()
    assert "no window toolkit works here" in line


def test_a_broken_qt_leaves_tk(
    display: "Screen", python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "wrong")
    process = python(LOOP)
    display.await_window()
    _, errors = finish(process, tmp_path)
    assert errors == ""


def test_the_backend_of_a_notebook_is_not_inherited(
    display: "Screen", python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    process = python(LOOP)
    display.await_window()
    _, errors = finish(process, tmp_path)
    assert errors == ""


@pytest.mark.parametrize("said", ["MPLBACKEND=Agg", "use"])
def test_who_chose_agg_wants_no_window(
    display: "Screen", python: Python, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    code = "import subprocess\nfrom m.training_viz import create_loss_visualizer\n"
    if said == "use":
        code = "import matplotlib; matplotlib.use('Agg')\n" + code
    else:
        monkeypatch.setenv("MPLBACKEND", "Agg")
    code += """
import pathlib
with create_loss_visualizer() as v:
    v.update_metrics({"train_loss": 1.0})
    lists = pathlib.Path("/proc/self/task").glob("*/children")
    pids = [pid for text in lists for pid in text.read_text().split()]
    lines = [pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in pids]
    print([line for line in lines if ".viz._" + "watch" in line])
"""
    printed, errors = python(code).communicate(timeout=150)
    assert printed.startswith("[]\n")
    assert errors == ""
    assert not display.windows()


SWEEP = """
import gc, json, os, sys, time, warnings
warnings.simplefilter("error")
from stepwell import open_store
from m.training_viz import create_loss_visualizer
for lr in (0.1, 0.2, 0.3):
    visualizer = create_loss_visualizer()
    for step in range(5):
        visualizer.update_metrics({"train_loss": lr / (step + 1)})
del visualizer
from stepwell.viz.window import process as process_module
deadline = time.monotonic() + 100
while process_module._started and time.monotonic() < deadline:
    process_module._reap()
    time.sleep(0.1)
print(json.dumps([
    [run.status for run in open_store().runs()], len(process_module._started)
]))
"""


def test_a_sweep_without_close_leaves_no_window_and_no_open_run(
    display: "Screen", python: Python
) -> None:
    process = python(SWEEP)
    printed, errors = process.communicate(timeout=150)
    assert process.returncode == 0, errors
    assert json.loads(printed) == [["finished"] * 3, 0]
    assert errors == ""
    display.wait(lambda: not display.windows())


def test_two_visualizers_have_two_windows(display: "Screen", python: Python) -> None:
    process = python("""
        from m.training_viz import create_loss_visualizer
        first, second = create_loss_visualizer(), create_loss_visualizer()
        for one in (first, second):
            one.update_metrics({"train_loss": 1.0})
        input()
        first.close()
        input()
    """)
    display.wait(lambda: len(display.windows()) == 2)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    display.wait(lambda: len(display.windows()) == 1)
    process.communicate("\n", timeout=150)
    display.wait(lambda: not display.windows())


@pytest.mark.parametrize("end", ["--exit", "--stay"])
def test_the_command_shows_a_run_of_another_process(
    display: "Screen",
    python: Python,
    tmp_path: Path,
    end: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")  # the training itself wants no window
    training = python(LOOP)
    assert training.stdout is not None
    assert training.stdout.readline() == "ready\n"
    stepwell = str(Path(sys.executable).parent / "stepwell")
    command = [stepwell, "watch", "last", "--window", end]
    viewer = subprocess.Popen(command, cwd=tmp_path)
    try:
        display.await_window()
        finish(training, tmp_path)
        if end == "--exit":
            assert viewer.wait(150) == 0
        else:
            assert display.windows()
            display.close(display.windows()[0])
            assert viewer.wait(150) == 0
    finally:
        viewer.kill()
        viewer.wait()
