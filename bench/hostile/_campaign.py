"""Folds many cases, a few hundred a store, and makes a failing one small."""

import os
import random
import shutil
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from stepwell.store import Store, merge_stores, open_store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import Location, resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.journal.writer_alive import machine, process_started

from ._answers import differences
from ._generator import Here, make_case
from ._model import answer_to
from ._records import FRESH, Case, Journal
from ._strangers import STRANGERS

_CASES = 150  # of a store
_STRANGE = 5  # stores: of so many one has strangers, and fewer cases,
_CASES_BESIDE = 40  # since each stranger costs some folds that are for nothing
_STRANGERS = 12
_MOST_TOLD = 3  # cases that fail, which are made small
_SECONDS = 20  # at most, to make a case smaller
_AHEAD = 1800  # seconds: it stays fresh for as long as a store is looked at
_PATIENCE = 600  # seconds that a fold may take, of all of a store


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
    differences: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing was wrong."""
        return not self.errors and not self.differences


class Campaign:
    """Folds and compares.

    Args:
        folder: A folder for its stores.
        seed: What its cases are drawn from.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._stores = 0
        pid = os.getpid()
        self._here = Here(machine(), pid, process_started(pid) or 0)
        self._empty = folder / "empty.duckdb"
        open_store(self._empty).close()
        fold(lease_of(resolve(self._empty)))

    def run(self, journals: int) -> Iterator[Outcome]:
        """Go through cases with that many journals, or to the first store with a wrong one.

        Yields:
            What it came to so far, a store at a time.
        """
        outcome, number = Outcome(), 0
        while outcome.journals < journals and outcome.is_good:
            cases: dict[int, Case] = {}
            count = 0
            has_strangers = self._stores % _STRANGE == 0
            most = _CASES_BESIDE if has_strangers else _CASES
            while len(cases) < most and outcome.journals + count < journals:
                cases[number] = make_case(self._seed, number, self._here)
                count += len(cases[number].journals)
                number += 1
            outcome.journals += count
            draw = random.Random(f"{self._seed} strangers {number}")
            strangers = draw.sample([*STRANGERS], _STRANGERS if has_strangers else 0)
            self._check(cases, strangers, outcome)
            yield outcome

    def only(self, number: int) -> Outcome:
        """Look at one case alone."""
        case = make_case(self._seed, number, self._here)
        outcome = Outcome(journals=len(case.journals))
        self._check({number: case}, [], outcome)
        return outcome

    def spoiled(self, journals: int, spoils: dict[str, str]) -> Iterator[tuple[str, int]]:
        """Make copies of one store wrong, each in another way.

        Args:
            journals: How many there are in the store, at least.
            spoils: SQL that does it, by its name.

        Yields:
            The name, and how many runs are told to be wrong.
        """
        cases: list[Case] = []
        while sum(len(case.journals) for case in cases) < journals:
            cases.append(make_case(self._seed, len(cases), self._here))
        answers = {case.run_id: answer_to(case) for case in cases}
        whole = self._folder / "whole" / "runs.duckdb"
        whole.parent.mkdir()
        shutil.copy(self._empty, whole)
        with warnings.catch_warnings(), _patience():
            warnings.simplefilter("ignore")
            self._fold(whole, cases, [])
            for name, statement in {"nothing": "select 1", **spoils}.items():
                path = self._folder / name / whole.name
                shutil.copytree(whole.parent, path.parent)
                with lease_of(resolve(path)).exclusive() as connection:
                    connection.execute(statement)
                with Store(path) as store:
                    yield name, len(differences(store, answers))

    def _check(
        self, cases: dict[int, Case], strangers: list[str], outcome: Outcome
    ) -> None:
        outcome.runs += len(cases)
        outcome.strangers += len(strangers)
        together = [*cases.values()]
        found = self._look(together, strangers)
        outcome.points += found.points
        outcome.errors += found.is_error
        outcome.differences += len(found.words) - found.is_error
        told = self._explained(cases, strangers, found) if not found.is_good else iter(())
        outcome.failures += islice(told, _MOST_TOLD)

    def _explained(
        self, cases: dict[int, Case], strangers: list[str], found: "_Look"
    ) -> Iterator[Failure]:
        """Which cases, or which strangers, are to blame, alone if they can be."""
        is_alone = False
        for number, case in cases.items():
            is_bad = found.is_error or case.run_id in found.words
            if is_bad and not self._alone(case).is_good:
                is_alone = True
                small = self._smallest(case)
                yield Failure(f"case {number}", self._alone(small).told, small)
        for name in strangers if found.is_error else []:
            beside = self._look([*cases.values()][:1], [name])
            if not beside.is_good:
                is_alone = True
                yield Failure(f"beside {name}", beside.told)
        if not is_alone:
            what = f"cases {min(cases)} to {max(cases)} together, beside {strangers}"
            yield Failure(what, found.told)

    def _smallest(self, case: Case) -> Case:
        draw, deadline = random.Random(0), time.monotonic() + _SECONDS
        ahead = case.smaller(draw)
        while ahead and time.monotonic() < deadline:
            smaller = ahead.pop(0)
            if not self._alone(smaller).is_good:
                case, ahead = smaller, smaller.smaller(draw)
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
        draw = random.Random(f"{self._seed} {strangers}")
        location = resolve(path)
        location.journals.mkdir()
        for name in strangers:
            STRANGERS[name](location.journals, self._here, draw)
        journals = [journal for case in cases for journal in case.journals]
        _fold_all(location, [one for one in journals if not one.is_elsewhere])
        elsewhere = [one for one in journals if one.is_elsewhere]
        if elsewhere:
            other = resolve(path.with_name("other.duckdb"))
            shutil.copy(self._empty, other.database)
            other.journals.mkdir()
            _fold_all(other, elsewhere)
            for _ in range(draw.randint(1, 2)):  # a second time it changes nothing
                merge_stores([other], location)


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


def _fold_all(location: Location, journals: list[Journal]) -> None:
    """Fold as often as it takes until all that the journals have is there."""
    lease = lease_of(location)
    stages = [(journal, journal.stages()) for journal in journals]
    for at in range(max((len(found) for _, found in stages), default=1)):
        for journal, found in stages:
            if at < len(found) and found[at]:
                file = location.journals / journal.file_name
                _grow(file, found[at], found[at - 1] if at else b"")
                _beat(file, journal)
        fold(lease)


def _beat(file: Path, journal: Journal) -> None:
    at: float | None = journal.heartbeat
    if journal.life == FRESH:
        at = time.time() + _AHEAD  # of a machine whose clock is ahead
    if at is not None:
        os.utime(file, (at, at))


def _grow(file: Path, data: bytes, before: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(data[len(before) :])
