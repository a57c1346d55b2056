"""The live view shares a real terminal with all that a training program prints."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

COLUMNS, ROWS = 80, 24
END = "\nshell$ "

PRELUDE = """
import contextlib, logging, os, signal, subprocess, sys, threading, time, warnings
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test may run without
from m.rich_trainer_viz import *

early = logging.StreamHandler()
logging.getLogger("early").addHandler(early)
terminal = os.dup(1)

def shown(visualizer):
    display = visualizer._display
    capture = getattr(display._screen, "_capture", None)
    with display._lock:
        if capture is not None and capture.is_open and not capture._is_free:
            with contextlib.suppress(OSError):  # a test has killed who draws
                capture._listen(10.0)  # the frame before has been drawn
        display._shown = -1e9
        display.tick()

visualizer = RichTrainerVisualizer(VisualizationConfig(show_system_metrics=False))
visualizer.start(total_steps=10, description="a view")
for step in range(3):
    visualizer.update(TrainingSnapshot(step, train_loss=1.0 / (step + 1)))
shown(visualizer)
"""


class Terminal:
    """A program in a terminal of its own, as a person sees it."""

    def __init__(self, command: list[str], store: Path, **environment: str) -> None:
        self.screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, slave = pty.openpty()
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        self.modes = termios.tcgetattr(slave)
        self.slave = slave
        known = {k: v for k, v in os.environ.items() if k not in {"CI", "NO_COLOR"}}
        known |= {"TERM": "xterm-256color", "STEPWELL_STORE": str(store)}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=store.parent,
            env=known | environment,
            start_new_session=True,
        )

    def read(self, until: Callable[[], bool], seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, "\n".join(self.lines)
            if select.select([self.master], [], [], 0.02)[0]:
                data = os.read(self.master, 65536)
                self.raw += data
                self.stream.feed(data)

    def finish(self) -> int:
        """Read to the end of the program, and what comes just behind it."""
        self.read(lambda: self.process.poll() is not None)
        self.read(lambda: not self.is_held())  # who draws may be slower
        while select.select([self.master], [], [], 0.3)[0]:
            data = os.read(self.master, 65536)
            self.raw += data
            self.stream.feed(data)
        return self.process.wait()

    def is_held(self) -> bool:
        """Whether a process has the terminal open, besides this one."""
        name = os.ttyname(self.slave)
        for folder in Path("/proc").glob("[0-9]*/fd"):
            if folder.parent.name != str(os.getpid()):
                with contextlib.suppress(OSError):  # it is gone, or another user's
                    if any(str(file.readlink()) == name for file in folder.iterdir()):
                        return True
        return False

    @property
    def lines(self) -> list[str]:
        """All lines, the scrolled ones included, without blank ones at the end."""
        old = [
            "".join(line[x].data for x in range(COLUMNS)).rstrip()
            for line in self.screen.history.top
        ]
        lines = old + [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def frame_start(self) -> int:
        """Where the view begins; there is exactly one on the screen."""
        places = [i for i, line in enumerate(self.lines) if line.startswith("╭─ a view")]
        assert len(places) == 1, "\n".join(self.lines)
        return places[0]

    def assert_left_as_it_was(self) -> None:
        assert not self.screen.cursor.hidden
        assert b"\x1b[?1049h" not in self.raw
        assert self.raw.count(b"\x1b[?25l") == self.raw.count(b"\x1b[?25h")
        assert termios.tcgetattr(self.slave) == self.modes
        assert self.screen.cursor.x == 0
        assert self.screen.cursor.attrs.fg == "default"
        assert self.screen.cursor.attrs.bold is False

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def program(store_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts a program that has a live view; it is killed in the end."""
    started = []

    def start(code: str, **environment: str) -> Terminal:
        source = PRELUDE + textwrap.dedent(code)
        terminal = Terminal([sys.executable, "-c", source], store_path, **environment)
        started.append(terminal)
        return terminal

    yield start
    for terminal in started:
        terminal.close()


PRINTING = [
    'print("{}")',
    'print("{}"[:5], end=""); shown(visualizer); print("{}"[5:])',
    'print("{}", file=sys.stderr)',
    'early.stream.write("{}\\n")',
    'logging.getLogger("early").warning("{}")',
    'os.write(1, b"{}\\n")',
    'os.write(2, b"{}"[:5]); time.sleep(0.1); os.write(2, b"{}"[5:] + b"\\n")',
    'subprocess.run(["echo", "{}"])',
    'subprocess.run("echo {} >&2", shell=True)',
    'import rich.console; rich.console.Console().print("[red]{}[/red]")',
    'print("\\x1b[31m{}\\x1b[0m")',
    'thread = threading.Thread(target=print, args=["{}"]); thread.start(); thread.join()',
    'import ctypes; ctypes.CDLL(None).puts(b"{}"); ctypes.CDLL(None).fflush(None)',
    'print("old", end=""); print("\\r{}")',
]
"""Ways to print a line; braces stand for its text."""


