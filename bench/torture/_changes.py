"""Changes of journal files, far more often than in a long run, and kills in their midst."""

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

from stepwell.store.journal import continuation
from stepwell.store.recording import run_writer

from ._setting import Setting

_LIMIT = continuation.NOTED  # bytes; no fold notes less
_DEATHS = 1 / 3  # of the changes
_LINES = 90  # that a change takes, about
_MODULES = frozenset({"continuation.py", "run_writer.py", "appender.py", "writer_lock.py"})


def change_often(setting: Setting, draw: random.Random) -> None:
    """Let this process's journals go on in new files soon, and let it die at some line."""
    continuation.LIMIT = _LIMIT
    change = run_writer.change_files

    def changing(writer: Any) -> None:
        before = writer.journal
        line = draw.randrange(_LINES) if draw.random() < _DEATHS else 0
        sys.settrace(_dying(setting, line) if line else None)
        try:
            change(writer)
        finally:
            sys.settrace(None)
        if writer.journal is not before:
            setting.count("changes of journal files")

    run_writer.change_files = changing  # type: ignore[assignment]


def _dying(setting: Setting, last: int) -> Any:
    lines = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal lines
        if Path(frame.f_code.co_filename).name not in _MODULES:
            return None
        lines += event == "line"
        if lines == last:
            setting.count("kills at a change of journal files")
            setting.note_death(os.getpid())
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace
