"""The processes that make short runs in a row, and die when a `finish()` has returned."""

import os
import random
import signal
import time
from pathlib import Path

from stepwell.store.recording.background import SETTLE

from ._setting import Setting
from ._writers import Speaker, begin, prepare

_CHILDREN = 20  # one after another
_RUNS = (1, 5)  # of a child
_CALLS = (1, 40)  # of a run
_DEATHS = 0.9  # of the children; the others come to their own end
_AT_ONCE = 0.3  # of the deaths
_PAUSE = 0.5  # seconds at most between two children


def sweep(setting: Setting, name: str) -> None:
    """Make short runs in children, which need no time to start and die soon.

    Args:
        setting: The torture.
        name: The process's name, used once.
    """
    draw = setting.draw(name)
    for number in range(_CHILDREN):
        child = os.fork()
        if child == 0:
            _make_runs(setting, f"{name}-{number}")
            return  # to the end of the program, as any other
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in {0, -signal.SIGKILL}:
            setting.complain(f"{name}-{number} ended with {code}")
        if setting.is_over:
            return
        time.sleep(draw.random() * _PAUSE)


def _make_runs(setting: Setting, name: str) -> None:
    """Make runs, then die while their ends are gathered to be folded together."""
    prepare(setting)  # here: a bug's loads DuckDB, which aborts at a forked child's end
    draw = setting.draw(name)
    store = draw.choice([setting.store, setting.quiet_store])
    journal = None
    for number in range(draw.randint(*_RUNS)):
        run = None if setting.is_over else begin(setting, f"{name}-{number}", store)
        if run is None:
            return
        speaker = Speaker(setting, run, f"{name}-{number}", store, longest_pause=0.0)
        speaker.speak(draw.randint(*_CALLS), counts=True)
        journal = run._writer.journal.path  # noqa: SLF001 (to see whether it is folded)
        run.finish()
        speaker.end()
        setting.count("ends of short runs")
    if journal is not None and draw.random() < _DEATHS:
        _die(setting, draw, journal)


def _die(setting: Setting, draw: random.Random, journal: Path) -> None:
    if draw.random() >= _AT_ONCE:
        time.sleep(draw.random() * SETTLE)
    if os.path.lexists(journal):
        setting.count("kills between a finish() and its fold")
    else:
        setting.count("kills after a finish() and its fold")
    os.kill(os.getpid(), signal.SIGKILL)
