"""What the store answers is what the points say."""

import math
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import stepwell
from stepwell import Run
from stepwell.store import (
    AmbiguousRunError,
    ConfigurationError,
    MetricNotFoundError,
    ReducedSeries,
    RunNotFoundError,
    Store,
    start_run,
)
from stepwell.store.queries.downsample import reduce_points
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def record(path: Path, name: str, metrics: dict[str, Any], **arguments: Any) -> Run:
    """A finished run with the values of each metric, a step each."""
    run = start_run(name=name, store=path, **arguments)
    for number in range(max((len(values) for values in metrics.values()), default=0)):
        run.log(
            {m: values[number] for m, values in metrics.items() if number < len(values)}
        )
    run.finish()
    return run


# Which runs.


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store_path = tmp_path_factory.mktemp("four") / "runs.duckdb"
    record(store_path, "a", {}, project="p", group="g", tags=["x", "y"])
    record(store_path, "b", {}, project="p", group="h", tags=["y"])
    start_run(project="q", name="c", store=store_path).finish("failed")
    record(store_path, "a", {}, project="q")
    return Store(store_path)


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ({}, "acba"),
        ({"project": "p"}, "ba"),
        ({"project": "q"}, "ac"),
        ({"project": ""}, ""),
        ({"group": "g"}, "a"),
        ({"tag": "y"}, "ba"),
        ({"tag": "z"}, ""),
        ({"status": "failed"}, "c"),
        ({"status": "running"}, ""),
        ({"project": "p", "tag": "x"}, "a"),
        ({"limit": 2}, "ac"),
        ({"limit": 0}, ""),
        ({"project": "' or true --"}, ""),
    ],
)
def test_runs_fit_every_condition_newest_first(
    four: Store, conditions: dict[str, Any], names: str
) -> None:
    assert "".join(run.name for run in four.runs(**conditions)) == names


def test_a_limit_is_not_below_zero(four: Store) -> None:
    with pytest.raises(ConfigurationError, match="limit must be 0 or more"):
        four.runs(limit=-1)


def test_a_run_is_found_by_id_part_name_and_last(four: Store) -> None:
    newest, third, *_ = four.runs()

    assert four.run("last").run_id == newest.run_id
    assert four.run("a").run_id == newest.run_id  # of two, the newest
    assert four.run("c").run_id == third.run_id
    for text in (third.run_id, third.run_id.upper(), third.run_id.replace("-", "")):
        assert four.run(text).run_id == third.run_id
    assert four.run(third.run_id[-8:]).run_id == third.run_id
    assert four.run(third.run_id[:30]).run_id == third.run_id


def test_a_part_that_fits_several_runs_is_ambiguous(four: Store) -> None:
    prefix = four.run("last").run_id[:6]

    with pytest.raises(AmbiguousRunError, match=r"fits 4 runs \(a ….*give more of the id"):
        four.run(prefix)


@pytest.mark.parametrize(
    "reference", ["", "nobody", "ffff", "%", "_", "'", "\ud800", "\0", "x" * 5000]
)
def test_a_run_that_is_not_there_is_said(four: Store, reference: str) -> None:
    with pytest.raises(RunNotFoundError, match="`stepwell ls` lists the runs"):
        four.run(reference)
    assert four.find(reference) is None


def test_no_runs_is_no_error(store_path: Path) -> None:
    store = Store(store_path)

    assert (store.runs(), store.overview()) == ([], [])
    with pytest.raises(RunNotFoundError):
        store.run("last")


def test_times_are_in_utc(store_path: Path) -> None:
    before = datetime.now(UTC)
    record(store_path, "a", {"loss": [1.0]})
    after = datetime.now(UTC)
    run = Store(store_path).run("a")

    assert run.finished_at
    assert before <= run.created_at <= run.finished_at <= after
    assert 0 <= run.duration_seconds <= 60
    time = Store(store_path).series(run, "loss").times[0]
    assert np.datetime64(before.replace(tzinfo=None)) <= time
    assert time <= np.datetime64(after.replace(tzinfo=None))


# What they recorded.


def test_a_series_is_sorted_by_step_then_time(store_path: Path) -> None:
    run = start_run(store=store_path)
    for place, step in enumerate([5, 1, 3, 3, -2, 1]):
        run.log({"loss": place}, step)
    series = run.series("loss")
    run.finish()

    assert series.steps.tolist() == [-2, 1, 1, 3, 3, 5]
    assert series.values.tolist() == [4, 1, 5, 2, 3, 0]
    assert (series.run_id, series.metric, len(series)) == (run.id, "loss", 6)
    assert series.steps.dtype == np.dtype("int64")
    assert series.values.dtype == np.dtype("float64")
    assert series.times.dtype == np.dtype("datetime64[us]")


