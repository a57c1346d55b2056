"""An attempt supersedes what it recorded again, by metric and rank, and nothing else."""

import json
import math
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.cli import main
from stepwell.store import Selection, Store, examine, repair_store, start_run
from stepwell.store.attempts.numbering import Part, number_attempts
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
ID = "night"


def train(
    path: Path, metrics: Callable[[int], dict[str, float]], steps: range, **known: Any
) -> int:
    """Start, resume or join the run; gives the number of the attempt."""
    with start_run(id=ID, resume="allow", store=path, **known) as run:
        for step in steps:
            run.log(metrics(step), step=step)
        return run.attempt


def loss(value: float) -> Callable[[int], dict[str, float]]:
    return lambda _: {"loss": value}


def counts(store: Store) -> dict[str, int]:
    return {name: metric.count for name, metric in store.summary(ID).items()}


def is_in_order(path: Path) -> bool:
    return all(finding.is_ok for finding in examine(path) if finding.check == "totals")


@pytest.fixture
def store(store_path: Path) -> Iterator[Store]:
    with Store(store_path) as opened:
        yield opened
    assert is_in_order(store_path)


@pytest.mark.parametrize("step", [0, 100, 5000])
def test_a_metric_logged_into_a_run_that_has_ended_hides_nothing(
    store: Store, step: int
) -> None:
    train(store.location, lambda s: {"train_loss": 1 / (s + 1)}, range(1000))
    with start_run(id=ID, resume="must", store=store.location) as run:
        run.log({"test_acc": 0.91}, step=step)
        assert run.attempt == 2

    assert counts(store) == {"train_loss": 1000, "test_acc": 1}
    assert len(store.series(ID, "train_loss")) == 1000
    assert store.run(ID).attempt == 2
    assert store.last_attempts(ID) == {"train_loss": 1, "test_acc": 2}


