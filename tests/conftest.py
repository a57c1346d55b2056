"""What the tests share: real files, real processes, and a real screen."""

import gc
import math
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from stepwell.store import QueryError, Run, Store, open_store, start_run
from stepwell.store.base.ids import new_run_id, new_writer_id
from stepwell.store.files.location import Location, prepare_folder, resolve
from stepwell.store.journal.format import Header
from stepwell.store.journal.writer_alive import host_name, machine, process_started
from stepwell.store.recording import background as background_module
from stepwell.store.recording.ended_journals import EndedJournals
from stepwell.store.recording.run_writer import RunWriter
from stepwell.store.user_sql import start_process

# Their programs wait as much as they work: meanwhile the other tests have the cores.
BEGIN_WITH = (
    "test_torture.py",
    "test_pages.py",
    "test_window_inline.py",
    "test_window_process.py",
    "test_spec_in_a_window.py",
    "test_terminal_interplay.py",
    "test_ingest.py",
    "test_compact.py",
    "test_run_end.py",
)


def pytest_configure() -> None:
    """Spare what the tests would do thousands of times."""
    # Their programs would compile all that they import.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Threads that wait for one another's small products cost more than they give.
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    # DuckDB 1.5 looks for pandas at each parameter, 0.3 ms a time where there is none.
    if find_spec("pandas") is None:
        sys.modules["pandas"] = None  # type: ignore[assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process is at it alone in the end."""
    places = {name: place for place, name in enumerate(BEGIN_WITH)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def folds_here() -> Iterator[None]:
    """Runs of a test's own process are folded by its readers, and by `finish(wait=True)`.

    A process that has had a run for a second, or whose run has ended, starts a helper for
    each further store, which costs more than most tests. Tests of the helper have programs
    of their own.
    """
    background_module.PERIOD = background_module.SETTLE = 3600.0
    yield
    background_module.keeper._ended = (
        EndedJournals()
    )  # what no test asked for needs no fold


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without a run; made once, since that takes a tenth of a second."""
    path = tmp_path_factory.mktemp("empty") / "runs.duckdb"
    open_store(path)
    return path


@pytest.fixture
def store_path(tmp_path: Path, empty_store: Path) -> Path:
    """Where a test's store is, without a run."""
    return Path(shutil.copy(empty_store, tmp_path / "runs.duckdb"))


@pytest.fixture(scope="session")
def make_runs() -> Iterator[Callable[[Path, Iterable[dict[str, Any]]], Store]]:
    """Makes a store of many runs at once, each with points of known times.

    A run is a dict of its `name`, and of what else there is: `project`, `config`, `points`
    (steps and their metrics), `status` and `age` (seconds since its start). Its calls are
    half a second a step apart. Runs that go on do so until the tests end.
    """
    going: list[RunWriter] = []
    started = process_started(os.getpid()) or 0

    def record(location: Location, run: dict[str, Any], run_id: str, began: int) -> None:
        status, name = run.get("status", "finished"), run["name"]
        whose = (run.get("project"), host_name(), machine(), os.getpid())
        # The process of a crashed run had the id of this one, but is no more.
        since = 1 if status == "crashed" else started
        header = Header(run_id, new_writer_id(), name, *whose, since, 0, 1, primary=True)
        start = {"name": name, "project": run.get("project"), "tags": [], "time": began}
        writer = RunWriter(location, header, start | {"config": run.get("config", {})})
        for step, metrics in run.get("points", ()):
            shape = writer.shape(tuple(metrics))
            moment = began + step * 500_000_000
            writer.journal.write(shape.record(step, moment, metrics.values()))
        if status == "running":
            going.append(writer)
        elif status == "crashed":
            writer.abandon()
        else:
            writer.finish(status, None)

    def make(path: Path, runs: Iterable[dict[str, Any]]) -> Store:
        location, now = resolve(path), time.time_ns()
        prepare_folder(location)
        runs = list(runs)
        # Ids of one millisecond have no order; keys of configurations come in that of runs.
        ids = sorted(new_run_id() for _ in runs)
        for number, (run, run_id) in enumerate(zip(runs, ids, strict=True)):
            age = int(run.get("age", 0) * 1e9)
            record(location, run, run_id, now - age + number * 1000)
        return open_store(path)

    yield make
    for writer in going:
        writer.abandon()


@pytest.fixture(scope="session")
def make_sweep(make_runs: Callable[..., Store]) -> Callable[..., Store]:
    """Makes a store with a finished run for each configuration and value of a metric."""

    def make(
        path: Path,
        configs: Iterable[dict[str, Any]],
        values: Iterable[float],
        metric: str = "loss",
    ) -> Store:
        rows = zip(configs, values, strict=True)
        return make_runs(
            path,
            (
                {"name": f"r{number}", "config": config, "points": [(0, {metric: value})]}
                for number, (config, value) in enumerate(rows)
            ),
        )

    return make


@pytest.fixture(scope="session")
def sweep_store(
    tmp_path_factory: pytest.TempPathFactory, make_runs: Callable[..., Store]
) -> Store:
    """Sweeps of 300 runs, of a few, of one, of runs of every kind, and of NaN alone.

    They are the projects `many`, `few`, `one`, `mixed` and `nan`; there is no `none`.
    """
    nan, inf = math.nan, math.inf

    def noisy(number: int, count: int) -> list[float]:
        noise = np.random.default_rng(number).normal(0, 0.02, 6)
        values = (0.2 + (number % 4) / 10 + np.exp(-np.arange(6)) + noise).tolist()
        values = [*values[:-1], nan] if number % 7 == 3 else values
        return values if number < count - 3 else values[:3]

    def sweep(project: str, count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            rate = float(10 ** np.random.default_rng(number).uniform(-4, -1))
            yield {
                "name": f"{project}-{number}",
                "project": project,
                "config": {"lr": rate, "depth": number % 4, "seed": number % 5},
                "points": [
                    (step, {"loss": loss, "tokens": step * (10.0 + number % 3)})
                    for step, loss in enumerate(noisy(number, count))
                ],
                # The last three of many: one crashed, and two go on.
                "status": {3: "crashed", 2: "running", 1: "running"}.get(
                    count - number if count > 3 else 0, "finished"
                ),
            }

    def one(number: int, name: str, values: list[float], **facts: Any) -> dict[str, Any]:
        points = [(step, {"loss": value}) for step, value in enumerate(values)]
        age = 36_000 - 3600 * number
        return {"name": name, "project": "mixed", "points": points, "age": age} | facts

    mixed = [
        one(0, "plain", [3, 2, 1, 1.5], config={"lr": 0.1, "opt": "adam"}),
        one(1, "tie", [1, 1.25], config={"lr": 0.1, "opt": "sgd"}),
        one(2, "late tie", [1.75, 1], config={"lr": 0.01, "opt": "adam"}),
        one(3, "only acc", [], config={"lr": 0.001, "opt": "adam"})
        | {"points": [(0, {"acc": 0.5})]},
        one(4, "nan", [nan] * 3, config={"lr": 1.0, "opt": "sgd"}, status="failed"),
        one(5, "spiky", [2, nan, inf, 0.75, -inf], config={"lr": 0.001, "opt": "sgd"}),
        one(6, "no rate", [2.5, 1.625], config={"opt": "sgd"}),
        one(7, "no point", [], config={"lr": 0.1, "opt": None}),
        one(8, "dead", [1.875, 1.125], config={"lr": 0.01}, status="crashed"),
        one(9, "going", [1.5, 1.375], config={"lr": 0.01, "opt": "sgd"}, status="running"),
    ]
    lone = one(0, "lone", [nan, nan], project="nan", config={"lr": 1.0})
    runs = [*sweep("many", 300), *sweep("few", 6), *sweep("one", 1), *mixed, lone]
    return make_runs(tmp_path_factory.mktemp("sweeps") / "runs.duckdb", runs)


@pytest.fixture(scope="session")
def mixed_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with a run of every kind that questions about many runs may meet."""
    path = tmp_path_factory.mktemp("mixed") / "runs.duckdb"
    nan, inf = math.nan, math.inf

    def record(name: str, losses: list[float], **arguments: Any) -> Run:
        run = start_run("p", name, store=path, **arguments)
        for number, loss in enumerate(losses):
            run.log({"loss": loss, "acc": 1 - loss, "odd": number})
        return run

    record("plain", [3, 2, 1, 1.5], config={"lr": 0.1, "opt": "adam"}).finish()
    record("tie", [0.5, 0.9], config={"lr": 0.1, "opt": "adam"}).finish()
    record("tie", [0.9, 0.5, 0.8], config={"lr": 1, "opt": "sgd"}).finish()
    record("nan", [nan] * 3, config={"lr": 10.0, "opt": "sgd"}).finish("failed")
    record("spiky", [1, nan, inf, 0.7, -inf], config={"lr": "1e-3"}).finish()
    other = record("no loss", [], config={"lr": 0.1, "opt": None, "fast": True})
    other.log({"reward": 5})
    other.finish()
    record("no point", [], group="g").finish()
    late = record("late", [], config={"lr": math.nan, "opt": "adam"})
    for step in (7, 3, 3, 9, 1):
        late.log({"loss": step / 10}, step=step)
    late.finish()
    record("redone", [0.9] * 8 + [0.01, 0.9], id="redone").finish()
    again = start_run(id="redone", resume="must", store=path)
    for step in range(5, 8):
        again.log({"loss": 0.8 - step / 100}, step=step)
    again.finish()
    code = (
        "import os, sys; from stepwell.store import start_run\n"
        "run = start_run('p', 'crashed', {'lr': 0.1, 'seed': 3}, store=sys.argv[1])\n"
        "for step in range(4): run.log({'loss': 0.6 - step / 10})\n"
        "os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    for rank in (0, 1):
        ranked = start_run(id="ranks", name="ranks", resume="allow", rank=rank, store=path)
        ranked.log({"loss": 0.75 - rank / 10, "acc": rank}, step=rank)
        ranked.finish()
    # In another process: a visualizer of a later test would join an open run of this one.
    code = (
        "import sys; from stepwell.store import start_run\n"
        "run = start_run('p', 'running', store=sys.argv[1])\n"
        "for number, loss in enumerate([0.65, 0.66]):\n"
        "    run.log({'loss': loss, 'acc': 1 - loss, 'odd': number})\n"
        "print('logged', flush=True); sys.stdin.read(); run.finish()"
    )
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "logged\n"
        yield Store(path)
        running.communicate(timeout=60)  # which closes its standard input


@pytest.fixture
def new_path(tmp_path: Path) -> Path:
    """Where a store can be made."""
    return tmp_path / "new.duckdb"


@pytest.fixture
def make_writer(store_path: Path) -> Iterator[Callable[..., RunWriter]]:
    """Makes writers of this process that nothing folds in the background."""
    made = []

    def make(started: dict[str, Any] | None = None, **fields: Any) -> RunWriter:
        location = resolve(store_path)
        prepare_folder(location)
        known: dict[str, Any] = {
            "run_id": new_run_id(),
            "writer": new_writer_id(),
            "name": "lone",
            "project": None,
            "host": host_name(),
            "machine": machine(),
            "pid": os.getpid(),
            "process_started": process_started(os.getpid()) or 0,
            "rank": 0,
            "attempt": 1,
            "primary": True,
        }
        start = {"name": "lone", "config": {}, "time": time.time_ns()} | (started or {})
        writer = RunWriter(location, Header(**known | fields), start)
        made.append(writer)
        return writer

    yield make
    for writer in made:
        writer.abandon()


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python programs; those that still run are killed in the end."""
    started = []

    def start(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
        defaults = {"cwd": tmp_path, "text": True, "start_new_session": True}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        settings: dict[str, Any] = {**defaults, **pipes, **options}
        process = subprocess.Popen(command, **settings)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # with its children
        process.communicate(timeout=60)


@pytest.fixture
def output(python: Callable[..., subprocess.Popen[str]]) -> Callable[..., str]:
    """Runs a Python program to its end and gives what it printed; it must not fail."""

    def run(code: str, *arguments: object, **options: Any) -> str:
        process = python(code, *arguments, **options)
        printed, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
        return printed

    return run


@pytest.fixture
def rows(store_path: Path) -> Callable[..., list[tuple[Any, ...]]]:
    """Asks the test's store in SQL."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        return Store(store_path).sql(query).fetchall()

    return ask


def wait_until(
    condition: Callable[[], bool], seconds: float = 60.0, pause: float = 0.01
) -> None:
    """Look again and again, for as long as it takes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(pause)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Waits until a condition holds."""
    return wait_until


@pytest.fixture
def stop_query() -> Callable[[threading.Thread], None]:
    """Ends the query of a thread: its process is killed, and no other one comes up."""

    def refuse() -> NoReturn:
        raise QueryError("no more")

    def stop(thread: threading.Thread) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(start_process, "_started", refuse)
            while thread.is_alive():
                for worker in tuple(start_process._all):
                    with suppress(ProcessLookupError):
                        os.killpg(worker._pid, signal.SIGKILL)
                thread.join(0.05)

    return stop


_WATCH = """
import ctypes

SUBSTRUCTURE_NOTIFY_MASK, REPARENT_NOTIFY = 1 << 19, 21  # X11/X.h
WINDOW, PARENT = 5, 6  # of an XReparentEvent, in longs; X11/Xlib.h
x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = ctypes.c_void_p
x11.XDefaultRootWindow.restype = ctypes.c_ulong
handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
ignore = handler(lambda *_: 0)  # a window that is gone already has no name
x11.XSetErrorHandler(ignore)
display = ctypes.c_void_p(x11.XOpenDisplay(None))
root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
x11.XSelectInput(display, root, SUBSTRUCTURE_NOTIFY_MASK)
x11.XSync(display, 0)
print("watching", flush=True)
title = ctypes.c_ulong(x11.XInternAtom(display, b"_NET_WM_NAME", 0))
event, answer = (ctypes.c_long * 24)(), (ctypes.c_ulong * 4)()
while True:
    x11.XNextEvent(display, event)
    # The manager frames a window, and so shows it.
    if event[0] & 0xFF == REPARENT_NOTIFY and event[PARENT] != root.value:
        window, name = ctypes.c_ulong(event[WINDOW]), ctypes.c_char_p()
        parts = [ctypes.byref(answer, 8 * place) for place in range(4)]
        parts.append(ctypes.byref(name))
        bounds = ctypes.c_long(0), ctypes.c_long(256)  # from and to, in 4 bytes
        x11.XGetWindowProperty(
            display, window, title, *bounds, 0, ctypes.c_ulong(0), *parts
        )
        print((name.value or b"").decode(errors="replace"), flush=True)
"""


@dataclass(slots=True)
class Screen:
    """An X server with a window manager."""

    name: str
    server: subprocess.Popen[bytes]
    manager: subprocess.Popen[bytes]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """One call of xdotool."""
        return subprocess.run(
            ["xdotool", *command],
            env=os.environ | {"DISPLAY": self.name},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def ask(self, *command: str) -> str:
        """The output of xdotool; empty when it found nothing."""
        return self.run(*command).stdout.strip()

    def windows(self, title: str = "Stepwell") -> list[str]:
        """The windows on the screen with *title* in their title.

        xdotool looks at one window after the other, and breaks off without an answer when
        any goes meanwhile: then it looks again.
        """
        deadline = time.monotonic() + 60
        while True:
            looked = self.run("search", "--onlyvisible", "--name", title)
            if "X Error" not in looked.stderr:
                return looked.stdout.split()
            assert time.monotonic() < deadline, looked.stderr

    @contextmanager
    def opened(self) -> Iterator[Callable[[], list[str]]]:
        """Gives the titles of all windows opened in the block, however briefly."""
        watcher = subprocess.Popen(
            [sys.executable, "-c", _WATCH],
            env=os.environ | {"DISPLAY": self.name},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "watching\n"

        def titles() -> list[str]:
            watcher.kill()
            return watcher.communicate()[0].splitlines()

        with watcher:
            yield titles
            watcher.kill()

    def close(self, window: str) -> None:
        """Close a window, as its user does."""

        def is_closed() -> bool:
            if self.ask("getactivewindow") == window:
                self.ask("key", "alt+F4")
                time.sleep(0.5)
            else:
                self.ask("windowactivate", window)
            return window not in self.windows()

        self.wait(is_closed)

    def focus(self, window: str) -> None:
        """Give a window the keyboard, as a click into it does."""

        def is_active() -> bool:
            self.ask("windowactivate", window)
            return self.ask("getactivewindow") == window

        self.wait(is_active)

    def await_window(self, title: str = "Stepwell") -> str:
        """The window with *title*, once it is there."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = self.windows(title)
            return bool(found)

        self.wait(is_there)
        return found[0]

    @staticmethod
    def wait(condition: Callable[[], bool], seconds: float = 120.0) -> None:
        """Wait until *condition* holds."""
        wait_until(condition, seconds, pause=0.2)

    def is_usable(self) -> bool:
        """Whether its programs are at work, and the last test's windows have gone."""
        if self.server.poll() is not None:
            return False  # a test has killed it
        try:
            self.wait(lambda: bool(self.ask("get_num_desktops")), 30)
            self.wait(lambda: not self.windows("."), 10)
        except (AssertionError, subprocess.TimeoutExpired):
            return False
        return True

    def end(self) -> None:
        """Switch it off."""
        for process in (self.manager, self.server):
            process.terminate()
            process.wait(60)


def start_screen() -> Screen:
    """A screen of its own."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1100x24"]
    server = subprocess.Popen(
        [*command, "-noreset", "-nolisten", "tcp"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as said:
        name = f":{said.readline().strip()}"
    manager = subprocess.Popen(
        ["openbox"],
        env=os.environ | {"DISPLAY": name},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Screen(name, server, manager)


@pytest.fixture(scope="session")
def screens() -> Iterator[Callable[[], Screen]]:
    """Gives a screen with nothing on it: one for all tests, while it lives."""
    made: list[Screen] = []

    def give() -> Screen:
        for _ in range(3):
            if made and made[0].is_usable():
                return made[0]
            for found in made:
                found.end()
            made[:] = [start_screen()]
        return made[0]

    yield give
    for found in made:
        found.end()


@pytest.fixture(scope="session")
def open_display(
    request: pytest.FixtureRequest,
) -> Callable[[Path], AbstractContextManager[Screen]]:
    """Gives a screen to programs meanwhile, which keep to the store at a path.

    Skips the test where something is missing: the packages of the group `windows`, Tk, or
    the programs `Xvfb`, `xdotool` and `openbox`.
    """

    @contextmanager
    def give(store: Path) -> Iterator[Screen]:
        pytest.importorskip("PySide6", reason="windows are tested with PySide6-Essentials")
        pytest.importorskip("tkinter", reason="windows are tested with Tk, too")
        for program in ("Xvfb", "xdotool", "openbox"):
            if shutil.which(program) is None:
                pytest.skip(f"windows are tested with {program}")
        with pytest.MonkeyPatch.context() as patch:
            for name in ("MPLBACKEND", "WAYLAND_DISPLAY"):
                patch.delenv(name, raising=False)
            patch.setenv("STEPWELL_STORE", str(store))
            found: Screen = request.getfixturevalue("screens")()
            patch.setenv("DISPLAY", found.name)
            yield found

    return give


@pytest.fixture
def display(
    open_display: Callable[[Path], AbstractContextManager[Screen]], store_path: Path
) -> Iterator[Screen]:
    """A screen for the test and its programs, which keep to a store of their own."""
    with open_display(store_path) as found:
        yield found
