"""Which kind of window can be opened here, found out without risking this process."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache

INTERACTIVE = ("qtagg", "tkagg")
"""Backends that a window is tried with, the better first."""

_FILES_ONLY = frozenset({"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"})
# Without matplotlib, which takes long to import. It takes the first of these that there is.
_PROBE_QT = """
import os
from importlib import import_module

asked = os.environ.get("QT_API")
for name in ("PyQt6", "PySide6", "PyQt5", "PySide2"):
    if asked is None or asked.lower() == name.lower():
        try:
            for part in ("QtCore", "QtGui", "QtSvg", "QtWidgets"):
                module = import_module(f"{name}.{part}")
        except ImportError:
            continue
        module.QApplication(["probe"]).processEvents()
        break
else:
    raise SystemExit(1)
"""
_PROBE = {
    "qtagg": _PROBE_QT,
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
        # `rcParams["backend"]` resolves an automatic choice: it would import a toolkit and
        # make it the user's backend. Until then the value is no text.
        chosen = dict.get(settings, "backend")
        name = chosen if isinstance(chosen, str) else name
    return name.lower() or None


def wants_no_window(backend: str | None) -> bool:
    """Whether *backend* draws into files only, so that its user wants no window."""
    return backend in _FILES_ONLY


def first_backend(
    wanted: str | None = None, meanwhile: Callable[[], object] | None = None
) -> str | None:
    """The backend that opens a window here, the *wanted* one if it can; None without one.

    Each is tried in a process of its own: a broken Qt aborts the process it is in.

    Args:
        wanted: The one to try first.
        meanwhile: Called while the first one is tried.
    """
    if not has_display():
        return None
    # False sorts before True, and sorting is stable: the wanted one, then the better.
    ordered = sorted(INTERACTIVE, key=lambda name: name != wanted)
    # A toolkit takes about as long to start as matplotlib to be imported, so the two go on
    # side by side.
    trial = _start(ordered[0]) if meanwhile is not None else None
    if meanwhile is not None:
        meanwhile()
    if trial is not None and _succeeds(trial):
        return ordered[0]
    rest = ordered[1:] if trial is not None else ordered
    # A key of the cache: the answer belongs to the display, which may change in a process.
    screen = tuple(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return next((name for name in rest if _works(name, screen)), None)


@lru_cache(maxsize=16)
def _works(name: str, screen: tuple[str | None, ...]) -> bool:
    """Whether *name* opens a window on *screen*; tried once."""
    del screen
    trial = _start(name)
    return trial is not None and _succeeds(trial)


def _start(name: str) -> "subprocess.Popen[bytes] | None":
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _PROBE[name]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None


def _succeeds(trial: "subprocess.Popen[bytes]") -> bool:
    try:
        return trial.wait(_PROBE_SECONDS) == 0
    except subprocess.TimeoutExpired:
        # A toolkit can hang on a display that accepts connections and never answers.
        trial.kill()
        trial.wait()
        return False