def test_a_restart_that_died_at_once_hides_what_it_recorded_alone(store: Store) -> None:
    train(store.location, lambda _: {"loss": 1.0, "gpu_mem": 2.0}, range(100))
    code = (
        "import os, sys, stepwell\n"
        "run = stepwell.init(id='night', resume='must', store=sys.argv[1])\n"
        "run.log({'gpu_mem': 3.0}, step=0); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(store.location)], check=False)

    assert counts(store) == {"loss": 100, "gpu_mem": 1}
    assert store.run(ID).status == "crashed"
    assert len(store.series(ID, "gpu_mem", all_attempts=True)) == 101


def test_what_is_recorded_again_from_an_early_step_is_replaced_from_there(
    store: Store,
) -> None:
    train(store.location, lambda s: {"loss": s, "val_loss": s}, range(50))
    train(store.location, lambda s: {"val_loss": -s}, range(10, 12))
    train(store.location, lambda s: {"val_loss": 100 + s}, range(11, 13))

    expected = [*range(10), -10, 111, 112]
    assert store.series(ID, "val_loss").values.tolist() == expected
    assert counts(store) == {"loss": 50, "val_loss": 13}
    assert store.summary(ID)["val_loss"].mean == pytest.approx(sum(expected) / 13)


def test_a_later_attempt_that_goes_back_further_takes_more(store: Store) -> None:
    train(store.location, loss(1.0), range(100))
    with start_run(id=ID, resume="must", store=store.location) as run:
        for step, left in ((60, 60), (40, 40), (80, 40), (20, 20)):
            run.log({"loss": 2.0}, step=step)
            seen = store.series(ID, "loss")
            assert (seen.values == 1.0).sum() == left
            assert store.summary(ID)["loss"].count == len(seen)


def per_rank(rank: int) -> Callable[[int], dict[str, float]]:
    return lambda _: {f"rank_{rank}/speed": 1.0, "loss": float(rank)}


@pytest.mark.parametrize("ranks", [(0, 1), (1, 0), (0, 1, 2, 3)])
def test_ranks_one_after_the_other_are_one_attempt(
    store: Store, ranks: tuple[int, ...]
) -> None:
    for rank in ranks:
        assert train(store.location, per_rank(rank), range(100), rank=rank) == 1

    assert counts(store)["loss"] == 100 * len(ranks)
    assert sum(counts(store).values()) == 200 * len(ranks)
    assert store.run(ID).attempt == 1
    found = store.sql("select distinct attempt from metrics").fetchall()
    assert found == [(1,)]


def test_ranks_at_once_are_one_attempt(store: Store) -> None:
    begin = threading.Barrier(4)

    def work(rank: int) -> None:
        run = start_run(id=ID, resume="allow", store=store.location, rank=rank)
        begin.wait()
        for step in range(50):
            run.log(per_rank(rank)(step), step=step)
        begin.wait()
        run.finish()

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counts(store)["loss"] == 200
    assert store.run(ID).attempt == 1


@pytest.mark.parametrize("first", [0, 60])
def test_a_run_resumed_with_fewer_ranks_supersedes_those_that_are_gone(
    store: Store, first: int
) -> None:
    for rank in range(4):
        train(store.location, per_rank(rank), range(100), rank=rank)
    for rank in range(2):
        known = {"rank": rank}
        assert train(store.location, loss(9.0), range(first, 90), **known) == 2

    found = counts(store)
    assert found["loss"] == 4 * first + 2 * (90 - first)
    assert {name: n for name, n in found.items() if name != "loss"} == {
        f"rank_{rank}/speed": 100 for rank in range(4)
    }
    seen = store.sql(
        "select rank, count(*) from metrics where metric = 'loss' group by all order by all"
    ).fetchall()
    after = {0: 90, 1: 90, 2: first, 3: first}
    assert seen == [(rank, count) for rank, count in after.items() if count]


def test_a_rank_restarted_alone_supersedes_its_own_points_alone(store: Store) -> None:
    runs = [
        start_run(id=ID, resume="allow", store=store.location, rank=rank)
        for rank in range(4)
    ]
    for run in runs:
        for step in range(10):
            run.log({"loss": float(run.rank)}, step=step)
    runs[3].finish()
    again = start_run(id=ID, resume="allow", store=store.location, rank=3)
    for step in range(5, 10):
        again.log({"loss": 9.0}, step=step)

    for ended in (False, True):
        assert counts(store) == {"loss": 40}
        assert (store.series(ID, "loss").values == 9.0).sum() == 5
        assert store.run(ID).attempt == 2
        assert store.run(ID).status == ("finished" if ended else "running")
        for run in (*runs[:3], again):
            run.finish()


def test_a_process_that_joins_while_the_run_goes_on_is_of_its_attempt(
    store: Store,
) -> None:
    with start_run(id=ID, resume="allow", store=store.location) as run:
        run.log({"loss": 1.0}, step=100)
        code = (
            "import sys, stepwell\n"
            "with stepwell.init(id='night', resume='must', store=sys.argv[1]) as run:\n"
            "    run.log({'loss': 2.0}, step=0); print(run.attempt)"
        )
        for _ in range(2):
            command = [sys.executable, "-c", code, str(store.location)]
            printed = subprocess.run(command, capture_output=True, text=True, check=True)
            assert printed.stdout == "1\n"

    assert counts(store) == {"loss": 3}
    assert store.run(ID).attempt == 1


def falling(first: float) -> Callable[[int], dict[str, float]]:
    return lambda step: {"loss": first - step / 10, "acc": step}


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of two runs, of which one was resumed by fewer ranks and then evaluated."""
    path = tmp_path_factory.mktemp("resumed") / "runs.duckdb"
    for rank in range(2):
        train(path, falling(10.0 - rank), range(20), rank=rank)
    train(path, lambda s: {"loss": 50.0 + s}, range(5, 10), rank=0)
    train(path, lambda _: {"test_acc": 0.5}, range(1), rank=0)
    with start_run(name="other", store=path) as run:
        run.log({"loss": 4.0}, step=3)
    return Store(path)


def test_every_question_sees_the_same_points(resumed: Store, tmp_path: Path) -> None:
    steps = [*range(5), *range(5), *range(5, 10)]
    values = [*(10 - s / 10 for s in range(5)), *(9 - s / 10 for s in range(5)),
              *range(55, 60)]  # fmt: skip

    summary = resumed.summary(ID)["loss"]
    assert (summary.count, summary.last_step, summary.current) == (15, 9, 59)
    assert (summary.min, summary.min_step, summary.max) == (8.6, 4, 59)
    assert summary.mean == pytest.approx(sum(values) / 15)
    assert counts(resumed) == {"loss": 15, "acc": 40, "test_acc": 1}
    series = resumed.series(ID, "loss")
    assert sorted(series.steps.tolist()) == sorted(steps)
    assert sorted(series.values.tolist()) == sorted(values)
    reduced = resumed.reduced(ID, ["loss", "acc"], columns=3)
    assert (reduced["loss"].maximum.max(), reduced["acc"].count.sum()) == (59, 40)
    assert reduced["loss"].count.sum() == 15
    (curve,) = resumed.curves("loss", runs=Selection(runs=(ID,))).values()
    assert (curve.count.sum(), curve.x.max()) == (15, 9)
    assert resumed.leaderboard("loss", "min").value.tolist() == [4.0, 8.6]
    assert resumed.leaderboard("loss", "max").value.tolist() == [59.0, 4.0]
    table = resumed.sweep_table("loss", at=6, goals={"loss": "min"})
    assert 56.0 in table.values["loss"].tolist()
    overview = {one.run.name: one.current for one in resumed.overview()}
    assert overview[ID] == {"loss": 59.0, "acc": 19.0, "test_acc": 0.5}
    rows = resumed.sql(
        "select attempt, count(*), sum(value) from metrics where metric = 'loss'"
        " and run = 'night' group by all order by all"
    ).fetchall()
    assert rows == [(1, 10, pytest.approx(sum(values[:10]))), (2, 5, 285.0)]
    assert resumed.last_attempts(ID) == {"loss": 2, "acc": 1, "test_acc": 3}
    made = resumed.export(tmp_path / "out", "csv")
    written = made.files[1].read_text().splitlines()
    assert {line.rpartition(",")[2] for line in written[1:]} == {"1", "2", "3"}
    assert is_in_order(resumed.location)


def test_the_command_names_metrics_whose_last_points_are_of_an_earlier_attempt(
    resumed: Store,
) -> None:
    def show(*arguments: str) -> str:
        command = ["show", *arguments, "--store", str(resumed.location)]
        return CliRunner().invoke(main, command).output

    said = show(ID)
    assert "attempt 3" in said
    assert said.splitlines()[-2:] == [
        "last points of attempt 1: acc",
        "last points of attempt 2: loss",
    ]
    assert "last points" not in show("other")
    summary = json.loads(show(ID, "--json"))["summary"]
    assert {name: summary[name]["attempt"] for name in summary} == {
        "loss": 2,
        "acc": 1,
        "test_acc": 3,
    }


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "update store.main.totals_ set superseded_from = 3 where metric = 'acc'",
            "marked wrongly",
        ),
        ("update store.main.totals_ set superseded_from = null", "marked wrongly"),
        ("update store.main.attempts_ set number = 4 - number", "another order"),
        ("delete from store.main.attempts_ where rank = 1", "not known"),
    ],
)
def test_the_doctor_finds_attempts_that_disagree_and_a_repair_derives_them_anew(
    resumed: Store, tmp_path: Path, statement: str, said: str
) -> None:
    path = Path(shutil.copy(resumed.location, tmp_path / "wrong.duckdb"))
    with lease_of(resolve(path)).exclusive() as connection:
        connection.execute(statement)
    wrong = [finding.message for finding in examine(path) if not finding.is_ok]
    assert any(said in message for message in wrong), wrong

    made = repair_store(path, tmp_path / "new.duckdb").location

    assert is_in_order(made)
    with Store(made) as store:
        assert counts(store)["loss"] == 15
        assert store.run(ID).attempt == 3


SPANS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 12)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(SPANS, st.randoms(use_true_random=False))
def test_numbers_do_not_depend_on_the_order_of_the_writers(
    spans: list[tuple[int, int, int]], shuffled: random.Random
) -> None:
    parts = [
        Part(identity, rank, 0, begin, begin + took)
        for identity, (rank, begin, took) in enumerate(spans, 1)
    ]
    numbering = number_attempts(parts)
    again = list(parts)
    shuffled.shuffle(again)

    assert number_attempts(again) == numbering
    assert set(numbering.numbers.values()) == set(range(1, numbering.latest + 1))
    for one in parts:
        for other in parts:
            if one.rank != other.rank or one.attempt == other.attempt:
                continue
            numbers = numbering.numbers[one.attempt], numbering.numbers[other.attempt]
            if one.started < (other.ended or 0) and other.started < (one.ended or 0):
                assert numbers[0] == numbers[1]
            elif (one.ended or 0) <= other.started and one.started < other.started:
                assert numbers[0] <= numbers[1]


def test_what_saw_another_attempt_ended_comes_after_it_whatever_the_clocks_say() -> None:
    first = Part(11, 0, 0, 1000, 2000)
    for began in (0, 500, 1000, 1500, 2500):
        numbers = number_attempts([Part(22, 0, 11, began, None), first]).numbers
        assert numbers == {11: 1, 22: 2}
    assert number_attempts([Part(22, 0, 0, 1500, None), first]).latest == 1


def test_a_chain_of_attempts_that_goes_in_a_circle_ends() -> None:
    parts = [Part(1, 0, 2, 5, 6), Part(2, 0, 1, 7, 8), Part(3, 0, 3, 9, 10)]

    assert set(number_attempts(parts).numbers) == {1, 2, 3}


def test_many_attempts_are_numbered_quickly() -> None:
    parts = [
        Part(1000 * rank + attempt + 1, rank, 0, attempt * 10, attempt * 10 + 9)
        for attempt in range(500)
        for rank in range(8)
    ]

    numbering = number_attempts(parts)

    assert numbering.latest == 500
    assert math.isclose(len(numbering.gone), 0)


def test_a_run_that_is_resumed_more_often_than_its_row_can_count_is_folded(
    store: Store, make_writer: MakeWriter
) -> None:
    train(store.location, loss(0.0), range(3))
    info = store.run(ID)
    with lease_of(resolve(store.location)).exclusive() as connection:
        connection.execute(
            "insert into store.main.attempts_ select ?, 2000000 + n, 0, n::varchar, 0,"
            " now()::timestamp + interval 1 second * n, 2 + n from range(33000) t(n)",
            [info.run_id],
        )
    known = {"attempt": 5_000_000, "follows": 2_032_999}
    writer = make_writer(run_id=info.run_id, **known)
    writer.recorder().log({"loss": 1.0}, step=1)
    writer.finish("finished", None)

    assert store.run(ID).attempt == 2**15 - 1
    assert store.series(ID, "loss").values.tolist() == [0.0, 1.0]
    found = store.sql("select distinct attempt from metrics order by all").fetchall()
    assert found == [(1,), (33_002,)]
