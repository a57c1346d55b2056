"""What the store says of many runs is what plain SQL says, whatever the runs are."""

import math
from typing import Any

import numpy as np
import pytest

from stepwell.store import Selection, Store

PROJECTS = ("none", "nan", "one", "mixed", "few", "many")
BOARD = """
with points_ as (
    select r.name, r.status, r.created_at, p.step, p.value from points p
    join runs r using (run_id) where r.project = '{project}' and p.metric = 'loss'
), best as (
    select name, status, created_at, {side}(value) as value from points_
    where isfinite(value) group by all
), last as (
    select name, status, created_at, arg_max(value, step) as value from points_
    where step <= {upto} group by all having isfinite(arg_max(value, step))
)
select name, status, value from {which} order by {sign} value, created_at
"""


def ask(store: Store, query: str, **words: object) -> list[tuple[Any, ...]]:
    """The rows of a query with *words* in their places."""
    return store.sql(query.format(**words)).fetchall()


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize("goal", ["min", "max"])
@pytest.mark.parametrize("at", ["best", "last", 1])
def test_the_leaderboard_ranks_as_sql_does(
    sweep_store: Store, project: str, goal: str, at: str | int
) -> None:
    board = sweep_store.leaderboard("loss", goal, at, runs=Selection(project=project))
    expected = ask(
        sweep_store,
        BOARD,
        project=project,
        side=goal,
        upto=at if isinstance(at, int) else 100,
        which="best" if at == "best" else "last",
        sign="+" if goal == "min" else "-",
    )

    found = zip(
        board.run.tolist(), board.status.tolist(), board.value.tolist(), strict=True
    )
    assert list(found) == expected
    query = "select count(*) from runs where project = '{project}'"
    ((runs,),) = ask(sweep_store, query, project=project)
    assert board.runs_without == runs - len(expected)


@pytest.mark.parametrize("project", PROJECTS)
def test_the_sweep_table_has_each_runs_facts(sweep_store: Store, project: str) -> None:
    table = sweep_store.sweep_table("loss", runs=Selection(project=project))
    rows = ask(
        sweep_store,
        "select r.name, r.status, r.created_at, (r.config->>'lr')::double,"
        " epoch(coalesce(r.finished_at, max(p.time)) - r.created_at),"
        " min(p.value) filter (isfinite(p.value) and p.metric = 'loss')"
        " from runs r left join points p using (run_id)"
        " where r.project = '{project}' group by r.run_id, r.name, r.status, r.created_at,"
        " r.config, r.finished_at order by r.created_at",
        project=project,
    )

    assert table.run.tolist() == [row[0] for row in rows]
    assert table.status.tolist() == [row[1] for row in rows]
    assert table.created_at.tolist() == [row[2] for row in rows]
    columns = {3: table.params.get("lr"), 4: table.seconds, 5: table.values["loss"]}
    for place, column in columns.items():
        if column is not None:
            expected = [math.nan if row[place] is None else row[place] for row in rows]
            assert column.tolist() == pytest.approx(expected, nan_ok=True)
    assert ("lr" in table.params) == (len(rows) > 1)


@pytest.mark.parametrize(
    ("project", "key"), [("none", "depth"), ("one", "depth"), ("mixed", "opt"),
                         ("few", "depth"), ("many", "depth")],
)  # fmt: skip
def test_groups_have_the_statistics_of_sql(
    sweep_store: Store, project: str, key: str
) -> None:
    groups = sweep_store.group_by("loss", key, runs=Selection(project=project))
    rows = ask(
        sweep_store,
        "with best as (select r.config->>'{key}' as key, r.run_id,"
        " min(p.value) as value from points p join runs r using (run_id)"
        " where r.project = '{project}' and p.metric = 'loss' and isfinite(p.value)"
        " group by all)"
        " select key, count(*), avg(value), median(value), stddev_samp(value),"
        " list(value order by value) from best group by key order by avg(value)",
        project=project,
        key=key,
    )

    texts = [None if row[0] is None else row[0] for row in rows]
    given = groups.keys.get(key, np.zeros(0)).tolist()
    shown = [f"{one:g}" if isinstance(one, float) else one for one in given]
    assert shown == texts
    assert groups.n.tolist() == [row[1] for row in rows]
    for place, column in ((2, groups.mean), (3, groups.median), (4, groups.std)):
        expected = [math.nan if row[place] is None else row[place] for row in rows]
        assert column.tolist() == pytest.approx(expected, nan_ok=True)
    for row, middle, low, high in zip(
        rows, groups.interquartile_mean, groups.low, groups.high, strict=True
    ):
        values = np.array(row[5])
        cut = len(values) // 4
        assert middle == pytest.approx(values[cut : len(values) - cut].mean())
        if len(values) > 5:
            draws = np.random.default_rng(7).choice(values, (20_000, len(values)))
            ends = np.percentile(draws.mean(axis=1), (2.5, 97.5))
            assert (low, high) == pytest.approx(ends, abs=0.06 * (ends[1] - ends[0]))