def test_what_is_printed_stands_above_the_view_whole(
    program: Callable[..., Terminal],
) -> None:
    lines = [f"hello from {number}" for number in range(len(PRINTING))]
    codes = [way.replace("{}", line) for way, line in zip(PRINTING, lines, strict=True)]
    code = "\nshown(visualizer)\n".join([*codes, ""])
    terminal = program(f"{code}visualizer.close()\nprint('after')")

    assert terminal.finish() == 0
    assert terminal.lines[: terminal.frame_start] == lines
    assert terminal.lines[-1] == "after"
    assert "● finished" in terminal.lines[terminal.frame_start]
    terminal.assert_left_as_it_was()


def test_many_lines_and_long_ones_are_all_there(program: Callable[..., Terminal]) -> None:
    terminal = program("""
        for number in range(300):
            print(f"line {number}", "x" * (number % 200))
        visualizer.close()
    """)

    assert terminal.finish() == 0
    above = "\n".join(terminal.lines[: terminal.frame_start]).replace("\nx", "x")
    for number in range(300):
        assert f"line {number} {'x' * (number % 200)}".rstrip() in above.split("\n")


def test_a_progress_bar_is_one_line_above_the_view(
    program: Callable[..., Terminal],
) -> None:
    terminal = program("""
        for number in range(50):
            sys.stderr.write(f"\\r{number + 1}/50 |" + "#" * number)
            sys.stderr.flush()
        sys.stderr.write("\\n")
        visualizer.close()
    """)

    assert terminal.finish() == 0
    assert terminal.frame_start == 1
    assert terminal.lines[0] == "50/50 |" + "#" * 49


def test_bars_below_one_another_stay_two_lines(program: Callable[..., Terminal]) -> None:
    terminal = program("""
        for epoch in range(3):
            sys.stderr.write(f"\\repoch {epoch + 1}")
            for number in range(5):
                sys.stderr.write(f"\\n\\rstep {number + 1}\\x1b[A")
                sys.stderr.flush()
        sys.stderr.write("\\n\\n")
        visualizer.close()
    """)

    assert terminal.finish() == 0
    assert terminal.lines[: terminal.frame_start] == ["epoch 3", "step 5"]


def test_a_traceback_stands_above_and_the_run_is_failed(
    program: Callable[..., Terminal],
) -> None:
    terminal = program('raise RuntimeError("out of memory")')

    assert terminal.finish() == 1
    start = terminal.frame_start
    assert terminal.lines[start - 1] == "RuntimeError: out of memory"
    assert "● failed" in terminal.lines[start]
    terminal.assert_left_as_it_was()


def test_after_ctrl_c_the_terminal_is_usable(program: Callable[..., Terminal]) -> None:
    terminal = program("time.sleep(60)")
    terminal.read(lambda: any("3 / 10" in line for line in terminal.lines))
    os.kill(terminal.process.pid, signal.SIGINT)

    assert terminal.finish() != 0
    assert "● interrupted" in terminal.lines[terminal.frame_start]
    assert terminal.lines[terminal.frame_start - 1] == "KeyboardInterrupt"
    terminal.assert_left_as_it_was()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_after_a_kill_the_terminal_is_usable(
    program: Callable[..., Terminal], number: signal.Signals
) -> None:
    terminal = program('os.write(1, b"last words\\n"); time.sleep(60)')
    terminal.read(lambda: "last words" in terminal.lines)
    os.kill(terminal.process.pid, number)

    assert terminal.finish() == -number
    assert terminal.lines[terminal.frame_start - 1] == "last words"
    if number == signal.SIGTERM:
        assert "● interrupted" in terminal.lines[terminal.frame_start]
    terminal.assert_left_as_it_was()


def test_the_last_words_of_a_crash_are_not_lost(program: Callable[..., Terminal]) -> None:
    terminal = program("""
        import faulthandler
        faulthandler.enable()
        os.kill(os.getpid(), 11)
    """)

    assert terminal.finish() == -signal.SIGSEGV
    assert any("Segmentation fault" in line for line in terminal.lines)
    terminal.assert_left_as_it_was()


def test_much_output_by_a_library_that_holds_the_interpreter_goes_through(
    program: Callable[..., Terminal],
) -> None:
    terminal = program("""
        import ctypes
        write = ctypes.PyDLL(None).write  # keeps the interpreter's lock
        write.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
        line = b"y" * 79 + b"\\n"
        for _ in range(3):
            write(1, line * 1000, 80000)
        visualizer.close()
        print("after")
    """)

    assert terminal.finish() == 0
    assert terminal.lines[-1] == "after"