@pytest.mark.parametrize(
    ("metric", "advice"),
    [
        ("los", "did you mean 'loss'"),
        ("zzz", "it has accuracy, loss"),
        ("", "it has"),
        ("\ud800", "it has"),
    ],
)
def test_a_metric_that_is_not_there_is_said(
    store_path: Path, metric: str, advice: str
) -> None:
    record(store_path, "first", {"loss": [1], "accuracy": [1]})

    with pytest.raises(MetricNotFoundError, match=f"run 'first' has no metric.*{advice}"):
        Store(store_path).series("last", metric)


def test_a_run_without_metrics_has_none(store_path: Path) -> None:
    record(store_path, "first", {})
    store = Store(store_path)

    assert store.summary("last") == {}
    assert store.reduced("last") == {}
    with pytest.raises(MetricNotFoundError, match="it has no metric yet"):
        store.series("last", "loss")


def test_the_summary_is_of_the_finite_values(store_path: Path) -> None:
    nan, inf = math.nan, math.inf
    record(
        store_path,
        "first",
        {"loss": [3.0, 1.0, nan, 1.0, inf, 7.0, 7.0, -inf, 2.0], "lost": [nan, inf]},
    )

    loss = Store(store_path).summary("last")["loss"]
    assert (loss.min, loss.max, loss.mean, loss.current) == (1.0, 7.0, 3.5, 2.0)
    assert (loss.count, loss.non_finite, loss.last_step) == (9, 3, 8)
    assert (loss.min_step, loss.max_step) == (1, 5)  # the first such
    lost = Store(store_path).summary("last")["lost"]
    assert [math.isnan(value) for value in (lost.min, lost.max, lost.mean)] == [True] * 3
    assert (lost.min_step, lost.max_step, lost.non_finite) == (None, None, 2)
    assert lost.current == inf


def test_metrics_stand_in_the_order_of_their_first_appearance(store_path: Path) -> None:
    run = start_run(store=store_path)
    run.log({"zeta": 1, "alpha": 1})
    run.log({"mid": 1, "alpha": 2})

    assert list(run.summary()) == ["zeta", "alpha", "mid"]
    run.log({"early": 1}, step=-100)
    assert list(run.summary()) == ["zeta", "alpha", "mid", "early"]
    run.finish()


def test_the_overview_agrees_with_the_summaries(store_path: Path) -> None:
    record(store_path, "a", {"loss": [3.0, 2.0], "accuracy": [0.5]})
    record(store_path, "b", {})
    record(store_path, "c", {"x": [math.nan]}, project="p")
    store = Store(store_path)

    rows = store.overview()

    assert [row.run for row in rows] == store.runs()
    for row in rows:
        summary = store.summary(row.run)
        assert row.points == sum(metric.count for metric in summary.values())
        assert repr(row.current) == repr({m: v.current for m, v in summary.items()})
        steps = [metric.last_step for metric in summary.values()]
        assert row.last_step == max(steps, default=None)
        assert (row.last_time is None) == (not steps)
    assert [row.run.name for row in store.overview(project="p")] == ["c"]
    assert [row.run.name for row in store.overview(limit=1, status="finished")] == ["c"]


# Reduced to pixel columns.


