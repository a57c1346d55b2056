"""The window in the loop's own process, of Qt and of Tk, on a real screen."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Screen

Python = Callable[..., "subprocess.Popen[str]"]
BACKENDS = ["qtagg", "tkagg"]

HEAD = """
import gc, json, os, signal, sys, time, warnings
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test may run without
warnings.simplefilter("error", ResourceWarning)
import matplotlib
matplotlib.use(sys.argv[1])
from m.training_viz import MetricConfig, RealTimeTrainingVisualizer
from m.training_viz import TrainingVisualizerConfig
def make(**changes):
    config = TrainingVisualizerConfig(
        1, 2, (8, 4), update_interval=1, window="inline", drawing_share=0.5,
        metrics=[MetricConfig("loss", 0), MetricConfig("rate", 1)],
    )
    for name, value in changes.items():
        setattr(config, name, value)
    return RealTimeTrainingVisualizer(config)
def run(visualizer, seconds=1.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        step = visualizer._updates
        visualizer.update_metrics({"loss": 1 / (step + 1), "rate": 0.1})
        time.sleep(0.002)
def opened(visualizer):
    # The window opens at the first update that finds the store in nobody's use.
    end = time.monotonic() + 60
    run(visualizer, 2.0)
    while visualizer._view._shown is None and time.monotonic() < end:
        run(visualizer, 0.5)
    return visualizer._view._shown
def panels(visualizer):
    # In their order on the page: a panel that was drawn anew is the last of the figure's.
    found = visualizer._view._shown.live.figure.axes
    return sorted(found, key=lambda axes: axes.get_label())
def key(canvas, name):
    from matplotlib.backend_bases import KeyEvent
    canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", canvas, name))
"""

QUESTIONS = """
def zoom():
    visualizer = make()
    shown = opened(visualizer)
    zoomed, other = panels(visualizer)
    zoomed.set_xlim(10, 20)
    end = time.monotonic() + 60
    while panels(visualizer)[1].get_xlim()[1] <= 50 and time.monotonic() < end:
        run(visualizer, 1.0)
    shown.live.redraw()
    zoomed, other = panels(visualizer)
    held = [zoomed.get_xlim(), list(zoomed.get_xticks()), other.get_xlim()]
    key(shown.window.canvas, "f")
    zoomed, other = panels(visualizer)
    return [held, zoomed.get_xlim(), shown.live.is_following]
def resize():
    visualizer = make()
    shown = opened(visualizer)
    before = shown.live.full_draws
    if sys.argv[1] == "qtagg":
        shown.window._manager.resize(600, 500)
    else:
        shown.window._manager.window.geometry("600x500")
    deadline = time.monotonic() + 60
    while abs(shown.live.figure.bbox.width - 600) > 40 and time.monotonic() < deadline:
        shown.window.pump(0.05)
    for _ in range(10):
        shown.window.pump(0.02)
    return [before, shown.live.full_draws, shown.live.figure.bbox.width]
def keep_settings():
    matplotlib.rcParams["lines.linewidth"] = 7.0
    before = dict(dict.items(matplotlib.rcParams))
    with make() as visualizer:
        run(visualizer)
    same = dict(dict.items(matplotlib.rcParams)) == before
    return ["matplotlib.pyplot" in sys.modules, same, matplotlib.is_interactive()]
def sweep():
    for number in range(4):
        visualizer = make()
        run(visualizer, 0.1)
    del visualizer
    gc.collect()
    from matplotlib.figure import FigureBase
    figures = sum(isinstance(known, FigureBase) for known in gc.get_objects())
    if sys.argv[1] == "qtagg":
        from matplotlib.backends.qt_compat import QtWidgets
        windows = len(QtWidgets.QApplication.topLevelWidgets())
    else:
        import tkinter
        windows = sum(isinstance(known, tkinter.Tk) for known in gc.get_objects())
    return [figures, windows]
answers = {}
for ask in (zoom, resize, keep_settings, sweep):
    answers[ask.__name__] = ask()
    gc.collect()
print("answers", json.dumps(answers))
"""


@pytest.fixture(scope="module", params=BACKENDS)
def answers(
    request: pytest.FixtureRequest,
    open_display: Callable[..., "AbstractContextManager[Screen]"],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What one program found out with windows of its own, one after another."""
    folder = tmp_path_factory.mktemp("answers")
    command = [sys.executable, "-c", HEAD + QUESTIONS, request.param]
    with open_display(folder / "runs.duckdb"):
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=250, check=False
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (line,) = (x for x in done.stdout.splitlines() if x.startswith("answers "))
    found: dict[str, Any] = json.loads(line.removeprefix("answers "))
    return found


def test_a_panel_that_was_zoomed_stays_until_it_shall_follow(
    answers: dict[str, Any],
) -> None:
    (limits, ticks, other), after, is_following = answers["zoom"]

    assert limits == [10, 20]
    assert len(ticks) > 2
    assert all(10 <= tick <= 20 for tick in ticks)
    assert other[1] > 50
    assert after == other
    assert is_following


def test_a_new_size_is_drawn_once(answers: dict[str, Any]) -> None:
    before, after, width = answers["resize"]

    assert abs(width - 600) < 40
    assert after == before + 1


def test_the_users_own_settings_and_figures_are_untouched(answers: dict[str, Any]) -> None:
    loaded, same, interactive = answers["keep_settings"]

    assert not loaded
    assert same
    assert not interactive


def test_a_sweep_leaves_no_window_and_no_figure(answers: dict[str, Any]) -> None:
    assert answers["sweep"] == [0, 0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_window_does_not_take_the_focus_and_lets_an_interrupt_reach_the_loop(
    display: "Screen", python: Python, backend: str
) -> None:
    other = python("import tkinter; w = tkinter.Tk(); w.title('editor'); w.mainloop()")
    editor = display.await_window("editor")
    display.focus(editor)
    code = """
visualizer = make()
try:
    run(visualizer, 200)
except KeyboardInterrupt:
    print([time.time()])
"""
    process = python(HEAD + code, backend)
    display.await_window()
    assert display.ask("getactivewindow") == editor
    sent = time.time()
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=150)
    (caught,) = json.loads(printed.splitlines()[0])
    assert caught - sent < 30, errors  # and not when the loop was over
    other.kill()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_window_closed_by_the_user_is_said_once_and_the_plot_is_saved(
    display: "Screen", python: Python, backend: str, tmp_path: Path
) -> None:
    code = """
while not os.path.exists("stop"):
    run(visualizer, 0.1)
visualizer.save_plot("end.png")
visualizer.close()
"""
    process = python(f"{HEAD}\nvisualizer = make()\n{code}", backend)
    display.close(display.await_window())
    (tmp_path / "stop").touch()
    _, errors = process.communicate(timeout=150)
    assert process.returncode == 0, errors
    assert errors.count("window closed; the run goes on") == 1
    assert (tmp_path / "end.png").exists()


def test_the_death_of_the_screen_does_not_end_a_training_with_qt(
    display: "Screen", python: Python, tmp_path: Path
) -> None:
    """Tk ends its process: that is why a window has a process of its own by default."""
    code = """
visualizer = make()
while not os.path.exists("stop"):
    run(visualizer, 0.1)
visualizer.close()
print('done')
"""
    process = python(HEAD + code, "qtagg")
    display.await_window()
    display.server.kill()
    display.server.wait()
    assert process.stderr is not None
    said: list[str] = []
    while not said or "the live window died" not in said[-1]:
        said.append(process.stderr.readline())
        assert said[-1], said
    (tmp_path / "stop").touch()
    printed, errors = process.communicate(timeout=150)
    assert process.returncode == 0, errors
    assert "done" in printed
    assert "the live window died" not in errors


def test_nor_does_a_death_that_xlib_finds_in_the_midst_of_an_event(
    display: "Screen", python: Python
) -> None:
    code = """
import ctypes
from matplotlib.backends.qt_compat import QtGui
visualizer = make()
run(visualizer, 0.5)
connection = ctypes.c_void_p(QtGui.QGuiApplication.instance().nativeInterface().display())
print("shown", flush=True)
sys.stdin.readline()
ctypes.CDLL("libX11.so.6").XSync(connection, 0)
end = time.monotonic() + 100
while not visualizer._view._is_over and time.monotonic() < end:
    run(visualizer, 0.1)
visualizer.close()
print("done")
"""
    process = python(HEAD + code, "qtagg")
    assert process.stdout is not None
    assert process.stdout.readline() == "shown\n"
    display.server.kill()
    display.server.wait()
    printed, errors = process.communicate("go on\n", timeout=60)
    assert process.returncode == 0, errors
    assert "done" in printed
    assert errors.count("the live window died") == 1
