"""Every query of the page on SQL runs, and says what is so."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

import stepwell
from stepwell.store import SqlResult, Store, open_store

PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text()
QUERIES = dict(re.findall(r"### ([^\n]*\?)\n[^#]*?```sql\n(.*?)```", PAGE, re.DOTALL))
STEPS, EVERY = 100, 5
RATES = {"baseline": 0.1, "again": 0.1, "wide": 0.1, "slow": 0.01, "diverged": 1.0}
TABLES = ("runs", "points", "figures", "metrics", "summary", "params", "run_table")

Curves: TypeAlias = dict[str, np.ndarray[Any, np.dtype[np.float64]]]


def loss_of(name: str, kind: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    steps = np.arange(0, STEPS, EVERY if kind == "val_loss" else 1)
    noise = np.random.default_rng(list(f"{name}{kind}".encode())).uniform(0.95, 1.05)
    loss = noise * np.exp(-RATES[name] * steps / 2) + 0.1
    if kind == "val_loss":
        loss = loss + np.maximum(0, steps - 60) / 100  # it overfits
    elif name == "baseline":
        loss[50] = 9.0
    elif name == "diverged":
        loss[80:] = [math.nan, math.inf] * 10
    return loss


@pytest.fixture(scope="module")
def curves() -> Curves:
    return {
        f"{name} {kind}": loss_of(name, kind)
        for name in RATES
        for kind in ("train_loss", "val_loss")
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, curves: Curves) -> Store:
    path = tmp_path_factory.mktemp("page") / "runs.duckdb"
    for seed, (name, rate) in enumerate(RATES.items()):
        config = {"lr": rate, "seed": seed, "width": 64}
        if name == "wide":
            config |= {"width": 128, "dropout": 0.5}
        with stepwell.init("digits", name, config=config, store=path) as run:
            for step, loss in enumerate(curves[f"{name} train_loss"]):
                run.log({"train_loss": loss}, step=step)
                if step % EVERY == 0:
                    value = curves[f"{name} val_loss"][step // EVERY]
                    run.log({"val_loss": value}, step=step)
    return open_store(path)


@pytest.fixture(scope="module")
def ask(store: Store) -> Callable[[str], SqlResult]:
    """Runs the one query of the page whose question has these words."""

    def run(words: str) -> SqlResult:
        (found,) = [query for question, query in QUERIES.items() if words in question]
        return store.sql(found)

    return run


Ask = Callable[[str], SqlResult]


def by_run(result: SqlResult, column: str) -> dict[str, Any]:
    names = result.columns
    rows = (dict(zip(names, row, strict=True)) for row in result.fetchall())
    return {row["run"]: row[column] for row in rows}


def test_the_page_has_its_twenty_questions() -> None:
    assert len(QUERIES) == PAGE.count("```sql") >= 20


@pytest.mark.parametrize("question", QUERIES)
def test_each_query_of_the_page_finds_something(question: str, store: Store) -> None:
    assert store.sql(QUERIES[question]).fetchall()


@pytest.mark.parametrize("table", TABLES)
def test_each_column_of_a_table_or_view_is_documented(table: str, store: Store) -> None:
    (section,) = re.findall(rf"### `{table}`.*?(?=\n##)", PAGE, re.DOTALL)
    named = set(re.findall(r"`(\w+)`", section))
    columns = [row[0] for row in store.sql(f"describe {table}").fetchall()]

    assert [column for column in columns if column not in named] == []


def test_each_row_of_a_schema_table_is_a_column(store: Store) -> None:
    for table in TABLES:
        (section,) = re.findall(rf"### `{table}`.*?(?=\n##)", PAGE, re.DOTALL)
        cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
        columns = {row[0] for row in store.sql(f"describe {table}").fetchall()}
        assert named <= columns, table


def test_the_best_run_of_each_rate(ask: Ask, curves: Curves) -> None:
    found = {lr: (run, loss) for lr, run, loss in ask("best of each").fetchall()}

    for rate in set(RATES.values()):
        names = [name for name in RATES if RATES[name] == rate]
        best = min(names, key=lambda name: curves[f"{name} val_loss"].min())
        assert found[rate] == (best, curves[f"{best} val_loss"].min())


def test_the_mean_and_spread_of_seeds(ask: Ask, curves: Curves) -> None:
    ((lr, seeds, mean, spread, extent),) = ask("seeds differ").fetchall()
    best = [curves[f"{n} val_loss"].min() for n in RATES if RATES[n] == lr]

    assert (lr, seeds) == (0.1, 3)
    assert mean == pytest.approx(np.mean(best))
    assert spread == pytest.approx(np.std(best, ddof=1))
    assert extent == pytest.approx(np.ptp(best))


def test_the_steps_to_a_loss(ask: Ask, curves: Curves) -> None:
    steps = by_run(ask("How many steps"), "step")

    expected = {
        name: int(np.argmax(below))
        for name in RATES
        if (below := curves[f"{name} train_loss"] < 0.5).any()
    }
    assert steps == expected
    assert "slow" not in steps


def test_the_time_to_a_loss(ask: Ask, store: Store) -> None:
    seconds = by_run(ask("How long does each run"), "seconds")

    assert seconds.keys() == RATES.keys()
    for name, found in seconds.items():
        series = store.series(name, "train_loss")
        below = series.values < 0.5
        if not below.any():
            assert found is None
            continue
        start = np.datetime64(store.run(name).created_at.replace(tzinfo=None), "us")
        moment = series.times[below].astype("datetime64[us]")[0]
        assert found == pytest.approx((moment - start) / np.timedelta64(1, "s"))


def test_the_runs_that_diverged(ask: Ask) -> None:
    found = ask("diverged").fetchall()

    assert [(row[0], row[1], row[4]) for row in found] == [("diverged", "train_loss", 20)]


def test_the_share_of_non_finite_values(ask: Ask) -> None:
    assert ask("share").fetchall() == [("diverged", "train_loss", 20, 100, 20.0)]


def test_the_training_loss_at_each_evaluation(ask: Ask, curves: Curves) -> None:
    rows = ask("at each evaluation").fetchall()

    assert len(rows) == len(RATES) * STEPS // EVERY
    for run, step, val_loss, train_loss, train_step in rows:
        assert train_step == step
        assert val_loss == curves[f"{run} val_loss"][step // EVERY]
        np.testing.assert_equal(train_loss, curves[f"{run} train_loss"][step])


def test_the_grid_of_a_sweep(ask: Ask, curves: Curves) -> None:
    result = ask("as a grid")
    rows = dict(zip([row[0] for row in result.fetchall()], result.fetchall(), strict=True))

    assert result.columns == ("lr", "0", "1", "2", "3", "4")
    for seed, (name, rate) in enumerate(RATES.items()):
        assert rows[rate][1 + seed] == curves[f"{name} val_loss"].min()
    assert rows[1.0][1] is None


def test_the_table_of_a_sweep(ask: Ask) -> None:
    result = ask("as a table")

    assert result.columns == ("run", "status", "dropout", "lr", "seed", "width", "val_loss")
    assert by_run(result, "dropout")["wide"] == "0.5"
    assert by_run(result, "dropout")["slow"] is None


def test_the_spikes(ask: Ask) -> None:
    assert [row[:3] for row in ask("spike").fetchall()] == [("baseline", 50, 9.0)]


def test_the_difference_of_two_configurations(ask: Ask) -> None:
    assert ask("two runs differ").fetchall() == [
        ("dropout", None, "0.5"),
        ("seed", "0", "2"),
        ("width", "64", "128"),
    ]


def test_the_runs_of_the_last_week(ask: Ask, store: Store) -> None:
    assert [row[0] for row in ask("last week").fetchall()] == list(RATES)[::-1]
    shown = re.sub("7 days", "0 days", QUERIES["Which runs are of the last week?"])
    assert store.sql(shown).fetchall() == []


def test_the_percentiles_of_step_times(ask: Ask, store: Store) -> None:
    result = ask("a step take")

    for name in RATES:
        times = store.series(name, "train_loss").times.astype("datetime64[us]")
        gaps = np.diff(times) / np.timedelta64(1, "ms")
        for column, share in (("median", 50), ("p95", 95), ("p99", 99)):
            expected = np.percentile(gaps, share)
            assert by_run(result, column)[name] == pytest.approx(expected)


def test_the_correlation_of_two_metrics(ask: Ask, curves: Curves) -> None:
    found = by_run(ask("go together"), "correlation")

    for name in RATES:
        a, b = curves[f"{name} train_loss"][::EVERY], curves[f"{name} val_loss"]
        finite = np.isfinite(a)
        expected = np.corrcoef(a[finite], b[finite])[0, 1]
        assert found[name] == pytest.approx(expected)


def test_the_area_under_the_curve(ask: Ask, curves: Curves) -> None:
    found = by_run(ask("area"), "mean_loss")

    for name in RATES:
        loss = curves[f"{name} val_loss"]
        expected = ((loss[1:] + loss[:-1]) / 2).mean()
        assert found[name] == pytest.approx(expected)


def test_early_stopping(ask: Ask, curves: Curves) -> None:
    found = {row[0]: row[1:] for row in ask("early stopping").fetchall()}

    expected = {}
    for name in RATES:
        best, waited, loss = math.inf, 0, curves[f"{name} val_loss"]
        for number, value in enumerate(loss):
            best, waited = (value, 0) if value < best else (best, waited + 1)
            if waited == 3:
                expected[name] = (number * EVERY, best, loss.min())
                break
    assert found == expected
    assert expected


def test_the_curve_in_a_few_points(ask: Ask, curves: Curves) -> None:
    rows = ask("few points").fetchall()
    parts = curves["baseline train_loss"].reshape(-1, 10)

    assert [row[0] for row in rows] == list(range(0, STEPS, 10))
    assert [row[1] for row in rows] == parts.min(axis=1).tolist()
    assert [row[3] for row in rows] == parts.max(axis=1).tolist()
    assert [row[2] for row in rows] == pytest.approx(parts.mean(axis=1))


def test_the_best_so_far(ask: Ask, curves: Curves) -> None:
    found = [row[2] for row in ask("best so far").fetchall()]

    assert found == np.minimum.accumulate(curves["baseline val_loss"]).tolist()


def test_the_largest_runs_and_the_rate_of_points(ask: Ask) -> None:
    points = STEPS + STEPS // EVERY
    assert {row[:2] for row in ask("largest").fetchall()} == {(n, points) for n in RATES}
    for _, count, seconds, rate in ask("points a second").fetchall():
        assert rate == pytest.approx(count / seconds)
