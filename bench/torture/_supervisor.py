"""Runs a torture: keeps its processes going, and lets befall them what the plan says."""

import os
import shutil
import signal
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import _plants
from ._faults import Damage, SmallDisk
from ._helpers import Helpers
from ._plan import Event, Mix, make_plan
from ._processes import Processes
from ._setting import Setting
from ._strangers import Strangers

HERE = Path(__file__).parent
_TICK = 0.01  # seconds
_LONGEST_STOP = 0.7  # seconds; so are the two below
_LONGEST_HOLD = 0.3
_LONGEST_FULL = 1.5
_HELD = 1.0  # seconds at most that a process holds the store before it is killed
_GRACE = 60.0  # seconds that the processes have to end by themselves
_LEAST_LIFE = 2.0  # seconds; a process is not started for less
_MEGABYTES = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a torture came to.

    Attributes:
        figures: Name and number of everything that was counted.
        troubles: What was wrong, in words.
        notes: What could not be done here, and why.
    """

    figures: dict[str, float]
    troubles: list[str]
    notes: list[str]

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, twice or invented, and nothing else was wrong."""
        return not self.troubles


def torture(seconds: float, seed: int, plant: str, mix: Mix, noise: float) -> Outcome:
    """Run one torture.

    Args:
        seconds: How long.
        seed: What its plan is drawn from.
        plant: Name of a bug to plant; empty for none.
        mix: What it is made of.
        noise: Seconds that a wait is measured too long, on a busy machine.
    """
    base = Path(tempfile.mkdtemp(prefix="stepwell-torture-"))
    try:
        setting = Setting(base, seed, time.monotonic() + seconds, plant, noise)
        plan = make_plan(setting, seconds, mix)
        return _Supervisor(setting, plan, setting.until - seconds, mix.actors).run()
    finally:
        shutil.rmtree(base, ignore_errors=True)


