"""Of several points of one step the one that was logged last is the last one."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell.store import Store, compact_store
from stepwell.store.base.ids import new_writer_id
from stepwell.store.queries import series
from stepwell.store.recording.run_writer import RunWriter


class Clock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.time = time.time_ns()

    def now(self) -> int:
        return self.time


@pytest.fixture
def several(store_path: Path, make_writer: Callable[..., RunWriter]) -> Store:
    """Ten steps of four ranks; the one that is folded first is always the last to log."""
    writers: list[Any] = []
    for rank in range(4):
        run = {"run_id": writers[0].header.run_id} if writers else {}
        known = {"writer": f"{rank}{new_writer_id()[1:]}", "rank": rank}
        writers.append(make_writer(**run, **known, primary=rank == 0))
        writers[-1].clock = Clock()
    begun = writers[0].clock.time
    for step in range(10):
        for rank, writer in enumerate(writers):
            writer.clock.time = begun + step * 10**9 - rank * 10**6
            value = math.nan if step == 4 and rank == 0 else 10.0 * step + rank
            writer.write_points(step, {"loss": value, "other": -value})
            writer.write_points(step, {"own": 1.0} if step % 3 else {})
    for writer in writers:
        writer.finish("finished", None)
    return Store(store_path)


@pytest.mark.parametrize("columns", [1, 2, 5, 100])
@pytest.mark.parametrize("most", [4_000_000, 3])
@pytest.mark.parametrize("compacted", [False, True])
def test_a_buckets_last_point_is_the_one_logged_last(
    several: Store,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    most: int,
    compacted: bool,
) -> None:
    monkeypatch.setattr(series, "_POINTS_AT_A_TIME", most)
    if compacted:
        compact_store(several.location)

    found = several.reduced("lone", ["loss", "other", "own"], columns=columns)

    for metric, sign in (("loss", 1), ("other", -1)):
        last = found[metric].last_step * 10.0 * sign
        expected = np.where(found[metric].last_step == 4, math.nan, last)
        np.testing.assert_array_equal(found[metric].last, expected)
        assert found[metric].points == 40
    whole = several.series("lone", "loss")
    assert found["loss"].last[-1] == whole.values[-1] == 90.0


def test_names_that_differ_by_a_nul_alone_are_told_apart(
    store_path: Path, make_writer: Callable[..., RunWriter]
) -> None:
    names = ["loss", "loss\0", "\0", "loss\0x"]  # `log` refuses them, a journal may not
    writer = make_writer()
    for value in range(3):
        writer.write_points(0, {name: value + 10.0 * n for n, name in enumerate(names)})
    writer.finish("finished", None)

    found = Store(store_path).reduced("lone", names, columns=5)

    for n, name in enumerate(names):
        assert found[name].last.tolist() == [2.0 + 10.0 * n]
        assert found[name].minimum.tolist() == [10.0 * n]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 39, 40, 41])
def test_the_newest_points_are_those_logged_last(several: Store, count: int) -> None:
    found = several.reduced("lone", ["loss"], columns=100, last_points=count)["loss"]
    newest = several.series("lone", "loss").values[-count:]

    assert found.points == len(newest)
    assert found.last[-1] == 90.0
    assert np.nanmin(found.minimum) == np.nanmin(newest)
    assert found.maximum[0] == np.nanmax(newest[: found.count[0]])
