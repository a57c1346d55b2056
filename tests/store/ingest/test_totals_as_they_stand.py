"""Summaries and ranks are the same, whether the totals say them or the points."""

import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stepwell
from stepwell.store import Leaderboard, Store, open_store
from stepwell.store.sweeps import leaderboard, metric_per_run

HUGE = 1.5e308

# Values of each rank of each attempt, by metric and from which step on.
RUNS: dict[str, list[dict[int, tuple[int, dict[str, list[float]]]]]] = {
    "plain": [{0: (0, {"loss": [3.0, 1.0, 2.0], "it's": [1.0]})}],
    "odd": [{0: (0, {"loss": [math.nan, 5.0, -math.inf], "none": [math.nan]})}],
    "huge": [{0: (0, {"loss": [HUGE, HUGE, 1.0]})}],
    "ranks": [{0: (0, {"loss": [4.0, 2.0]}), 1: (0, {"loss": [1.0, 9.0, 3.0]})}],
    "again": [{0: (0, {"loss": [1.0, 2.0, 3.0, 4.0]})}, {0: (2, {"loss": [7.0, 8.0]})}],
    "behind": [{0: (0, {"loss": [1.0, 2.0]})}, {0: (2, {"loss": [0.5], "new": [1.0]})}],
}


@pytest.fixture
def store(store_path: Path) -> Store:
    for name, attempts in RUNS.items():
        for number, ranks in enumerate(attempts):
            for rank, (first, metrics) in ranks.items():
                resume = "must" if number else "allow"
                run = stepwell.start_run(
                    id=name, name=name, resume=resume, rank=rank, store=store_path
                )
                for metric, values in metrics.items():
                    for step, value in enumerate(values, first):
                        run.log({metric: value}, step=step)
                run.finish()
    return open_store(store_path)


def same(one: Any, other: Any) -> bool:
    return one == other or (one is None and math.isnan(other)) or repr(one) == repr(other)


@pytest.mark.parametrize("name", RUNS)
def test_a_summary_is_that_of_the_view(store: Store, name: str) -> None:
    asked = (
        "select run, metric, current, min, max, mean, count, non_finite, min_step,"
        " max_step, last_step from summary order by first_time, position"
    )
    rows = [row for run, *row in store.sql(asked).fetchall() if run == name]

    found = store.summary(name)

    assert list(found) == [row[0] for row in rows]
    for metric, *expected in rows:
        one = found[metric]
        given = [
            *(one.current, one.min, one.max, one.mean, one.count, one.non_finite),
            *(one.min_step, one.max_step, one.last_step),
        ]
        assert all(map(same, expected, given)), (metric, expected, given)


@pytest.mark.parametrize("at", ["best", "last"])
@pytest.mark.parametrize("goal", ["min", "max"])
@pytest.mark.parametrize("runs", [None, ["plain", "huge"], ["ranks", "again", "plain"]])
def test_a_leaderboard_is_that_of_the_groups(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    goal: str,
    runs: list[str] | None,
) -> None:
    def board() -> dict[str, tuple[float, int]]:
        found = store.leaderboard("loss", goal=goal, at=at, runs=runs)
        cells = zip(found.value.tolist(), found.step.tolist(), strict=True)
        return dict(zip(found.run.tolist(), cells, strict=True))

    found = [board()]
    with monkeypatch.context() as patched:
        patched.setattr(leaderboard, "_MANY", 1)  # then numpy is quicker
        found.append(board())
    for module in (leaderboard, metric_per_run):
        monkeypatch.setattr(module, "_from_totals", lambda *_: None)
        found.append(board())

    assert all(one == found[0] for one in found)
    assert len(found[0]) >= 2


def test_a_board_of_rows_is_the_same_as_one_of_columns(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def board() -> Leaderboard:
        return store.leaderboard("loss", goal="min", runs=["plain", "odd", "huge"])

    rows, same_rows = board(), board()
    monkeypatch.setattr(leaderboard, "_from_totals", lambda *_: None)
    columns = board()

    assert (len(rows), rows.rows()) == (len(columns), columns.rows())
    for name, column in columns.columns().items():
        assert rows.columns()[name].dtype == column.dtype
        assert getattr(rows, name).tolist() == column.tolist()
    assert (len(rows), rows.rows()) == (len(columns), columns.rows())
    assert pickle.loads(pickle.dumps(same_rows)).rows() == columns.rows()
    assert repr(rows) == repr(columns)
    with pytest.raises(AttributeError, match="nothing"):
        rows.nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("module", [leaderboard, metric_per_run])
def test_only_whole_totals_are_taken_as_they_stand(
    store: Store, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    seen = []
    plain = module._from_totals
    monkeypatch.setattr(leaderboard, "_from_totals", lambda *_: None)

    def watched(*arguments: Any) -> Any:
        seen.append(plain(*arguments) is not None)
        return plain(*arguments)

    monkeypatch.setattr(module, "_from_totals", watched)
    for runs in (["plain", "huge", "odd"], ["ranks"], ["again", "plain"], ["behind"]):
        store.leaderboard("loss", goal="min", runs=runs)

    assert seen == [True, False, False, False]


def test_a_run_that_was_asked_for_before_it_went_on_is_summed_up_as_it_is_now(
    store: Store, store_path: Path
) -> None:
    before = store.run("plain")
    run = stepwell.init(id="plain", resume="must", store=store_path)
    run.log({"loss": 9.0}, step=1)
    run.finish()

    summary = store.summary(before)["loss"]

    assert (summary.current, summary.count, summary.max) == (9.0, 2, 9.0)


@pytest.mark.parametrize(
    "name", ["it's", "a'; drop table runs; --", "'", "both \" and '", "\\'"]
)
def test_a_reference_is_a_text_whatever_letters_it_has(
    store_path: Path, make_runs: Callable[..., Store], name: str
) -> None:
    store = make_runs(store_path, [{"name": name, "points": [(0, {name: 1.0})]}])

    assert store.run(name).name == name
    assert list(store.summary(name)) == [name]
    assert store.leaderboard(name, goal="min").run.tolist() == [name]
    assert store.find(f"{name}\0") is None
    assert store.find("\0") is None
