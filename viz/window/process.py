"""A window in a process of its own, which reads the store: no cost to the loop."""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from stepwell.store import Run
from stepwell.viz.base.messages import say_once, warn
from stepwell.viz.config.config_json import layout_of
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig

from .process_main import FAILED, NO_WINDOW, lost_line

_SECONDS_TO_END = 3.0
_CHECK_SECONDS = 1.0
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    " from stepwell.viz.window.process_main import main; sys.exit(main(*sys.argv[2:]))"
)
_started: "list[subprocess.Popen[bytes]]" = []  # and not known to have ended


class WindowProcess:
    """A window of its own process.

    Args:
        run: The run that it shows.
        config: What is drawn.
        backend: The backend that the user asked for, if any.
        clock: Gives seconds.
    """

    def __init__(
        self,
        run: Run,
        config: TrainingVisualizerConfig,
        backend: str | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stays = config.keep_window
        self._owner = os.getpid()
        self._lost_line = lost_line(run.name, run.location)
        self._clock = clock
        self._next_check = clock() + _CHECK_SECONDS
        _reap()
        self._process = _start(run, layout_of(config) | {"backend": backend})

    def update(self, updates: int) -> None:
        """Nothing to draw, the window looks for itself; is it still there?"""
        del updates
        if self._clock() >= self._next_check:
            self._next_check = self._clock() + _CHECK_SECONDS
            self._check()

    def force(self) -> None:
        """Have the window drawn at once."""
        self._say("draw")
        self._check()

    def close(self) -> None:
        """Have the window draw the last state and end, unless it is to stay."""
        self._say("close")
        self._check()
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        if self._stays:
            _forget(process)  # it ends when its user closes it

    def _check(self) -> None:
        process = self._process
        # A fork, such as a data loader's worker, has a copy of this object and of the pipe,
        # and must neither poll for a process that is not its child nor report it as lost.
        if process is None or self._owner != os.getpid():
            return
        code = process.poll()
        if code is None:
            return
        self._process = None
        if process.stdin is not None:
            process.stdin.close()
        if code not in {0, FAILED, NO_WINDOW}:  # else it has said itself what happened
            say_once("lost window", self._lost_line)

    def _say(self, word: str) -> None:
        process = self._process
        if process is None or process.stdin is None or self._owner != os.getpid():
            return
        with contextlib.suppress(OSError):  # closed by the user: the run goes on
            os.write(process.stdin.fileno(), f"{word}\n".encode())


def _start(run: Run, layout: dict[str, Any]) -> "subprocess.Popen[bytes] | None":
    # A program that was frozen into one file would start itself.
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    # The window's interpreter must find the same stepwell, also where a script or a
    # notebook has extended `sys.path`. An empty entry means the current folder.
    path = json.dumps([entry or os.curdir for entry in sys.path])
    # A notebook's kernel sets MPLBACKEND to its inline module, which the window would
    # inherit, and which is no window.
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    command = [sys.executable, "-c", _START, path, str(run.location), run.id]
    try:
        # A session of its own keeps the terminal's Ctrl-C from the window. Its output goes
        # nowhere: who reads the training's through a pipe would else wait for the window,
        # too.
        process = subprocess.Popen(
            [*command, json.dumps(layout)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        warn(f"no live window: {error}")
        return None
    _started.append(process)
    return process


def _reap() -> None:
    """Take leave of the windows that have ended."""
    _started[:] = [process for process in _started if process.poll() is None]


def _forget(process: "subprocess.Popen[bytes]") -> None:
    """Wait for *process* no more, and don't warn of it."""
    # `Popen` warns when an object without a return code is collected, and goes on polling.
    process.returncode = 0
    if process in _started:
        _started.remove(process)


@atexit.register
def _wait_for_all() -> None:
    # One deadline for all, however many windows a sweep has left.
    deadline = time.monotonic() + _SECONDS_TO_END
    for process in list(_started):
        with contextlib.suppress(Exception):
            if process.stdin is not None:
                process.stdin.close()  # a visualizer that was not closed
            process.wait(max(0.0, deadline - time.monotonic()))
        _forget(process)
