"""A leaderboard ranks the runs by what their points say."""

import contextlib
import math
from typing import Any

import numpy as np
import pytest

from stepwell.store import (
    ConfigurationError,
    LookupFailedError,
    MetricNotFoundError,
    RunNotFoundError,
    Selection,
    Series,
    Store,
)


@pytest.fixture(scope="module")
def all_points(mixed_store: Store) -> dict[tuple[str, str], Series]:
    """The points of each run and metric that has any."""
    found = {}
    for run in mixed_store.runs():
        for metric in ("loss", "acc"):
            with contextlib.suppress(LookupFailedError):
                found[run.run_id, metric] = mixed_store.series(run, metric)
    return found


def value_of(series: Series | None, goal: str, at: Any) -> float:
    """A run's value from its points alone; NaN where there is no finite one."""
    if series is None:
        return math.nan
    finite = series.values[np.isfinite(series.values)]
    if at == "best":
        if not finite.size:
            return math.nan
        return float(finite.min() if goal == "min" else finite.max())
    upto = series.values if at == "last" else series.values[series.steps <= at]
    return float(upto[-1]) if upto.size and math.isfinite(upto[-1]) else math.nan


@pytest.mark.parametrize("metric", ["loss", "acc"])
@pytest.mark.parametrize("goal", ["min", "max"])
@pytest.mark.parametrize("at", ["best", "last", 0, 2, 7, 1000, -1])
def test_the_ranks_are_those_of_the_points(
    mixed_store: Store,
    all_points: dict[tuple[str, str], Series],
    metric: str,
    goal: str,
    at: Any,
) -> None:
    runs = mixed_store.runs()[::-1]
    values = [value_of(all_points.get((run.run_id, metric)), goal, at) for run in runs]
    sign = 1 if goal == "min" else -1
    expected = sorted(
        (sign * value, age, run.run_id)
        for age, (run, value) in enumerate(zip(runs, values, strict=True))
        if math.isfinite(value)
    )

    board = mixed_store.leaderboard(metric, goal, at)

    assert board.run_id.tolist() == [run_id for *_, run_id in expected]
    assert board.value.tolist() == [sign * value for value, *_ in expected]
    assert board.runs_without == len(runs) - len(expected)
    assert len(board) == len(expected)
    for row in board.rows():
        series = all_points[row["run_id"], metric]
        assert row["value"] in series.values[series.steps == row["step"]]


def test_ties_go_to_the_older_run_and_redone_points_do_not_count(
    mixed_store: Store,
) -> None:
    board = mixed_store.leaderboard("loss")

    assert (board.metric, board.goal, board.at) == ("loss", "min", "best")
    names = board.run.tolist()
    assert names[0] == "late"
    assert [board.value[place] for place in range(len(names)) if names[place] == "tie"] == [
        0.5,
        0.5,
    ]
    ties = [row for row in board.rows() if row["run"] == "tie"]
    ages = [run.run_id for run in mixed_store.runs("tie")]
    assert [row["run_id"] for row in ties] == ages[::-1]
    assert [row["step"] for row in ties] == [0, 1]
    redone = next(row for row in board.rows() if row["run"] == "redone")
    assert redone["value"] == 0.73


def test_running_and_crashed_runs_are_ranked(mixed_store: Store) -> None:
    status = {row["run"]: row["status"] for row in mixed_store.leaderboard("loss").rows()}

    assert status["running"] == "running"
    assert status["crashed"] == "crashed"
    assert "nan" not in status


def test_the_name_tells_the_goal_or_it_must_be_said(mixed_store: Store) -> None:
    assert mixed_store.leaderboard("acc").goal == "max"
    assert mixed_store.leaderboard("loss", "max").goal == "max"
    with pytest.raises(ConfigurationError, match=r"'odd' is better .* say which: goal min"):
        mixed_store.leaderboard("odd")
    assert mixed_store.leaderboard("odd", "max").value[0] == 9  # loss alone was redone


def test_a_board_is_of_the_runs_that_were_selected(mixed_store: Store) -> None:
    assert set(mixed_store.leaderboard("loss", runs="tie").run) == {"tie"}
    chosen = mixed_store.leaderboard("loss", runs=Selection(where=("lr = 0.1",)))
    assert chosen.run.tolist() == ["crashed", "tie", "plain"]
    assert chosen.runs_without == 1
    assert len(mixed_store.leaderboard("loss", limit=2)) == 2
    assert mixed_store.leaderboard("loss", limit=0).runs_without == 3
    one = mixed_store.leaderboard("loss", runs="plain")
    assert [(row["run"], row["value"], row["step"]) for row in one.rows()] == [
        ("plain", 1.0, 2)
    ]


def test_no_run_makes_an_empty_board(mixed_store: Store) -> None:
    board = mixed_store.leaderboard("loss", runs=[])

    assert (len(board), board.rows(), board.runs_without) == (0, [], 0)
    assert (
        mixed_store.leaderboard("whatever", "min", runs=Selection(project="q")).rows() == []
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (
            ("los",),
            MetricNotFoundError,
            "'los'; did you mean 'loss",
        ),
        (("\ud800",), MetricNotFoundError, "they have acc, loss, odd, reward"),
        (("loss", "low"), ConfigurationError, "goal must be 'min' or 'max', not 'low'"),
        (
            ("loss", None, "first"),
            ConfigurationError,
            "at must be 'best', 'last'",
        ),
        (("loss", None, True), ConfigurationError, "at must be"),
        (("loss", None, 2**63), ConfigurationError, "at must be"),
    ],
)
def test_bad_arguments_are_said(
    mixed_store: Store, arguments: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        mixed_store.leaderboard(*arguments)


def test_unknown_runs_and_limits_are_said(mixed_store: Store) -> None:
    with pytest.raises(RunNotFoundError, match="no run 'nobody'"):
        mixed_store.leaderboard("loss", runs="nobody")
    with pytest.raises(ConfigurationError, match="limit must be 0 or more"):
        mixed_store.leaderboard("loss", limit=-1)
    with pytest.raises(MetricNotFoundError, match="they have no metric yet"):
        mixed_store.leaderboard("loss", runs="no point")


def test_the_table_becomes_a_data_frame(mixed_store: Store) -> None:
    pandas = pytest.importorskip("pandas")
    board = mixed_store.leaderboard("loss")

    frame = board.to_pandas()

    assert isinstance(frame, pandas.DataFrame)
    assert frame["value"].tolist() == board.value.tolist()
