"""Answers about many runs become data frames of the same columns, types and values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stepwell.store import Store
from stepwell.store.queries.downsample import reduce_points

pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, make_sweep: Callable[..., Store]
) -> Store:
    configs: list[dict[str, Any]] = [
        {"lr": 0.1, "kind": "a", "seed": 0},
        {"lr": 0.1, "kind": "a", "seed": 1},
        {"lr": 0.2, "seed": 0},
        {"kind": "b", "seed": 1},
    ]
    values = [1.0, 2.0, float("nan"), 4.0]
    return make_sweep(tmp_path_factory.mktemp("frames") / "s.duckdb", configs, values)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.leaderboard("loss"),
        lambda store: store.sweep_table("loss"),
        lambda store: store.group_by("loss", "lr"),
        lambda store: store.importance("loss"),
        lambda store: store.series("last", "loss"),
        lambda store: store.reduced("last")["loss"],
        lambda store: next(iter(store.curves("loss").values())),
    ],
    ids="leaderboard sweep_table group_by importance series reduced curve".split(),
)
def test_a_table_is_a_frame(store: Store, ask: Callable[[Store], Any]) -> None:
    table = ask(store)
    frame = table.to_pandas()
    columns = table.columns()

    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == list(columns)
    assert len(frame) == len(table) > 0
    for name, column in columns.items():
        if np.issubdtype(column.dtype, np.number):
            assert frame[name].dtype == column.dtype
            np.testing.assert_array_equal(frame[name].to_numpy(), column)
        elif column.dtype == object:
            shown = [None if pandas.isna(cell) else cell for cell in frame[name]]
            assert shown == column.tolist()


def test_a_frame_has_the_times_of_the_runs(store: Store) -> None:
    table = store.sweep_table("loss")
    frame = table.to_pandas()

    np.testing.assert_array_equal(frame["created_at"].to_numpy(), table.created_at)
    assert frame["loss"].isna().tolist() == [False, False, True, False]
    assert frame["kind"].isna().tolist() == [False, False, True, False]


def test_a_series_is_a_frame_with_its_times(store: Store) -> None:
    series = store.series("r0", "loss")
    frame = series.to_pandas()

    assert list(frame.columns) == ["step", "time", "value"]
    np.testing.assert_array_equal(frame["time"].to_numpy(), series.times)
    frame.loc[0, "value"] = 5.0
    assert series.values.tolist() == [1.0]  # the frame is a copy


def test_a_reduced_series_is_a_frame_of_its_buckets() -> None:
    steps, values = np.arange(7), np.array([3.0, 1, np.nan, 5, 4, 4, np.inf])
    reduced = reduce_points("loss", steps, values, origin=0, width=3)
    frame = reduced.to_pandas()

    points = pandas.DataFrame({"step": steps, "value": values})
    points["finite"] = points["value"].where(np.isfinite(points["value"]))
    buckets = points.groupby(points["step"] // 3)
    assert len(frame) == len(reduced) == 3
    for column, expected in {
        "first_step": buckets["step"].min(),
        "last_step": buckets["step"].max(),
        "minimum": buckets["finite"].min(),
        "maximum": buckets["finite"].max(),
        "mean": buckets["finite"].mean(),
        "count": buckets["step"].count(),
    }.items():
        np.testing.assert_array_equal(frame[column].to_numpy(), expected.to_numpy())
    assert frame["minimum_step"].tolist() == [1, 4, 6]
    assert frame["maximum_step"].tolist() == [0, 3, 6]
    assert frame["last"].isna().tolist() == [True, False, False]
    assert frame["non_finite"].tolist() == [1, 0, 1]
    frame.loc[0, "count"] = 9
    assert reduced.count.tolist() == [3, 3, 1]  # the frame is a copy


def test_an_answer_without_rows_keeps_its_columns(store: Store) -> None:
    frame = store.leaderboard("loss", runs=[]).to_pandas()

    assert len(frame) == 0
    assert "value" in frame.columns
