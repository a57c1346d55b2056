"""What a store must answer to a case: in plain Python, with neither numpy nor DuckDB."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from ._ends import dated, end_of_ranks
from ._records import (
    CHANGED,
    NAMES,
    POINTS,
    STARTED,
    Case,
    Journal,
    Names,
    Points,
)

_STARTED_FIELDS = (
    "name project group_name tags notes host pid user_name command working_dir"
    " python_version layout"
).split()
_CHANGED_FIELDS = "name tags notes git_commit git_dirty layout".split()
_UNIT = Fraction(1, 2**53)  # a rounding's relative error at most


class Point(NamedTuple):
    """One point as the store keeps it; NaN is None, and times are whole microseconds."""

    metric: str
    step: int
    time: int
    value: float | None
    rank: int
    attempt: int


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """What `summary` must say of a metric.

    Attributes:
        currents: The values that may be the current one: several where the last points
            have one step and one time.
        lasts: The values at the last step.
        mean: The exact mean; None without a finite value.
        slack: How far off a sum of doubles may be.
    """

    currents: frozenset[float | None]
    lasts: frozenset[float | None]
    minimum: float | None
    maximum: float | None
    minimum_step: int | None
    maximum_step: int | None
    mean: Fraction | None
    slack: Fraction
    count: int
    non_finite: int
    first_step: int
    last_step: int


@dataclass(slots=True)
class Answer:
    """What a store must say of a run.

    Attributes:
        fields: Columns of `runs`.
        points: All points, and how often each is there.
        shown: Those that no later attempt supersedes.
        summary: By metric.
    """

    fields: dict[str, Any]
    points: Counter[Point] = field(default_factory=Counter)
    shown: Counter[Point] = field(default_factory=Counter)
    summary: dict[str, MetricAnswer] = field(default_factory=dict)

    @property
    def params(self) -> list[tuple[str, str | None, float | None]]:
        """Key, text and number of each setting."""
        return [
            (key, _text(value), _number(value))
            for key, value in _flat(self.fields.get("config", {}))
        ]


def answer_to(case: Case) -> Answer:
    """What a store must say of a run, whatever the folds found when."""
    answer = Answer(_fields(case))
    for journal in case.journals:
        answer.points.update(_points(journal, case.attempts[journal.attempt]))
    answer.shown = _shown(case, answer.points)
    by_metric: dict[str, list[Point]] = defaultdict(list)
    for point in answer.shown.elements():
        by_metric[point.metric].append(point)
    answer.summary = {name: _summed(points) for name, points in by_metric.items()}
    return answer


def _shown(case: Case, points: Counter[Point]) -> Counter[Point]:
    """Leave out what later attempts supersede.

    An attempt supersedes, of each metric and rank that it recorded itself, what earlier
    ones had from its first step on; and of a rank that it has no writer of, what earlier
    ones had of a metric from the first step on that any of its ranks recorded.
    """
    ranks: dict[int, set[int]] = defaultdict(set)
    for journal in case.journals:
        ranks[case.attempts[journal.attempt]].add(journal.header["rank"])
    begins: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    for point in points:
        for_rank = begins[point.metric, point.attempt]
        for_rank[point.rank] = min(point.step, for_rank.get(point.rank, point.step))

    def is_superseded(point: Point) -> bool:
        for attempt in range(point.attempt + 1, len(ranks) + 1):
            steps = begins.get((point.metric, attempt), {})
            begin = steps.get(point.rank)
            if begin is None and steps and point.rank not in ranks[attempt]:
                begin = min(steps.values())
            if begin is not None and begin <= point.step:
                return True
        return False

    shown = {one: count for one, count in points.items() if not is_superseded(one)}
    return Counter(shown)


def _points(journal: Journal, attempt: int) -> Iterator[Point]:
    declared = {
        record.value.number: record.value.names
        for record in journal.whole
        if record.kind == NAMES and isinstance(record.value, Names)
    }
    rank = journal.header["rank"]
    for record in journal.whole:
        if record.kind == POINTS and isinstance(record.value, Points):
            call = record.value
            unknown = [f"unnamed/{call.number}/{at}" for at in range(len(call.values))]
            names: Iterable[str] = declared.get(call.number, unknown)
            for name, value in zip(names, call.values, strict=True):
                kept = None if math.isnan(value) else value
                yield Point(name, call.step, call.time // 1000, kept, rank, attempt)


def _summed(points: list[Point]) -> MetricAnswer:
    last = max((point.step, point.time) for point in points)
    finite = [
        (point.value, point.step)
        for point in points
        if point.value is not None and math.isfinite(point.value)
    ]
    least = min(finite, default=(None, None))
    greatest = max(finite, key=lambda one: (one[0], -one[1]), default=(None, None))
    count = len(finite)
    mean = sum((Fraction(value) for value, _ in finite), Fraction()) / max(1, count)
    size = sum((abs(Fraction(value)) for value, _ in finite), Fraction()) / max(1, count)
    return MetricAnswer(
        currents=frozenset(
            point.value for point in points if (point.step, point.time) == last
        ),
        lasts=frozenset(point.value for point in points if point.step == last[0]),
        minimum=least[0],
        maximum=greatest[0],
        minimum_step=least[1],
        maximum_step=greatest[1],
        mean=mean if finite else None,
        # Of any order of additions; the least double is for what is rounded to nothing.
        slack=size * (count + 8) * _UNIT + Fraction(5e-324) * (count + 2),
        count=len(points),
        non_finite=len(points) - count,
        first_step=min(point.step for point in points),
        last_step=last[0],
    )


def _fields(case: Case) -> dict[str, Any]:
    """Columns of the run: from its starts and changes, attempt by attempt, and its end."""
    last = [one for one in case.journals if one.header["primary"]] or [*case.journals]
    end = {"attempt": len(case.attempts)} | end_of_ranks(case, last[-1])
    if not case.is_in_order:
        end.pop("finished_at", None)
        return end  # the rest depends on what was folded first
    primary = case.journals[0]
    fields: dict[str, Any] = dict.fromkeys(_STARTED_FIELDS + _CHANGED_FIELDS)
    fields |= {
        "name": primary.header["name"],
        "project": primary.header["project"],
        "group_name": None,
        "tags": [],
        "config": {},
        "created_at": None,
        "lost_calls": 0,
    }
    for journal in case.journals:
        for record in journal.whole:
            if record.kind == STARTED:
                _start(fields, record.value)
            elif record.kind == CHANGED:
                _change(fields, record.value)
    if fields["created_at"] is None:
        del fields["host"], fields["pid"]  # those of whichever writer was folded first
    return fields | dated(end, fields["created_at"])


def _start(fields: dict[str, Any], started: dict[str, Any]) -> None:
    for name in _STARTED_FIELDS:
        value = started.get(name)
        if value is not None and value != []:
            fields[name] = value
    fields["config"] = fields["config"] | started["config"]
    if fields["created_at"] is None:
        fields["created_at"] = started["time"] // 1000


def _change(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    for name in _CHANGED_FIELDS:
        if name in changed:
            fields[name] = changed[name]
    fields["config"] = fields["config"] | changed["config"]
    fields["lost_calls"] += changed.get("lost_calls", 0)


def _flat(config: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _text(value: Any) -> str | None:
    is_text = value is None or isinstance(value, str)
    return value if is_text else json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> float | None:
    if not isinstance(value, (bool, int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number
