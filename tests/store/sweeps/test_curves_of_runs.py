"""Curves of many runs share one x axis and lose no extreme."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from stepwell.store import (
    ConfigurationError,
    LookupFailedError,
    MetricNotFoundError,
    RunInfo,
    Store,
    start_run,
)
from stepwell.store.sweeps.downsample_runs import Axis, Points, reduce_runs

Floats = NDArray[np.float64]


def xs_of(store: Store, run: RunInfo, x: str) -> tuple[Floats, Floats]:
    """x and values of a run's loss, from its points alone, by x."""
    try:
        series = store.series(run, "loss")
    except LookupFailedError:
        return np.empty(0), np.empty(0)
    seconds = series.times.astype(np.int64) / 1e6
    found: Floats
    if x == "step":
        found = series.steps.astype(float)
    elif x == "time":
        found = seconds
    elif x == "elapsed":
        begun = np.float64(run.created_at.timestamp() * 1e6)
        found = np.asarray((series.times.astype(np.int64) - begun) / 1e6, np.float64)
    else:
        try:
            other = store.series(run, x)
        except LookupFailedError:
            return np.empty(0), np.empty(0)
        before = [other.values[other.steps <= step] for step in series.steps]
        found = np.array([part[-1] if part.size else math.nan for part in before])
    known = np.isfinite(found)
    order = np.argsort(found[known], kind="stable")
    return found[known][order], series.values[known][order]


@pytest.mark.parametrize("x", ["step", "time", "elapsed", "odd"])
@pytest.mark.parametrize("columns", [1, 3, 1000])
def test_every_bucket_is_what_its_points_say(
    mixed_store: Store, x: str, columns: int
) -> None:
    curves = mixed_store.curves("loss", x=x, columns=columns)

    runs = {run.run_id: run for run in mixed_store.runs()}
    points = {run_id: xs_of(mixed_store, run, x) for run_id, run in runs.items()}
    assert set(curves) == {run_id for run_id, (xs, _) in points.items() if xs.size}
    for run_id, curve in curves.items():
        xs, values = points[run_id]
        assert (curve.run_id, curve.run) == (run_id, runs[run_id].name)
        assert (np.diff(curve.bucket) > 0).all()
        assert (curve.bucket >= 0).all()
        assert (curve.bucket < columns).all()
        assert len(curve) == len(curve.x) == len(np.unique(curve.x))
        assert curve.count.sum() == len(xs)
        edges = np.cumsum(curve.count)[:-1]
        for place, (part, there) in enumerate(
            zip(np.split(values, edges), np.split(xs, edges), strict=True)
        ):
            finite = part[np.isfinite(part)]
            expected = (
                (finite.min(), finite.max(), finite.mean())
                if finite.size
                else [math.nan] * 3
            )
            found = (curve.minimum[place], curve.maximum[place], curve.mean[place])
            np.testing.assert_allclose(found, expected, rtol=1e-12)
            np.testing.assert_equal(curve.last[place], part[-1])
            assert curve.x[place] <= there[0] + 1e-6


def test_equal_buckets_have_equal_x_in_all_runs(mixed_store: Store) -> None:
    for x in ("step", "elapsed", "odd"):
        at: dict[int, set[float]] = {}
        for curve in mixed_store.curves("loss", x=x, columns=4).values():
            for bucket, value in zip(curve.bucket.tolist(), curve.x.tolist(), strict=True):
                at.setdefault(bucket, set()).add(value)
        assert all(len(values) == 1 for values in at.values())


def test_with_columns_enough_the_points_themselves_are_given(mixed_store: Store) -> None:
    curve = next(iter(mixed_store.curves("loss", runs="plain").values()))

    assert curve.x.tolist() == [0, 1, 2, 3]
    assert curve.mean.tolist() == curve.last.tolist() == [3, 2, 1, 1.5]
    late = next(iter(mixed_store.curves("loss", runs="late").values()))
    assert late.x.tolist() == [1, 3, 7, 9]
    assert late.count.tolist() == [1, 2, 1, 1]
    redone = next(iter(mixed_store.curves("loss", runs="redone").values()))
    assert redone.minimum.tolist() == [0.9] * 5 + [0.75, 0.74, 0.73]


def test_a_curve_of_nan_has_buckets_without_a_value(mixed_store: Store) -> None:
    (curve,) = mixed_store.curves("loss", runs="nan", columns=2).values()

    assert curve.count.tolist() == [2, 1]
    assert np.isnan([curve.minimum, curve.maximum, curve.mean, curve.last]).all()


