"""Attempts that a store of the state before numbered follow the rule of today."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid5

import duckdb
import pytest

from stepwell import migrations
from stepwell.store import Store, examine, merge_stores, start_run
from stepwell.store.base.ids import as_run_id
from stepwell.store.database.lease import STORAGE_VERSION

GIVEN = as_run_id("night")
RANDOM = "01890000-0000-7000-8000-000000000001"
Part = tuple[int, int, str, range, float]
"""Attempt, rank, metric, steps and value."""

TOTALS = """
insert into totals_
select run_id, metric, rank, attempt, 0, count(*), 0, sum(value), min(value), min(step),
    max(value), min(step), min(time), min(step), max(step), max(time), arg_max(value, step)
from points group by all
"""


def make_old(path: Path, run_id: str, parts: Iterable[Part], begin: int = 0) -> Path:
    """A store of revision 0002, whose attempts began one after the other."""
    migrations.upgrade(path, STORAGE_VERSION, "0002")
    known = list(parts)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "insert into runs (run_id, name, status, attempt, lost_calls, created_at)"
            " values (?, 'night', 'finished', ?, 0, make_timestamp(?))",
            [run_id, max(part[0] for part in known), begin * 1_000_000],
        )
        for place, (attempt, rank, metric, steps, value) in enumerate(known):
            hour = (begin + 3600 * attempt + place) * 1_000_000
            connection.execute(
                "insert into points select ?::uuid, ?, step, make_timestamp(? + step), ?,"
                " ?, ? from range(?, ?) t(step)",
                [run_id, metric, hour, value, rank, attempt, steps.start, steps.stop],
            )
        connection.execute(TOTALS)
        writers = {(attempt, rank) for attempt, rank, *_ in known}
        for attempt, rank in sorted(writers):
            writer = uuid5(UUID(run_id), f"{path.name} {attempt} {rank}").hex[:12]
            connection.execute(
                "insert into journals_ select ?, ?::uuid, ?, ?, ?, 1, 0, 'finished',"
                " max(time) from points where attempt = ? and rank = ?",
                [writer, run_id, rank, attempt, rank == 0, attempt, rank],
            )
    return path


def is_in_order(path: Path) -> bool:
    return all(finding.is_ok for finding in examine(path) if finding.check == "totals")


@pytest.mark.parametrize("run_id", [GIVEN, RANDOM])
def test_what_an_evaluation_hid_is_seen_again(tmp_path: Path, run_id: str) -> None:
    evaluated = [(1, 0, "loss", range(100), 1.0), (2, 0, "test_acc", range(1), 0.9)]
    path = make_old(tmp_path / "old.duckdb", run_id, evaluated)

    with Store(path) as store:
        summary = store.summary(run_id)
        assert {name: m.count for name, m in summary.items()} == {
            "loss": 100,
            "test_acc": 1,
        }
        assert store.run(run_id).attempt == 2
        assert store.last_attempts(run_id) == {"loss": 1, "test_acc": 2}
    assert is_in_order(path)


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_that_were_counted_as_attempts_are_one(tmp_path: Path, ranks: int) -> None:
    each = [(rank + 1, rank, "loss", range(20), float(rank)) for rank in range(ranks)]
    path = make_old(tmp_path / "old.duckdb", GIVEN, each)

    with Store(path) as store:
        assert store.summary(GIVEN)["loss"].count == 20 * ranks
        assert store.run(GIVEN).attempt == 1
        assert store.sql("select distinct attempt from metrics").fetchall() == [(1,)]
    assert is_in_order(path)


def test_a_run_that_went_on_with_fewer_ranks_supersedes_those_that_are_gone(
    tmp_path: Path,
) -> None:
    first = [(1, rank, "loss", range(10), 1.0) for rank in range(3)]
    path = make_old(
        tmp_path / "old.duckdb", GIVEN, [*first, (2, 0, "loss", range(4, 6), 2)]
    )

    with Store(path) as store:
        found = store.sql("select rank, count(*) from metrics group by all order by all")
        assert found.fetchall() == [(0, 6), (1, 4), (2, 4)]
        with start_run(id="night", resume="must", store=path, rank=1) as run:
            assert run.attempt == 2  # a rank that the second attempt had not had
            run.log({"loss": 3.0}, step=8)
        found = store.sql("select rank, count(*) from metrics group by all order by all")
        assert found.fetchall() == [(0, 6), (1, 9), (2, 4)]
        with start_run(id="night", resume="must", store=path, rank=0) as run:
            assert run.attempt == 3
            run.log({"loss": 4.0}, step=5)
        found = store.sql("select rank, count(*) from metrics group by all order by all")
        assert found.fetchall() == [(0, 6), (1, 5), (2, 4)]  # rank 1 is gone again
        assert store.series(GIVEN, "loss").steps.max() == 5
    assert is_in_order(path)


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_attempts_of_one_number_in_several_stores_stay_apart(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    made = {
        name: make_old(
            tmp_path / f"{name}.duckdb",
            GIVEN,
            [(1, 0, "loss", range(first, first + 50), float(place))],
            begin=100_000 * place,
        )
        for place, (name, first) in enumerate((("a", 0), ("b", 30), ("c", 60)))
    }
    here = tmp_path / "all.duckdb"
    for name in order:
        merge_stores([made[name]], here)
    merge_stores(made.values(), here)

    with Store(here) as store:
        values = store.series(GIVEN, "loss").values.tolist()
        assert values == [0.0] * 30 + [1.0] * 30 + [2.0] * 50
        assert store.run(GIVEN).attempt == 3
        assert store.sql("select count(*) from points").fetchall() == [(150,)]
    assert is_in_order(here)


def test_copies_of_an_old_store_are_known_for_one(tmp_path: Path) -> None:
    parts = [(1, 0, "loss", range(9), 1.0), (2, 0, "loss", range(5, 9), 2.0)]
    path = make_old(tmp_path / "old.duckdb", GIVEN, parts)
    copies = [tmp_path / f"{name}.duckdb" for name in "ab"]
    for copy in copies:
        copy.write_bytes(path.read_bytes())

    done = merge_stores(copies, path)

    assert [(one.same, one.points) for one in done] == [(1, 0)] * 2
    with Store(path) as store:
        assert store.run(GIVEN).attempt == 2
        ids = store.sql("select count(distinct attempt) from attempts_").fetchall()
        assert ids == [(2,)]
