"""Totals and means of any doubles, however they were folded, merged and counted."""

import math
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stepwell.store import Store, examine, merge_stores, repair_store
from stepwell.store.base.ids import new_run_id
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
MOST = 1.7976931348623157e308
KINDS = [MOST, -MOST, 1e308, -1e308, 5e-324, -5e-324, 2e-310, 0.0, 1.0, 1e300]
ODD = [*KINDS, math.nan, math.inf, -math.inf]

SERIES: dict[str, list[float]] = {
    "up": [1e308] * 60,
    "both": [1e308, -1e308] * 30,
    "mostly_up": [MOST] * 59 + [-MOST],
    "down": [-MOST] * 60,
    "small": [5e-324] * 60,
    "odd": [math.nan, MOST, math.inf, MOST, -math.inf, MOST] * 10,
    "none": [math.nan, math.inf] * 30,
    "plain": [float(number) for number in range(60)],
} | {
    f"random_{seed}": random.Random(seed).choices(ODD if seed % 2 else KINDS, k=60)
    for seed in range(12)
}


def record(recorder: Any, steps: range) -> None:
    for step in steps:
        recorder.log({name: values[step] for name, values in SERIES.items()}, step)


def check(store: Store, run: str, times: int = 1) -> None:
    """Compare what a store says of each series with exact arithmetic."""
    summary = store.summary(run)
    assert set(summary) == set(SERIES)
    for name, values in SERIES.items():
        finite = [value for value in values if math.isfinite(value)]
        found = summary[name]
        assert found.count == times * len(values)
        assert found.non_finite == times * (len(values) - len(finite))
        if not finite:
            assert math.isnan(found.mean)
            continue
        assert (found.min, found.max) == (min(finite), max(finite))
        exact = float(sum(map(Fraction, finite)) / len(finite))
        lost = 1e-14 * max(map(abs, finite)) + 5e-324
        assert min(finite) <= found.mean <= max(finite), name
        assert abs(found.mean / 2 - exact / 2) <= lost, (name, found.mean, exact)


def is_well(path: Path) -> bool:
    return all(finding.is_ok for finding in examine(path))


@pytest.mark.parametrize("each", [60, 7])
def test_means_are_right_however_many_folds_there_were(
    store_path: Path, make_writer: MakeWriter, each: int
) -> None:
    recorder = make_writer().recorder()
    for start in range(0, 60, each):
        record(recorder, range(start, min(60, start + each)))
        fold(lease_of(resolve(store_path)))

    with Store(store_path) as store:
        check(store, "last")
        means = {name: one.mean for name, one in store.summary("last").items()}
    assert (means["up"], means["down"], means["small"]) == (1e308, -MOST, 5e-324)
    assert means["both"] == 0
    assert is_well(store_path)


def test_ranks_whose_totals_are_finite_may_overflow_together(
    store_path: Path, make_writer: MakeWriter
) -> None:
    run_id = new_run_id()
    for rank in range(3):
        writer = make_writer(run_id=run_id, rank=rank, primary=rank == 0)
        writer.recorder().log({"q": MOST / (rank + 1), "t": 5e-324}, 0)

    with Store(store_path) as store:
        summary = store.summary(run_id)
    assert summary["q"].mean == pytest.approx(MOST / 18 * 11)
    assert summary["t"].mean == 5e-324
    assert is_well(store_path)


def test_what_a_later_attempt_leaves_of_them_is_right(
    store_path: Path, make_writer: MakeWriter
) -> None:
    run_id = new_run_id()
    first = make_writer(run_id=run_id, process_started=1)
    record(first.recorder(), range(60))
    first.abandon()
    fold(lease_of(resolve(store_path)))
    record(make_writer(run_id=run_id, attempt=7, follows=1).recorder(), range(20, 60))

    with Store(store_path) as store:
        check(store, run_id)
    assert is_well(store_path)


def test_merged_copied_and_repaired_stores_say_the_same(
    store_path: Path, make_writer: MakeWriter, tmp_path: Path
) -> None:
    recorder = make_writer().recorder()
    record(recorder, range(30))
    (half,) = merge_stores([store_path], tmp_path / "merged.duckdb")
    record(recorder, range(30, 60))
    merged, repaired = tmp_path / "merged.duckdb", tmp_path / "repaired.duckdb"

    assert merge_stores([store_path], merged)[0].points == half.points
    assert merge_stores([store_path], merged)[0].points == 0
    repair_store(store_path, repaired)
    for path in (merged, repaired):
        with Store(path) as store:
            check(store, "last")
        assert is_well(path)


def test_a_total_of_other_points_is_still_found(
    store_path: Path, make_writer: MakeWriter
) -> None:
    record(make_writer().recorder(), range(60))
    fold(lease_of(resolve(store_path)))
    with duckdb.connect(str(store_path)) as connection:
        connection.execute("update totals_ set total = total + 1 where metric = 'plain'")
        connection.execute("update totals_ set count = count + 1 where metric = 'up'")

    (found,) = [finding for finding in examine(store_path) if not finding.is_ok]
    assert "disagree for 2 metrics" in found.message
