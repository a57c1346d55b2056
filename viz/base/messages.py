"""What is said to the user about plots: warnings, and lines said once."""

import sys
import warnings
from typing import Any

from stepwell.store import visible

from .print_lines import say

_said: set[str] = set()


class PlotWarning(UserWarning):
    """Drawing went wrong, or lacks something; runs and records are not touched by it."""


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
