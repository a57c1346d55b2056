"""Folds many cases, a few hundred a store, and makes a failing one small."""

import os
import random
import shutil
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stepwell.store import Store, open_store
from stepwell.store._fold import fold
from stepwell.store._lease import lease_of
from stepwell.store._liveness import machine, process_started
from stepwell.store._location import resolve

from ._answers import differences
from ._generator import Here, make_case
from ._model import answer_to
from ._records import Case
from ._strangers import STRANGERS

_CASES = 300  # of a store
_STRANGERS = 12  # of a store
_TRIES = 300  # at making a case smaller
_PATIENCE = 60  # seconds that a fold may take, of all of a store


@dataclass(slots=True)
class Failure:
    """What the store and the model see differently.

    Attributes:
        what: Which case, which can be had again by its number, or beside what.
        words: What was wrong.
        case: The case, as small as it was made.
    """

    what: str
    words: list[str]
    case: Case | None = None


@dataclass(slots=True)
class Outcome:
    """What a campaign came to."""

    journals: int = 0
    runs: int = 0
    points: int = 0
    strangers: int = 0
    errors: int = 0
    failures: list[Failure] = field(default_factory=list)


class Campaign:
    """Folds and compares.

    Args:
        folder: A folder for its stores.
        seed: What its cases are drawn from.
        spoil: SQL that makes each store wrong, to see that it is found; empty for none.
    """

    def __init__(self, folder: Path, seed: int, spoil: str = "") -> None:
        self._folder = folder
        self._seed = seed
        self._spoil = spoil
        self._stores = 0
        pid = os.getpid()
        self._here = Here(machine(), pid, process_started(pid) or 0)
        self._empty = folder / "empty.duckdb"
        open_store(self._empty).close()
        fold(lease_of(resolve(self._empty)))

    def run(self, journals: int, most_failures: int = 3) -> Iterator[Outcome]:
        """Go through cases with that many journals; gives what it came to so far."""
        outcome, number = Outcome(), 0
        while outcome.journals < journals and len(outcome.failures) < most_failures:
            cases: dict[int, Case] = {}
            count = 0
            while len(cases) < _CASES and outcome.journals + count < journals:
                cases[number] = make_case(self._seed, number, self._here)
                count += len(cases[number].journals)
                number += 1
            outcome.journals += count
            draw = random.Random(f"{self._seed} strangers {number}")
            strangers = draw.sample([*STRANGERS], _STRANGERS)
            self._check(cases, strangers, outcome, most_failures)
            yield outcome

    def only(self, number: int) -> Outcome:
        """Look at one case alone."""
        case = make_case(self._seed, number, self._here)
        outcome = Outcome(journals=len(case.journals))
        self._check({number: case}, [], outcome, 1)
        return outcome

    def _check(
        self, cases: dict[int, Case], strangers: list[str], outcome: Outcome, most: int
    ) -> None:
        outcome.runs += len(cases)
        outcome.strangers += len(strangers)
        together = [*cases.values()]
        found = self._look(together, strangers)
        outcome.points += found.points
        outcome.errors += found.is_error
        if found.is_good:
            return
        before = len(outcome.failures)
        for number, case in cases.items():
            is_bad = found.is_error or case.run_id in found.words
            if is_bad and len(outcome.failures) < most and not self._alone(case).is_good:
                small = self._smallest(case)
                told = self._alone(small).told
                outcome.failures.append(Failure(f"case {number}", told, small))
        for name in strangers if found.is_error else []:
            with_it = self._look(together[:1], [name])
            if not with_it.is_good and len(outcome.failures) < most:
                outcome.failures.append(Failure(f"beside {name}", with_it.told))
        if len(outcome.failures) == before:  # only all together
            what = f"cases {min(cases)} to {max(cases)} together, beside {strangers}"
            outcome.failures.append(Failure(what, found.told))

    def _smallest(self, case: Case) -> Case:
        draw, tries = random.Random(0), 0
        while tries < _TRIES:
            for smaller in case.smaller(draw):
                tries += 1
                if not self._alone(smaller).is_good:
                    case = smaller
                    break
            else:
                break
        return case

    def _alone(self, case: Case) -> "_Look":
        return self._look([case], [])

    def _look(self, cases: list[Case], strangers: list[str]) -> "_Look":
        self._stores += 1
        path = self._folder / f"{self._stores}" / "runs.duckdb"
        path.parent.mkdir()
        shutil.copy(self._empty, path)
        look = _Look()
        try:
            with warnings.catch_warnings(), _patience():
                warnings.simplefilter("ignore")
                self._fold(path, cases, strangers)
                answers = {case.run_id: answer_to(case) for case in cases}
                look.points = sum(one.points.total() for one in answers.values())
                with Store(path) as store:
                    look.words = differences(store, answers)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
            look.words[""] = [f"{type(error).__name__}: {error}"]
        finally:
            shutil.rmtree(path.parent)
        return look

    def _fold(self, path: Path, cases: list[Case], strangers: list[str]) -> None:
        location = resolve(path)
        location.journals.mkdir()
        lease = lease_of(location)
        draw = random.Random(f"{self._seed} {strangers}")
        for name in strangers:
            STRANGERS[name](location.journals, self._here, draw)
        stages = [
            (journal, journal.stages()) for case in cases for journal in case.journals
        ]
        for at in range(max(len(found) for _, found in stages)):
            for journal, found in stages:
                if at < len(found):
                    file = location.journals / journal.file_name
                    _grow(file, found[at], found[at - 1] if at else b"")
                    if journal.heartbeat is not None:
                        os.utime(file, (journal.heartbeat,) * 2)
            fold(lease)
        if self._spoil:
            with lease.exclusive() as connection:
                connection.execute(self._spoil)


@dataclass(slots=True)
class _Look:
    """What was found in one store: what is wrong with each run, and how many points.

    Under no run's name stands the error that ended it.
    """

    words: dict[str, list[str]] = field(default_factory=dict)
    points: int = 0

    @property
    def is_good(self) -> bool:
        return not self.words

    @property
    def is_error(self) -> bool:
        return "" in self.words

    @property
    def told(self) -> list[str]:
        return [line for lines in self.words.values() for line in lines]


@contextmanager
def _patience() -> Iterator[None]:
    """Raise what waits too long, be it for a FIFO that nobody writes to."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"a fold took more than {_PATIENCE} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _grow(file: Path, data: bytes, before: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(data[len(before) :])