@pytest.mark.parametrize("project", ["mixed", "few", "many"])
def test_pairs_are_counted_as_a_join_does(sweep_store: Store, project: str) -> None:
    one, other = (
        ("lr >= 0.1", "lr < 0.1") if project == "mixed" else ("depth < 2", "depth >= 2")
    )
    first, second = (Selection(project=project, where=(where,)) for where in (one, other))
    found = sweep_store.probability_better(first, second, "loss")
    ((probability, n_a, n_b),) = ask(
        sweep_store,
        "with best as (select r.run_id, (r.config->>'{key}')::double as {key},"
        " min(p.value) as value from points p join runs r using (run_id)"
        " where r.project = '{project}' and p.metric = 'loss' and isfinite(p.value)"
        " group by all)"
        " select avg(case when a.value < b.value then 1 when a.value = b.value then 0.5"
        " else 0 end), count(distinct a.run_id), count(distinct b.run_id)"
        " from best a, best b where a.{one} and b.{other}",
        project=project,
        key=one.split()[0],
        one=one,
        other=other,
    )

    assert found.probability == pytest.approx(probability)
    assert (found.n_a, found.n_b) == (n_a, n_b)
    assert found.low <= found.probability <= found.high


@pytest.mark.parametrize("project", PROJECTS)
def test_an_overview_counts_as_sql_does(sweep_store: Store, project: str) -> None:
    rows = sweep_store.overview(project=project)
    expected = ask(
        sweep_store,
        "select r.name, r.status, count(p.value), max(p.step), max(p.time),"
        " arg_max(p.value, p.step) filter (p.metric = 'loss')"
        " from runs r left join points p using (run_id) where r.project = '{project}'"
        " group by r.run_id, r.name, r.status, r.created_at order by r.created_at desc",
        project=project,
    )

    assert len(rows) == len(expected)
    for row, (name, status, points, step, time, current) in zip(
        rows, expected, strict=True
    ):
        assert (row.run.name, row.run.status, row.points) == (name, status, points)
        assert row.last_step == step
        said = row.last_time and row.last_time.replace(tzinfo=None)
        assert said == time
        assert repr(row.current.get("loss")) == repr(current)


@pytest.mark.parametrize("columns", [1, 3, 1000])
def test_curves_of_300_runs_are_reduced_as_sql_groups(
    sweep_store: Store, columns: int
) -> None:
    runs = Selection(project="many")
    curves = sweep_store.curves("loss", runs=runs, columns=columns)
    rows = ask(
        sweep_store,
        "select run_id::varchar, step // {width} * {width} as x, count(*),"
        " min(value) filter (isfinite(value)), max(value) filter (isfinite(value)),"
        " avg(value) filter (isfinite(value)), arg_max(value, step) from metrics"
        " where project = 'many' and metric = 'loss' group by all order by 1, 2",
        width={1: 6, 3: 2, 1000: 1}[columns],
    )

    found = [
        (curve.run_id, *row.values())
        for curve in curves.values()
        for row in (
            {
                name: row[name]
                for name in ("x", "count", "minimum", "maximum", "mean", "last")
            }
            for row in curve.rows()
        )
    ]
    assert len(curves) == 300
    assert [row[:3] for row in sorted(found)] == [row[:3] for row in rows]
    values = np.array([row[3:] for row in rows], float)
    np.testing.assert_allclose(
        np.array([row[3:] for row in sorted(found)], float), values, rtol=1e-12
    )


@pytest.mark.parametrize("at", ["last", "best"])
@pytest.mark.parametrize(
    "pair", [("dead", "going"), ("plain", "spiky"), ("tie", "late tie"), ("nan", "plain")]
)
def test_two_runs_differ_by_what_sql_says(
    sweep_store: Store, pair: tuple[str, str], at: str
) -> None:
    found = sweep_store.compare(*pair, at=at)
    value = (
        "arg_max(value, step)" if at == "last" else "min(value) filter (isfinite(value))"
    )
    said = dict(
        ask(
            sweep_store,
            "select run, {value} from metrics where project = 'mixed'"
            " and metric = 'loss' group by run",
            value=value,
        )
    )
    a, b = (math.nan if said[name] is None else float(said[name]) for name in pair)

    (row,) = found.metrics
    assert (row.a, row.b) == pytest.approx((a, b), nan_ok=True)
    assert row.difference == pytest.approx(b - a, nan_ok=True)
    assert row.relative == pytest.approx((b - a) / a, nan_ok=True)
    better = None if a == b or not math.isfinite(b - a) else pair[int(b < a)]
    assert {"a": pair[0], "b": pair[1], None: None}[row.better] == better
    assert (found.run_a.name, found.run_b.name) == pair


def test_a_series_has_each_point_as_it_is(sweep_store: Store) -> None:
    for run in sweep_store.runs(project="mixed"):
        rows = ask(
            sweep_store,
            "select step, time, value from points where metric = 'loss'"
            " and run_id = '{run_id}' order by step",
            run_id=run.run_id,
        )
        if rows:
            series = sweep_store.series(run, "loss")
            found = zip(
                series.steps.tolist(), series.times.tolist(), series.values.tolist(),
                strict=True,
            )  # fmt: skip
            assert repr(list(found)) == repr(rows)
            assert rows[0][1] >= run.created_at.replace(tzinfo=None)