class _Supervisor:
    def __init__(
        self, setting: Setting, plan: list[Event], began: float, actors: Iterable[str]
    ) -> None:
        self.setting = setting
        self.plan = plan
        self.began = began
        self.notes: list[str] = []
        self._serial: Counter[str] = Counter()
        self._timers: list[threading.Timer] = []
        base = setting.base
        for folder in ("main", "quiet", "ledgers", "errors"):
            (base / folder).mkdir()
        paths = [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        environment |= self.setting.environment() | _plants.environment(self.setting)
        self.processes = Processes(base / "errors", environment)
        self.damage = Damage(self.setting, self.processes)
        self.helpers = Helpers(self.setting, self.processes)
        self.strangers = Strangers(self.setting)
        self.disk = SmallDisk(base / "small", _MEGABYTES)
        self.actors = list(actors)
        if "full" in self.actors and not self.disk.is_there:
            self.actors.remove("full")
            self.notes.append("no full disk: mounting a small one needs root")

    def run(self) -> Outcome:
        try:
            self._live()
            self._settle()
            verdict = self._verify()
        finally:
            self.processes.end()
            self.disk.remove()
        return self._outcome(verdict)

    def _live(self) -> None:
        for kind in self.actors:
            self._start(kind)
        ahead = list(self.plan)
        while not self.setting.is_over:
            self._restart()
            if ahead and ahead[0].at <= time.monotonic() - self.began:
                self._befall(ahead.pop(0))  # one: late or not, others have to be restarted
            time.sleep(_TICK)

    def _start(self, kind: str, *arguments: object) -> None:
        self._serial[kind] += 1
        self.processes.start(kind, f"{kind}-{self._serial[kind]}", *arguments)

    def _restart(self) -> None:
        for name, pid, code in self.processes.reap():
            kind = name.split("-")[0]
            if code and not (
                pid in self.processes.killed or self.setting.killed_itself(pid)
            ):
                said = self.processes.errors_of(name)
                self.setting.complain(f"{name} ended with {code}: {said}")
            elif kind in self.actors and (
                self.setting.until - time.monotonic() > _LEAST_LIFE
            ):
                self._start(kind)

    def _befall(self, event: Event) -> None:
        getattr(self, f"_{event.kind}")(event)

    def _victim(self, event: Event) -> int | None:
        everybody = self.processes.all()
        return everybody[int(event.whom * len(everybody))] if everybody else None

    def _kill(self, event: Event) -> None:
        pid = self._victim(event)
        if pid is not None and self.processes.kill(pid):
            self.setting.count("kills")

    def _kill_holder(self, event: Event) -> None:
        pid = self.damage.holder()
        time.sleep(event.amount**3 * _HELD)
        if pid is not None and self.processes.kill(pid):
            self.setting.count("kills of who held the store")

    def _stop(self, event: Event) -> None:
        pid = self._victim(event)
        if pid is not None and self.processes.send(pid, signal.SIGSTOP):
            self.setting.count("stops")
            self._let_go_on(pid, event.amount * _LONGEST_STOP)

    def _kill_helper(self, event: Event) -> None:
        self.helpers.kill_holder(event.whom, event.amount)

    def _kill_stand_by(self, event: Event) -> None:
        self.helpers.kill_stand_by(event.whom)

    def _stop_helper(self, event: Event) -> None:
        if stopped := self.helpers.stop_holder(event.whom, event.amount):
            self._let_go_on(*stopped)

    def _stop_stand_by(self, event: Event) -> None:
        if stopped := self.helpers.stop_stand_by(event.whom, event.amount):
            self._let_go_on(*stopped)

    def _let_go_on(self, pid: int, seconds: float) -> None:
        self._later(seconds, self.processes.send, pid, signal.SIGCONT)

    def _damage(self, event: Event) -> None:
        done = self.damage.strike(event.whom, event.amount)
        self.setting.count(done or "damages that found nothing")

    def _hold(self, event: Event) -> None:
        self._start("hold", event.amount * _LONGEST_HOLD)

    def _fill(self, event: Event) -> None:
        if self.disk.is_there:
            self.disk.fill()
            self.setting.count("full disks")
            self._later(event.amount * _LONGEST_FULL, self.disk.free)

    def _stranger(self, event: Event) -> None:
        self.strangers.add(event.whom, event.amount)

    def _later(
        self, seconds: float, act: Callable[..., object], *arguments: object
    ) -> None:
        timer = threading.Timer(seconds, act, arguments)
        timer.start()
        self._timers.append(timer)

    def _settle(self) -> None:
        for timer in self._timers:
            timer.join()
        deadline = time.monotonic() + _GRACE
        while self.processes.all() and time.monotonic() < deadline:
            self._restart()
            time.sleep(_TICK)
        for name in self.processes.end():
            self.setting.complain(f"{name} did not end within {_GRACE:g} s")
        for path in self.strangers.gone():
            self.setting.complain(f"{path.name} of {path.parent.parent.name} was removed")

    def _verify(self) -> Any:
        from ._verify import verify  # noqa: PLC0415 (loads DuckDB)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the strangers
            return verify(self.setting)

    def _outcome(self, verdict: Any) -> Outcome:
        found = asdict(verdict)
        troubles = [*found.pop("troubles"), *_lines(self.setting.base / "problems")]
        counts: Counter[str] = Counter()
        for line in _lines(self.setting.base / "counts"):
            what, number = line.rsplit(" ", 1)
            counts[what] += int(number)
        unseen = sum(trouble.startswith("unseen") for trouble in troubles)
        bad = {name: found.pop(name) for name in ("lost", "twice", "invented")}
        figures = {
            "calls acknowledged": found["calls"],
            "calls refused by a full disk": found["refused"],
            "calls taken by damage": found["excused"],
            "points, with those of copies": found["points"],
            "stores compared": found["stores"],
            "runs and other processes started": self._serial.total(),
            **dict(sorted(counts.items())),
            **bad,
            "unseen": unseen,
            "seconds": round(time.monotonic() - self.began, 1),
        }
        return Outcome(figures, troubles, self.notes)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
