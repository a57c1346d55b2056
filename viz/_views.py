"""The ways in which a visualizer shows its run while it records."""

import contextlib
import json
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any, Protocol

from stepwell.store import Run

from ._backend import INTERACTIVE, has_display, wanted_backend
from ._config import TrainingVisualizerConfig
from ._kept_layout import layout_of
from ._watch import no_window_line

if TYPE_CHECKING:
    import subprocess

_SECONDS_TO_END = 5.0
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    " from stepwell.viz._watch import main; sys.exit(main(*sys.argv[2:]))"
)
_said: set[str] = set()


class PlotWarning(UserWarning):
    """Drawing went wrong; the training and its records are not touched by it."""


class View(Protocol):
    """What a visualizer tells the one who shows its run."""

    def update(self, updates: int) -> None:
        """Metrics were recorded, for the *updates*-th time."""

    def force(self) -> None:
        """Show what has been recorded, at once."""

    def close(self) -> None:
        """Show the last state, and end."""


def open_view(run: Run, config: TrainingVisualizerConfig) -> View | None:
    """The view that *config* asks for, as far as there is one here; None for none."""
    if config.window == "none":
        return None
    if in_notebook():
        from ._notebook import NotebookView  # noqa: PLC0415 (loads matplotlib)

        return NotebookView(run, config)
    backend = wanted_backend()
    is_headless = backend is not None and not backend.startswith(
        ("module://", *INTERACTIVE)
    )
    if (
        config.window == "auto"
        and is_headless
        and backend not in {"qtagg", "tkagg", "auto"}
    ):
        return None
    if not has_display():
        say_once(no_window_line(run.name))
        return None
    if config.window == "inline":
        from ._inline import open_inline  # noqa: PLC0415 (loads matplotlib)

        return open_inline(run, config, backend)
    return WindowProcess(run, config, backend)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    get_ipython: Any = getattr(shell, "get_ipython", None)
    kernel = get_ipython() if get_ipython else None
    return kernel is not None and type(kernel).__name__ == "ZMQInteractiveShell"


def say_once(line: str) -> None:
    """Print *line* to the error output, once in a process."""
    kind = line.partition("'")[0].partition('"')[0]
    if kind not in _said:
        _said.add(kind)
        print(line, file=sys.stderr)


class WindowProcess:
    """A window in a process of its own, which reads the store: no cost to the loop.

    Args:
        run: The run that it shows.
        config: What is drawn.
        backend: The backend that the user asked for, if any.
    """

    def __init__(
        self, run: Run, config: TrainingVisualizerConfig, backend: str | None
    ) -> None:
        layout = layout_of(config) | {"backend": backend}
        self._process = _start(run, layout)
        self._owner = os.getpid()

    def update(self, updates: int) -> None:
        """Nothing: the window looks for itself."""

    def force(self) -> None:
        """Have the window drawn at once."""
        self._say("draw")

    def close(self) -> None:
        """Have the window draw the last state and end, unless it is to stay."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid() or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(Exception):  # it ends by itself, when it is ready
            process.wait(timeout=0.01)

    def wait(self, seconds: float = _SECONDS_TO_END) -> None:
        """Wait until the window's process has ended."""
        if self._process is not None:
            self._process.wait(timeout=seconds)

    def _say(self, word: str) -> None:
        process = self._process
        if process is None or process.stdin is None or self._owner != os.getpid():
            return
        with contextlib.suppress(OSError):  # closed by the user: the run goes on
            os.write(process.stdin.fileno(), f"{word}\n".encode())


def _start(run: Run, layout: dict[str, Any]) -> "subprocess.Popen[bytes] | None":
    import subprocess  # noqa: PLC0415 (slow to import)

    if not sys.executable:
        return None
    path = json.dumps([entry or os.curdir for entry in sys.path])
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    command = [sys.executable, "-c", _START, path, str(run.location), run.id]
    try:
        return subprocess.Popen(
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


def warn(message: str) -> None:
    """Warn of a trouble with drawing."""
    warnings.warn(message, PlotWarning, stacklevel=4)
