"""The processes that record: each makes one run, says what its ledger notes, and ends."""

import multiprocessing
import os
import random
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import stepwell
from stepwell.store import StoreBusyError, StoreLocationError
from stepwell.store.journal.appender import Journal
from stepwell.store.recording import background

from ._changes import change_often
from ._ledger import DONE, REFUSED, Again, Ledger, metrics_of, note_try, value_of
from ._plants import plant
from ._setting import Setting, of_environment

_CALLS = (200, 10_000)  # of a run
_BRIEF = 40  # calls of a run in a store that is being migrated
_QUIET = (20, 600)  # calls of a run in the quiet store
_AGAIN = (20, 400)  # calls of an attempt
_ATTEMPTS = 3  # at a run
_BURST = 60  # calls at most between two pauses
_PAUSE = 0.2  # seconds at most
_SLOW_BURST = 20  # on the small disk, and in the quiet store
_SLOW_PAUSE = 0.4
_HELPERS: dict[str, tuple[Any, ...]] = {
    "threads": (threading.Thread,),
    "fork": (multiprocessing.get_context("fork").Process,),
    "spawn": (multiprocessing.get_context("spawn").Process,),
}
"""What says streams of its own in the run of a writer."""
_HOUR = 3600 * 10**9  # nanoseconds
_RESTART = 2.0  # seconds until a helper that was killed has a successor
_TURNS = 0.01  # of the looks at a turned clock

_refused = threading.local()


def prepare(setting: Setting) -> None:
    """Plant the bug, hasten what is rare, and learn which calls the disk refuses."""
    warnings.simplefilter("ignore")
    plant(setting)
    background.RESTART = _RESTART
    change_often(setting, random.Random(f"{setting.seed} {os.getpid()}"))
    write = Journal.write

    def watched(journal: Journal, record: bytes) -> bool:
        is_safe = write(journal, record)
        if not is_safe:
            _refused.now = True
        return is_safe

    Journal.write = watched  # type: ignore[method-assign]


def _turn_clock(draw: random.Random) -> None:
    """From now on this process's clock goes back, and forth, between two calls."""
    real, behind = time.time_ns, [0]

    def turned() -> int:
        if draw.random() < _TURNS:
            behind[0] = draw.randrange(-_HOUR, 24 * _HOUR)
        return real() - behind[0]

    time.time_ns = turned
    time.time = lambda: turned() / 1e9


class Speaker:
    """Says one stream.

    Args:
        setting: The torture.
        run: The run.
        stream: The stream's name, used once.
        store: Path of the store.
        again: What it says again of earlier attempts at its run.
        longest_pause: Seconds between two bursts of calls, at most; None as it fits.
    """

    def __init__(  # noqa: PLR0913 (all that there is to say of a stream)
        self,
        setting: Setting,
        run: Any,
        stream: str,
        store: Path,
        again: Again | None = None,
        *,
        longest_pause: float | None = None,
    ) -> None:
        self._setting = setting
        self._run = run
        self._stream = stream
        self._again = again
        self._draw = setting.draw(stream)
        is_slow = store in {setting.full_store, setting.quiet_store}
        self._burst = _SLOW_BURST if is_slow else _BURST
        usual = _SLOW_PAUSE if is_slow else _PAUSE
        self._longest_pause = usual if longest_pause is None else longest_pause
        self._next = 0
        self._ledger = Ledger(setting.ledgers, stream, run.id, store, again)

    def speak(self, calls: int, *, counts: bool = False) -> None:
        """Say *calls* more calls, or as many as there is time for.

        Args:
            calls: How many.
            counts: Whether the run counts the steps; else each call names its own.
        """
        left = 0
        for number in range(self._next, self._next + calls):
            if left == 0:
                if self._setting.is_over:
                    break
                left = self._draw.randint(1, self._burst)
                time.sleep(self._draw.random() * self._longest_pause)
            left -= 1
            metrics = metrics_of(self._stream, number)
            _refused.now = False
            if self._again:
                value = value_of(self._stream, number)
                self._run.log({self._again.metric: value}, self._again.first + number)
            self._run.log(metrics, None if counts else number)
            kind = REFUSED if _refused.now else DONE
            self._ledger.note(number, value_of(self._stream, number), kind)
            self._next = number + 1

    def end(self) -> None:
        """Note that all that was wanted was said."""
        self._ledger.end()


def _speak_apart(run: Any, stream: str, store: Path, calls: int) -> None:
    """What a child or a thread of a writer does."""
    setting = of_environment()
    if multiprocessing.current_process().name.startswith("Spawn"):
        prepare(setting)
    speaker = Speaker(setting, run, stream, store)
    speaker.speak(calls)
    speaker.end()


def write(setting: Setting, kind: str, name: str, store: Path) -> None:
    """Record one run.

    Args:
        setting: The torture.
        kind: `plain`, `clock`, `threads`, `fork`, `spawn`, `quiet`, `full`, `brief`,
            `diverge` or `again`.
        name: The writer's name, used once.
        store: Path of the store.
    """
    draw = setting.draw(name)
    if kind == "clock":
        _turn_clock(draw)
    few = {"brief": (_BRIEF, _BRIEF), "quiet": _QUIET, "again": _AGAIN}
    calls = draw.randint(*few.get(kind, _CALLS))
    again = _attempt(setting, name) if kind == "again" else None
    run = begin(setting, name, store, again)
    if run is None:
        return
    speaker = Speaker(setting, run, name, store, again)
    helpers = [
        start(target=_speak_apart, args=(run, f"{name}.{number}", store, calls // 2))
        for start in _HELPERS.get(kind, ())
        for number in range(2)
    ]
    if helpers:
        speaker.speak(draw.randint(0, 2 * _BURST))
    for helper in helpers:
        helper.start()
    speaker.speak(calls, counts=kind not in {*_HELPERS, "again"})
    for helper in helpers:
        helper.join()
    run.finish()
    speaker.end()


def begin(setting: Setting, name: str, store: Path, again: Again | None = None) -> Any:
    """A writer's run; None where there can be none just now."""
    try:
        if again is None:
            return stepwell.init("torture", name, store=store)
        note_try(setting.ledgers, again)
        given = again.metric.partition("/")[0]
        run = stepwell.init("torture", id=given, resume="allow", store=store)
    except StoreBusyError:
        setting.count("waits in vain")
        return None
    except StoreLocationError:
        if store != setting.full_store:
            raise
        setting.count("starts refused by a full disk")
        return None
    setting.count("attempts at a run" if again.attempt else "runs to be resumed")
    return run


def _attempt(setting: Setting, name: str) -> Again:
    """Which attempt at which run a writer makes, by the number in its name."""
    run, attempt = divmod(int(name.rpartition("-")[2]) - 1, _ATTEMPTS)
    first = setting.draw(name, "first").randrange(_AGAIN[1]) if attempt else 0
    return Again(f"chain-{run}/said", attempt, first)
