"""A store's answers, compared with the model's."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from stepwell.store import Store

from ._curves import of_curves
from ._model import Answer, MetricAnswer, Point

_RUNS = """
select run_id::varchar as run_id, * exclude (run_id, created_at, finished_at),
    epoch_us(created_at) as created_at, epoch_us(finished_at) as finished_at
from runs
"""
_POINTS = """
select p.run_id::varchar, p.metric, p.step, epoch_us(p.time), p.value, p.rank, a.number
from points p join (select distinct run_id, attempt, number from attempts_) a
    on a.run_id = p.run_id and a.attempt = p.attempt
"""
_METRICS = """
select run_id::varchar, metric, step, epoch_us(time), value, rank, attempt from metrics
"""
_SUMMARY = """
select run_id::varchar, metric, current, min, max, min_step, max_step, mean, count,
    non_finite, first_step, last_step
from summary
"""
_PARAMS = "select run_id::varchar, key, text, number from params"
_SHOWN = 3
_CURVES_OF = 75  # runs: of one among so many


def differences(store: Store, answers: dict[str, Answer]) -> dict[str, list[str]]:
    """What a store says otherwise of each run, in words; empty where it is right."""
    found: dict[str, list[str]] = defaultdict(list)
    tables = _Tables(store)
    for place, (run_id, answer) in enumerate(answers.items()):
        row = tables.runs.get(run_id)
        if row is None:
            found[run_id].append("the run is not there")
            continue
        words = found[run_id]
        words += _of_fields(row, answer)
        words += _of_points("points", tables.points[run_id], answer.points)
        words += _of_points("metrics", tables.metrics[run_id], answer.shown)
        words += _of_summary(tables.summary[run_id], answer.summary)
        if "config" in answer.fields:
            words += _of_params(tables.params[run_id], answer)
        if place % _CURVES_OF == 0:
            words += of_curves(store, run_id, answer)
    return {run_id: words for run_id, words in found.items() if words}


class _Tables:
    """All that a store says, by run."""

    def __init__(self, store: Store) -> None:
        self.points = self._points(store, _POINTS)
        self.metrics = self._points(store, _METRICS)
        self.summary: dict[str, list[Any]] = defaultdict(list)
        for run_id, *rest in store.sql(_SUMMARY).fetchall():
            self.summary[run_id].append(rest)
        self.params: dict[str, list[Any]] = defaultdict(list)
        for run_id, *rest in store.sql(_PARAMS).fetchall():
            self.params[run_id].append(tuple(rest))
        found = store.sql(_RUNS)
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
        self.runs = {str(row["run_id"]): row for row in rows}

    @staticmethod
    def _points(store: Store, query: str) -> dict[str, Counter[Point]]:
        points: dict[str, Counter[Point]] = defaultdict(Counter)
        for run_id, metric, step, time, value, *rest in store.sql(query).fetchall():
            kept = None if value is None or math.isnan(value) else value
            points[run_id][Point(metric, step, time, kept, *rest)] += 1
        return points


def _of_fields(row: dict[str, Any], answer: Answer) -> Iterator[str]:
    for name, expected in answer.fields.items():
        got = row[name]
        if name in {"config", "layout"} and got is not None:
            got = json.loads(got)
        if name == "finished_at" and answer.fields.get("status") == "crashed":
            continue  # when its journal was last touched
        if got != expected:
            yield f"{name} is {got!r}, not {expected!r}"


def _of_points(what: str, got: Counter[Point], expected: Counter[Point]) -> Iterator[str]:
    for kind, rest in (("lacks", expected - got), ("has too many", got - expected)):
        if rest:
            shown = [tuple(point) for point in [*rest][:_SHOWN]]
            yield f"{what} {kind} {rest.total()} of {expected.total()}, as {shown!r}"


def _of_summary(rows: list[Any], expected: dict[str, MetricAnswer]) -> Iterator[str]:
    names = [row[0] for row in rows]
    if sorted(names) != sorted(expected):
        lacking, more = {*expected} - {*names}, {*names} - {*expected}
        yield f"summary lacks {sorted(lacking)!r}, has {sorted(more)!r} more"
    for metric, current, *rest in rows:
        answer = expected.get(metric)
        if answer is None:
            continue
        least, greatest, least_step, greatest_step, mean, *counts = rest
        if (None if current != current else current) not in answer.currents:  # noqa: PLR0124
            yield f"current of {metric!r} is {current!r}, not of {answer.currents!r}"
        exact = (least, greatest, least_step, greatest_step, *counts)
        right = (
            answer.minimum,
            answer.maximum,
            answer.minimum_step,
            answer.maximum_step,
            answer.count,
            answer.non_finite,
            answer.first_step,
            answer.last_step,
        )
        if exact != right:
            yield f"summary of {metric!r} is {exact!r}, not {right!r}"
        yield from _of_mean(metric, mean, answer)


def _of_mean(metric: str, mean: float | None, answer: MetricAnswer) -> Iterator[str]:
    if answer.mean is None or mean is None or not math.isfinite(mean):
        if answer.mean is not None or mean is not None:
            yield f"mean of {metric!r} is {mean!r}, not {_shown(answer.mean)}"
    elif abs(Fraction(mean) - answer.mean) > answer.slack:
        yield f"mean of {metric!r} is {mean!r}, not {_shown(answer.mean)}"


def _shown(mean: Fraction | None) -> str:
    return "absent" if mean is None else repr(float(mean))


def _of_params(rows: list[Any], answer: Answer) -> Iterator[str]:
    expected = answer.params
    keys = Counter(key for key, *_ in expected)
    twice = {key for key, count in keys.items() if count > 1}  # not to be told apart
    got = {key: _plain(rest) for key, *rest in rows if key not in twice}
    right = {key: _plain(rest) for key, *rest in expected if key not in twice}
    if got != right:
        wrong = sorted(key for key in {*got, *right} if got.get(key) != right.get(key))
        shown = [(key, got.get(key), right.get(key)) for key in wrong[:_SHOWN]]
        yield f"params (key, is, not) {shown!r}"


def _plain(values: list[Any]) -> tuple[Any, ...]:
    return tuple(None if one != one else one for one in values)  # noqa: PLR0124 (NaN)
