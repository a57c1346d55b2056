"""Merged stores answer as one store would have, wherever the attempts began."""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from stepwell.store import Run, Store, copy_store, examine, merge_stores, start_run
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

ID = "job"
Answers = dict[str, Any]


def train(path: Path, value: float, steps: Iterable[int], rank: int = 0) -> None:
    with start_run(id=ID, resume="allow", store=path, rank=rank) as run:
        for step in steps:
            run.log({"loss": value, f"speed_{rank}": 1.0}, step=step)


def answers(path: Path) -> Answers:
    with Store(path) as store:
        info, summary = store.run(ID), store.summary(ID)
        return {
            "stands": (info.attempt, info.status, info.created_at, info.finished_at),
            "summary": {name: (m.count, m.mean, m.current) for name, m in summary.items()},
            "series": store.series(ID, "loss").values.tolist(),
            "points": store.sql("select count(*) from points").fetchall(),
            "attempts": store.sql(
                "select metric, rank, attempt, count(*) from metrics group by all"
                " order by all"
            ).fetchall(),
        }


def every_row(path: Path) -> dict[str, list[str]]:
    with lease_of(resolve(path)).shared() as connection:
        return {
            table: [repr(row) for row in connection.execute(f"from {table} order by all")
                    .fetchall()]
            for table in ("runs", "points", "totals_", "attempts_", "journals_")
        }  # fmt: skip


def is_in_order(path: Path) -> bool:
    return all(finding.is_ok for finding in examine(path) if finding.check == "totals")


