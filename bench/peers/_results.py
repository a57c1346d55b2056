"""Measurements, kept in the cache so that a run can be stopped and gone on with."""

import json
import os
import statistics
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Measurement:
    """One workload on one tool, once.

    Attributes:
        tool: Name of the tool.
        version: Its version; for Stepwell, with a name of what the checkout holds.
        workload: Name of the workload.
        sizes: How much was measured, as text.
        round: Which round, from 1.
        figures: What came out.
        words: Why nothing came out; else empty.
        day: When, as year-month-day.
        seconds: How long it took.
    """

    tool: str
    version: str
    workload: str
    sizes: str
    round: int
    figures: dict[str, Any]
    words: str
    day: str
    seconds: float

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What it is a measurement of."""
        return self.tool, self.version, self.workload, self.sizes, self.round


class Results:
    """All measurements of a cache.

    Args:
        file: The JSON file that they are kept in.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        self._all = {one.key: one for one in (Measurement(**given) for given in kept)}

    def __contains__(self, key: tuple[str, str, str, str, int]) -> bool:
        return key in self._all

    def add(self, measurement: Measurement) -> None:
        """Keep one, in place of an earlier one of the same thing."""
        self._all[measurement.key] = measurement
        text = json.dumps([asdict(one) for one in self._all.values()], indent=1)
        beside = self._file.with_suffix(".new")
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, self._file)  # noqa: PTH105 (the same as the method)

    def of(self, versions: dict[str, str], sizes: str) -> list[Measurement]:
        """Those of these versions and sizes."""
        return [
            one
            for one in self._all.values()
            if one.sizes == sizes and versions.get(one.tool) == one.version
        ]


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one tool over the rounds.

    Attributes:
        values: A value a round.
    """

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median."""
        return statistics.median(self.values)


class Outcome:
    """What a workload gave for one tool, over the rounds."""

    def __init__(self, rounds: list[Measurement]) -> None:
        self._rounds = rounds

    def __bool__(self) -> bool:
        return bool(self._rounds)

    def cell(self, name: str) -> Cell | None:
        """A figure; None where no round has it."""
        values = [one.figures[name] for one in self._rounds if name in one.figures]
        return Cell(tuple(values)) if values else None

    def least(self, name: str) -> float:
        """The least of a figure over the rounds; 0 where there is none."""
        return min((one.figures.get(name, 0) for one in self._rounds), default=0)

    def most(self, name: str) -> float:
        """The greatest of a figure over the rounds; 0 where there is none."""
        return max((one.figures.get(name, 0) for one in self._rounds), default=0)

    def latest(self, name: str) -> Any:
        """What the last round that has it says; None where none has."""
        for one in reversed(self._rounds):
            if name in one.figures:
                return one.figures[name]
        return None

    def words(self, part: str = "") -> str:
        """What the tool said most often when it, or a part of it, failed."""
        said = Counter(
            one.figures.get(f"{part}_words", "") if part else one.words
            for one in self._rounds
        )
        said.pop("", None)
        return said.most_common(1)[0][0] if said else ""

    @property
    def failures(self) -> int:
        """How many rounds gave nothing."""
        return sum(bool(one.words) for one in self._rounds)


def outcome(found: list[Measurement], tool: str, workload: str) -> Outcome:
    """The rounds of one workload and tool."""
    return Outcome([m for m in found if (m.tool, m.workload) == (tool, workload)])