def test_a_window_leaves_out_what_is_outside(mixed_store: Store) -> None:
    (curve,) = mixed_store.curves("loss", runs="plain", first=1, last=2).values()
    assert curve.x.tolist() == [1, 2]
    (curve,) = mixed_store.curves("loss", runs="plain", first=0.5, last=1.5).values()
    assert curve.x.tolist() == [1]
    (curve,) = mixed_store.curves("loss", runs="plain", x="odd", first=2).values()
    assert curve.mean.tolist() == [1, 1.5]
    assert mixed_store.curves("loss", first=1000) == {}
    assert mixed_store.curves("loss", first=3, last=2) == {}
    assert mixed_store.curves("loss", first=1.2, last=1.8) == {}
    now = datetime.now(UTC)
    assert mixed_store.curves("loss", x="time", first=now.replace(year=now.year + 1)) == {}
    whole = mixed_store.curves("loss", x="time", first=datetime(2020, 1, 1))  # noqa: DTZ001
    assert len(whole) == len(mixed_store.curves("loss"))


def test_curves_are_in_order_of_age_and_only_of_runs_with_the_metric(
    mixed_store: Store,
) -> None:
    names = [curve.run for curve in mixed_store.curves("loss").values()]

    with_loss = [run.name for run in mixed_store.runs()[::-1] if run.name[:2] != "no"]
    assert names == with_loss
    assert mixed_store.curves("loss", runs=[]) == {}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"metric": "losss"}, MetricNotFoundError, "did you mean 'loss'"),
        ({"x": "epok"}, MetricNotFoundError, "metric 'epok'"),
        ({"columns": 0}, ConfigurationError, "columns must be 1 or more, not 0"),
        ({"first": math.nan}, ConfigurationError, "must be a number, not nan"),
    ],
)
def test_bad_arguments_are_said(
    mixed_store: Store, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        mixed_store.curves(**{"metric": "loss", **arguments})


def test_runs_with_steps_far_apart_share_an_axis(tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    for steps in ((-(2**63), 0), (2**63 - 1, 5)):
        run = start_run(store=path)
        for step in steps:
            run.log({"loss": step}, step=step)
        run.finish()

    one, other = Store(path).curves("loss", columns=2).values()

    assert one.bucket.tolist() == [0, 1]
    assert one.mean.tolist() == [-(2.0**63), 0]
    assert other.bucket.tolist() == [1]
    assert other.maximum.tolist() == [2.0**63]


@settings(max_examples=60, deadline=None)
@given(
    values=hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(width=32)),
    columns=st.integers(1, 12),
    as_steps=st.booleans(),
    data=st.data(),
)
def test_points_reduce_as_plain_loops_say(
    values: Floats, columns: int, as_steps: bool, data: st.DataObject
) -> None:
    size = len(values)
    place = data.draw(hnp.arrays(np.int32, size, elements=st.integers(0, 3)))
    if as_steps:
        axis = Axis(-5, 20, columns)
        x: Any = data.draw(hnp.arrays(np.int64, size, elements=st.integers(-5, 20)))
    else:
        axis = Axis(-5.0, 20.0, columns)
        x = data.draw(hnp.arrays(np.float64, size, elements=st.floats(-5, 20)))

    found = reduce_runs(Points.sorted_by(place, x, values), axis)

    rows: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for row, bucket in enumerate(axis.buckets(x).tolist()):
        assert 0 <= bucket < columns
        rows.setdefault((int(place[row]), bucket), []).append((x[row], row))
    assert list(zip(found.place.tolist(), found.bucket.tolist(), strict=True)) == sorted(
        rows
    )
    for number, key in enumerate(sorted(rows)):
        inside = sorted(rows[key])
        part = values[[row for _, row in inside]]
        finite = part[np.isfinite(part)]
        assert found.count[number] == len(part)
        assert found.x[number] == inside[0][0]
        np.testing.assert_equal(found.last[number], part[-1])
        np.testing.assert_allclose(
            found.minimum[number], min(finite, default=math.nan), rtol=0
        )
        np.testing.assert_allclose(
            found.maximum[number], max(finite, default=math.nan), rtol=0
        )
        mean = math.fsum(finite) / len(finite) if finite.size else math.nan
        np.testing.assert_allclose(found.mean[number], mean, rtol=1e-6, atol=1e-6)
