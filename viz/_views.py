"""The ways in which a visualizer shows its run while it records."""

import sys
import warnings
from typing import Any, Protocol

from stepwell.store import Run, visible

from ._backend import has_display, wanted_backend, wants_no_window
from ._config import TrainingVisualizerConfig
from ._say import say
from ._watch import no_window_line

_said: set[str] = set()


class PlotWarning(UserWarning):
    """Drawing went wrong, or lacks something; runs and records are not touched by it."""


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
    if config.window == "auto" and wants_no_window(backend):
        return None
    if not has_display():
        say_once("no window", no_window_line(run.name, run.location))
        return None
    if config.window == "inline":
        from ._inline import open_inline  # noqa: PLC0415 (loads matplotlib)

        return open_inline(run, config, backend)
    from ._window_process import WindowProcess  # noqa: PLC0415 (slow to import)

    return WindowProcess(run, config, backend)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    get_ipython: Any = getattr(shell, "get_ipython", None)
    kernel = get_ipython() if get_ipython else None
    return kernel is not None and type(kernel).__name__ == "ZMQInteractiveShell"


def say_once(what: str, line: str) -> None:
    """Print *line* to the error output, unless *what* was said in this process before."""
    if what not in _said:
        _said.add(what)
        say(line, sys.stderr)


def warn(message: str) -> None:
    """Warn of a trouble with drawing."""
    warnings.warn(visible(message), PlotWarning, stacklevel=4)