@pytest.mark.parametrize("into", ["new", "first", "second"])
def test_attempts_of_two_stores_are_in_the_order_of_their_start(
    tmp_path: Path, into: str
) -> None:
    first, second = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    train(first, 1.0, range(50))
    train(second, 0.0, range(30, 80))
    here = {"new": tmp_path / "all.duckdb", "first": first, "second": second}[into]
    others = [path for path in (second, first) if path != here]

    merge_stores(others, here)

    found = answers(here)
    assert found["summary"]["loss"] == (80, 0.375, 0.0)
    assert found["stands"][:2] == (2, "finished")
    assert found["points"] == [(200,)]
    assert is_in_order(here)
    rows = every_row(here)
    merge_stores([*others, *others], here)
    assert every_row(here) == rows


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three stores of one run: two ranks on two nodes, and one that went on alone."""
    folder = tmp_path_factory.mktemp("parts")
    paths = [folder / f"{name}.duckdb" for name in "abc"]
    runs = [
        start_run(id=ID, resume="allow", store=path, rank=rank)
        for rank, path in enumerate(paths[:2])
    ]
    for step, run in itertools.product(range(20), runs):
        run.log({"loss": float(run.rank), f"speed_{run.rank}": 1.0}, step=step)
    for run in runs:
        run.finish()
    train(paths[2], 5.0, range(10, 15))
    return paths


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_three_stores_answer_alike_in_any_order(
    parts: list[Path], tmp_path: Path, order: tuple[int, ...]
) -> None:
    here = tmp_path / "all.duckdb"
    for place in order:
        merge_stores([parts[place]], here)

    found = answers(here)
    assert found["stands"][:2] == (2, "finished")
    assert found["summary"]["loss"] == (25, pytest.approx((10 + 25) / 25), 5.0)
    assert found["attempts"] == [
        ("loss", 0, 1, 10),
        ("loss", 0, 2, 5),
        ("loss", 1, 1, 10),
        ("speed_0", 0, 1, 10),
        ("speed_0", 0, 2, 5),
        ("speed_1", 1, 1, 20),
    ]
    merge_stores(parts, here)
    assert answers(here) == found
    assert is_in_order(here)


def test_stores_that_were_merged_before_come_to_the_same(
    parts: list[Path], tmp_path: Path
) -> None:
    ab, bc, whole = (tmp_path / f"{name}.duckdb" for name in ("ab", "bc", "all"))
    merge_stores(parts[:2], ab)
    merge_stores(parts[1:], bc)
    merge_stores(parts, whole)
    copy = copy_store(bc, tmp_path / "copy.duckdb").location

    merge_stores([copy], ab)
    merge_stores([ab, whole], bc)

    assert answers(ab) == answers(bc) == answers(whole)
    merge_stores([ab], whole)
    assert answers(ab) == answers(whole)


def test_ranks_of_several_nodes_are_one_attempt_while_they_go_on(tmp_path: Path) -> None:
    runs: list[Run] = []
    here = tmp_path / "all.duckdb"
    for node in range(3):
        path = tmp_path / f"node-{node}.duckdb"
        runs.append(start_run(id=ID, resume="allow", store=path, rank=node))
    for step in range(30):
        for run in runs:
            run.log({"loss": float(step)}, step=step)
        if step == 15:
            merge_stores([run.location for run in runs], here)
            assert answers(here)["summary"]["loss"][0] == 48
    for run in runs:
        run.finish()
    merge_stores([run.location for run in runs], here)

    found = answers(here)
    assert found["summary"]["loss"][0] == 90
    assert found["stands"][:2] == (1, "finished")


def test_a_live_journal_keeps_its_attempt_when_its_store_takes_another(
    tmp_path: Path,
) -> None:
    path, other = tmp_path / "here.duckdb", tmp_path / "other.duckdb"
    train(other, 7.0, range(40))
    run = start_run(id=ID, resume="allow", store=path)
    for step in range(20, 30):
        run.log({"loss": 1.0}, step=step)

    merge_stores([other], path)

    assert answers(path)["stands"][:2] == (2, "running")
    for step in range(30, 35):
        run.log({"loss": 1.0}, step=step)
    assert answers(path)["series"] == [7.0] * 20 + [1.0] * 15
    run.finish()
    assert answers(path)["stands"][:2] == (2, "finished")
    assert is_in_order(path)


@pytest.mark.parametrize("late", [10_000, 4_000_000, 15_000_000])  # nanoseconds
def test_one_rank_of_two_stores_at_the_same_time_is_one_attempt(
    tmp_path: Path, late: int
) -> None:
    paths = [tmp_path / "a.duckdb", tmp_path / "b.duckdb"]
    runs = [start_run(id=ID, resume="allow", store=path) for path in paths]
    for run, value in zip(runs, (1.0, 2.0), strict=True):
        for step in range(5):
            run.log({"loss": value}, step=step)
    # A file's time is that of the system's last tick, which may be before the other began.
    tick = runs[1]._writer.header.started - late
    for run in runs:
        run.finish()
        with contextlib.suppress(FileNotFoundError):  # a machine so slow that it was folded
            os.utime(run._writer.journal.path, ns=(tick, tick))

    merge_stores(paths, tmp_path / "all.duckdb")

    found = answers(tmp_path / "all.duckdb")
    assert found["summary"]["loss"][:2] == (10, 1.5)
    assert found["stands"][0] == 1


def test_copies_that_were_both_resumed_join(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    train(path, 1.0, range(10))
    with Store(path) as store:
        store.runs()
    shutil.copy(path, copy)
    train(path, 2.0, range(5, 10))
    train(copy, 3.0, range(8, 10))

    for one, other in ((path, copy), (copy, path)):
        merge_stores([other], one)

    assert answers(path) == answers(copy)
    assert answers(path)["series"] == [1.0] * 5 + [2.0] * 3 + [3.0] * 2
    assert answers(path)["stands"][0] == 3


def test_a_later_store_says_how_the_run_stands_and_an_earlier_one_completes_it(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    early = start_run(id=ID, store=first, config={"lr": 1, "seed": 1}, tags=["x"])
    early.log({"loss": 1.0}, step=0)
    early.finish("failed", "as intended")
    with start_run(id=ID, store=second, config={"lr": 2}, notes="late") as late:
        late.log({"loss": 2.0}, step=1)

    for here, others in (("ab", (first, second)), ("ba", (second, first))):
        merge_stores(others, tmp_path / f"{here}.duckdb")
        with Store(tmp_path / f"{here}.duckdb") as store, Store(first) as began:
            info = store.run(ID)
            assert (info.status, info.exit_message, info.attempt) == ("finished", None, 2)
            assert info.config == {"lr": 2, "seed": 1}
            assert (info.tags, info.notes) == (("x",), "late")
            assert info.created_at == began.run(ID).created_at


def test_the_command_merges_what_two_machines_recorded(
    tmp_path: Path, output: Callable[..., str]
) -> None:
    code = """
        import sys, stepwell
        first = int(sys.argv[2])
        with stepwell.init(id="job", resume="allow", store=sys.argv[1]) as run:
            for step in range(first, first + 50):
                run.log({"loss": float(first == 0)}, step=step)
    """
    for name, first in (("a", 0), ("b", 30)):
        output(code, tmp_path / f"{name}.duckdb", first)
    command = "from stepwell.cli import start; start()"
    stores = [str(tmp_path / f"{name}.duckdb") for name in ("all", "b", "a")]
    arguments = [sys.executable, "-c", command, "--store", stores[0], "merge", *stores[1:]]
    subprocess.run(arguments, check=True, capture_output=True)

    assert answers(Path(stores[0]))["summary"]["loss"] == (80, 0.375, 0.0)