def test_a_child_that_goes_on_printing_is_still_heard(
    program: Callable[..., Terminal],
) -> None:
    terminal = program("""
        child = subprocess.Popen("read line; echo heard", shell=True, stdin=subprocess.PIPE)
        visualizer.close()
        child.communicate(b"go\\n")
        assert child.returncode == 0
    """)

    assert terminal.finish() == 0
    assert terminal.lines[-1] == "heard"


def test_a_forked_child_prints_above_and_does_not_close_the_view(
    program: Callable[..., Terminal],
) -> None:
    terminal = program("""
        if os.fork() == 0:
            print("from the child")
            sys.exit(0)
        os.wait()
        visualizer.update(TrainingSnapshot(3, train_loss=0.2))
        visualizer.close()
    """)

    assert terminal.finish() == 0
    assert terminal.lines[terminal.frame_start - 1] == "from the child"
    assert "step 4 / 10" in terminal.lines[terminal.frame_start + 1]


def test_a_view_that_fails_does_not_end_the_training(
    program: Callable[..., Terminal],
) -> None:
    terminal = program("""
        from stepwell.viz.terminal.render import layout
        def fail(*_):
            raise ZeroDivisionError("planted")
        layout.metric_lines = fail
        for step in range(3, 10):
            visualizer.update(TrainingSnapshot(step, train_loss=0.1))
            shown(visualizer)
        print("trained")
        visualizer.close()
    """)

    assert terminal.finish() == 0
    assert "trained" in terminal.lines
    assert b"planted" in terminal.raw
    terminal.assert_left_as_it_was()


def test_when_the_process_at_the_terminal_dies_the_training_goes_on(
    program: Callable[..., Terminal],
) -> None:
    terminal = program("""
        relay = visualizer._display._screen._capture._process
        relay.kill()
        relay.wait()
        print("first")
        shown(visualizer)
        shown(visualizer)
        print("second")
        visualizer.close()
    """)

    assert terminal.finish() == 0
    assert terminal.lines[-2:] == ["first", "second"]


def test_a_second_view_takes_the_place_of_the_first(
    program: Callable[..., Terminal],
) -> None:
    terminal = program("""
        other = RichTrainerVisualizer(VisualizationConfig(show_system_metrics=False))
        other.start(description="a view")
        other.update(TrainingSnapshot(0, train_loss=1.0))
        other.close()
        visualizer.update(TrainingSnapshot(3, train_loss=0.2))
        visualizer.close()
        print("after")
    """)

    assert terminal.finish() == 0
    starts = [line for line in terminal.lines if line.startswith("╭─ a view")]
    assert len(starts) == 2
    assert terminal.lines[-1] == "after"


def test_no_colours_are_used_where_none_are_wanted(
    program: Callable[..., Terminal],
) -> None:
    terminal = program("visualizer.close()", NO_COLOR="1")

    assert terminal.finish() == 0
    codes = {
        code.split(b"m")[0] for code in terminal.raw.split(b"\x1b[")[1:] if b"m" in code
    }
    assert not any(
        30 <= int(part) <= 97
        for code in codes
        for part in code.split(b";")
        if part.isdigit()
    )


def test_a_locale_without_unicode_gets_ascii(program: Callable[..., Terminal]) -> None:
    terminal = program(
        "visualizer.close()", LC_ALL="en_US.ISO-8859-1", PYTHONIOENCODING="latin-1"
    )

    assert terminal.finish() == 0
    assert terminal.raw.isascii()
    assert any(line.startswith("+- a view") for line in terminal.lines)


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "true"}])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(
    program: Callable[..., Terminal], environment: dict[str, str]
) -> None:
    terminal = program("visualizer.close()", **environment)

    assert terminal.finish() == 0
    assert b"\x1b" not in terminal.raw
    assert terminal.lines[-1].startswith("finished after")


def test_a_terminal_made_smaller_is_drawn_anew(program: Callable[..., Terminal]) -> None:
    terminal = program("""
        sys.stdin.readline()
        shown(visualizer)
        time.sleep(0.2)
        shown(visualizer)
        visualizer.close()
    """)
    terminal.read(lambda: any("3 / 10" in line for line in terminal.lines))
    fcntl.ioctl(terminal.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 60, 0, 0))
    os.write(terminal.master, b"\n")

    assert terminal.finish() == 0
    last = terminal.raw.decode().rsplit("a view", 1)[1]
    assert "─" * 61 not in last
    assert last.count("\n") <= 11
