"""Which kind of window can be opened here, found out without risking this process."""

import os
import subprocess
import sys

INTERACTIVE = ("qtagg", "tkagg")
"""Backends that a window is tried with, the better first."""

_PROBE = {
    "qtagg": (
        "from matplotlib.backends.qt_compat import QtWidgets;"
        " QtWidgets.QApplication(['probe']).processEvents()"
    ),
    "tkagg": "import tkinter; tkinter.Tk().destroy()",
}
_PROBE_SECONDS = 20.0


def has_display() -> bool:
    """Whether a screen is said to be there."""
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def wanted_backend() -> str | None:
    """The backend that the user asked matplotlib for, in lower case; None without one.

    Does not import matplotlib, nor make it choose.
    """
    name = os.environ.get("MPLBACKEND", "")
    loaded = sys.modules.get("matplotlib")
    settings = getattr(loaded, "rcParams", None)
    if settings is not None:
        chosen = dict.get(settings, "backend")
        name = chosen if isinstance(chosen, str) else name
    return name.lower() or None


def first_backend(wanted: str | None = None) -> str | None:
    """The backend that opens a window here, the *wanted* one if it can; None without one.

    Each is tried in a process of its own: a broken Qt aborts the process it is in.
    """
    if not has_display():
        return None
    ordered = sorted(INTERACTIVE, key=lambda name: name != wanted)
    return next((name for name in ordered if _works(name)), None)


def _works(name: str) -> bool:
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE[name]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