def plainly(metric: str, steps: Ints, values: Floats, origin: int, width: int) -> Any:
    """The reduction, one bucket after the other in plain Python."""
    buckets: dict[int, list[tuple[int, float]]] = {}
    for step, value in zip(steps.tolist(), values.tolist(), strict=True):
        buckets.setdefault((step - origin) // width, []).append((step, value))
    found = []
    for _, points in sorted(buckets.items()):
        finite = [(value, step) for step, value in points if math.isfinite(value)]
        least = min(finite, default=(math.nan, points[0][0]))
        greatest = min(((-v, s) for v, s in finite), default=(math.nan, points[0][0]))
        mean = math.nan
        if finite:
            with np.errstate(over="ignore"):
                mean = float(np.sum([value for value, _ in finite])) / len(finite)
        found.append(
            (points[0][0], points[-1][0], least[0] + 0, -greatest[0] + 0, mean, least[1],
             greatest[1], points[-1][1] + 0, len(points), len(points) - len(finite))
        )  # fmt: skip
    return found


def rows_of(reduced: ReducedSeries) -> list[tuple[Any, ...]]:
    names = [field.name for field in fields(reduced)][1:11]
    columns = [(getattr(reduced, name) + 0).tolist() for name in names]  # -0.0 is 0.0
    return list(zip(*columns, strict=True))


def check(reduced: ReducedSeries, expected: list[tuple[Any, ...]]) -> None:
    found = rows_of(reduced)
    assert len(found) == len(expected)
    for row, plain in zip(found, expected, strict=True):
        assert row[4] == pytest.approx(plain[4], rel=1e-9, abs=1e-9, nan_ok=True)
        assert repr(row[:4] + row[5:]) == repr(plain[:4] + plain[5:])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_reduction_is_that_of_plain_python(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 120))
    spread = data.draw(st.sampled_from([3, 50, 10_000, 2**63 - 1]))
    steps = np.sort(
        data.draw(hnp.arrays(np.int64, count, elements=st.integers(-spread, spread)))
    )
    element = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0])
    values = data.draw(hnp.arrays(np.float64, count, elements=element))
    columns = data.draw(st.sampled_from([1, 2, 7, 1000]))
    origin = (
        int(steps[0]) - data.draw(st.integers(0, 3)) if spread < 2**62 else int(steps[0])
    )
    width = -(-(int(steps[-1]) - origin + 1) // columns)

    reduced = reduce_points("m", steps, values, origin=origin, width=width)

    check(reduced, plainly("m", steps, values, origin, width))
    odd = ~np.isfinite(values)
    assert reduced.non_finite_steps.tolist() == steps[odd].tolist()
    assert repr(reduced.non_finite_values.tolist()) == repr(values[odd].tolist())
    assert reduced.points == count
    assert len(reduced.count) <= columns


def test_extreme_steps_are_reduced_without_an_overflow(store_path: Path) -> None:
    run = start_run(store=store_path)
    for step in (-(2**63), -1, 0, 5, 2**63 - 1):
        run.log({"loss": float(step)}, step)
    run.finish()

    for columns in (1, 2, 1000):
        reduced = Store(store_path).reduced("last", columns=columns)["loss"]
        assert reduced.count.sum() == 5
        assert len(reduced.count) <= min(columns, 3)
        assert (reduced.minimum.min(), reduced.maximum.max()) == (-(2.0**63), 2.0**63)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("noisy") / "runs.duckdb"
    random = np.random.default_rng(3)
    values = random.normal(size=(4, 3000))
    values[1, 500:520] = math.nan
    values[1, 2999] = math.inf
    values[2, 1234] = 1e9
    names = ("clean", "holes", "spike", "short")
    run = start_run(store=path)
    for step in range(3000):
        row = {name: values[place, step] for place, name in enumerate(names)}
        if step >= 40:
            del row["short"]
        run.log(row, step if step % 2 else step - 1)  # each odd step but one twice
    run.finish()
    return Store(path)


@pytest.mark.parametrize("columns", [1, 10, 333, 5000])
@pytest.mark.parametrize(
    "bounds", [{}, {"first_step": 100}, {"last_step": 1500},
               {"first_step": 501, "last_step": 502}, {"last_points": 77},
               {"first_step": 100, "last_points": 10**6}],
)  # fmt: skip
@pytest.mark.parametrize("at_a_time", [4_000_000, 2500])
def test_a_run_is_reduced_as_its_series_are(
    noisy: Store,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    bounds: dict[str, Any],
    at_a_time: int,
) -> None:
    monkeypatch.setattr("stepwell.store.queries.series._POINTS_AT_A_TIME", at_a_time)
    whole: dict[str, tuple[Ints, Floats]] = {}
    for metric in ("clean", "holes", "spike", "short"):
        series = noisy.series("last", metric)
        steps, values = series.steps, series.values
        inside = (steps >= bounds.get("first_step", -1)) & (
            steps <= bounds.get("last_step", 10**9)
        )
        steps, values = steps[inside], values[inside]
        last = bounds.get("last_points", len(steps))
        if last and len(steps):
            whole[metric] = steps[-last:], values[-last:]

    reduced = noisy.reduced("last", columns=columns, **bounds)

    assert list(reduced) == list(whole)
    if at_a_time > 10**6 or "last_points" in bounds:  # else bounds are not looked up
        origin = min(int(steps[0]) for steps, _ in whole.values())
        end = max(int(steps[-1]) for steps, _ in whole.values())
        width = -(-(end - origin + 1) // columns)
        for metric, (steps, values) in whole.items():
            check(reduced[metric], plainly(metric, steps, values, origin, width))
    for metric, (steps, values) in whole.items():
        found = reduced[metric]
        assert (found.points, len(found.count) <= columns) == (len(steps), True)
        finite = values[np.isfinite(values)]
        if finite.size:
            assert np.nanmax(found.maximum) == finite.max()
            assert np.nanmin(found.minimum) == finite.min()


def test_only_the_metrics_asked_for_are_reduced(noisy: Store) -> None:
    assert list(noisy.reduced("last", ["spike", "no such", "clean"])) == ["spike", "clean"]
    assert noisy.reduced("last", ["no such"]) == {}
    assert noisy.reduced("last", ["spike"], first_step=10**6) == {}
    assert noisy.reduced("last", []) == {}


@pytest.mark.parametrize("argument", ["columns", "last_points"])
def test_a_reduction_needs_at_least_one(noisy: Store, argument: str) -> None:
    arguments: dict[str, Any] = {argument: 0}
    with pytest.raises(ConfigurationError, match=f"{argument} must be 1 or more, not 0"):
        noisy.reduced("last", **arguments)


def test_every_answer_holds_each_call_that_has_returned(store_path: Path) -> None:
    run = stepwell.init(store=store_path)
    store = Store(store_path)
    for number in range(1, 15):
        run.log({"loss": number})
        assert store.summary(run.id)["loss"].count == number
        assert len(store.series(run.id, "loss")) == number
        assert store.sql("select count(*) from points").fetchall() == [(number,)]
    run.finish()
