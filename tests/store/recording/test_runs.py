"""Runs start, resume, are joined and end as their arguments say."""

import argparse
import copy
import gc
import os
import pickle
import random
import shlex
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepwell
from stepwell import Run
from stepwell.store import (
    ConfigurationError,
    RunExistsError,
    RunInfo,
    RunNotFoundError,
    Store,
    StoreClosedError,
    StoreLocationError,
    StoreWarning,
    start_run,
)

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def _inside_the_folder(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))
    monkeypatch.delenv("RANK", raising=False)
    yield
    while (run := stepwell.active_run()) is not None:
        run.finish()


def info(run: Run) -> RunInfo:
    return Store(run.location).run(run.id)


@dataclass
class Optimizer:
    name: str = "adam"
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass
class Settings:
    optimizer: Optimizer = field(default_factory=Optimizer)
    lock: Any = field(default_factory=threading.Lock)  # which cannot be copied


def test_what_a_run_is_given_is_what_its_row_says() -> None:
    run = stepwell.init(
        "digits", "first", {"lr": 0.1}, "sweep", ["a", "b", "a"], "A note.", rank=3
    )
    found = info(run)

    assert (found.project, found.name, found.group_name) == ("digits", "first", "sweep")
    assert (found.tags, found.notes, found.config) == (("a", "b"), "A note.", {"lr": 0.1})
    assert (found.status, found.attempt, found.pid) == ("running", 1, os.getpid())
    assert found.host
    assert found.user_name
    assert found.python_version
    assert found.command
    assert shlex.split(found.command)[1:] == sys.orig_argv[1:]
    assert found.working_dir == str(Path.cwd())
    assert (run.project, run.tags, run.rank, run.attempt) == ("digits", ("a", "b"), 3, 1)
    assert uuid.UUID(run.id).version == 7
    assert f"{run.id} in {run.location}, open" in repr(run)


def test_a_name_is_generated_and_seeds_are_left_alone() -> None:
    random.seed(1)
    names = {stepwell.init().name for _ in range(8)}
    drawn = random.random()
    random.seed(1)

    assert len(names) > 6
    assert all(len(name.split("-")) == 3 for name in names)
    assert random.random() == drawn


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"project": 5}, "project must be a text, not int"),
        ({"name": b"x"}, "name must be a text"),
        ({"notes": "\ud800"}, "not valid Unicode"),
        ({"name": "a\0b"}, "not valid Unicode"),
        ({"tags": 7}, "tags must be a list of texts"),
        ({"tags": ["a", 3]}, "tags must be a text, not int"),
        ({"tags": ["a", None]}, "tags must be a text, not NoneType"),
        ({"tags": b"a"}, "tags must be a list of texts, not bytes"),
        ({"resume": []}, "use 'never', 'allow' or 'must'"),
        ({"resume": 5}, "use 'never', 'allow' or 'must'"),
        ({"config": 5}, "config must be a dict"),
        ({"config": ["a"]}, "config must be a dict"),
        ({"id": 12}, "id must be a text"),
        ({"id": ""}, "id is empty"),
        ({"resume": "perhaps"}, "use 'never', 'allow' or 'must'"),
        ({"resume": "must"}, "needs the id"),
        ({"rank": -1}, "rank must be from 0 to 32767"),
        ({"rank": 40_000}, "rank must be from 0 to 32767"),
        ({"rank": "0"}, "rank must be from 0 to 32767"),
        ({"rank": 1.0}, "rank must be from 0 to 32767"),
        ({"rank": True}, "rank must be from 0 to 32767"),
        ({"durability": "prayer"}, "use 'write' or 'fsync'"),
        ({"store": 5}, "store must be a path"),
        ({"store": "s3://bucket/x"}, "unknown scheme"),
    ],
)
def test_an_unusable_argument_is_refused_by_its_name(
    arguments: dict[str, Any], word: str, store_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=word):
        stepwell.init(**arguments)
    assert not list(store_path.parent.glob("*.journal/*.journal"))


def test_a_config_is_kept_as_plain_json() -> None:
    config = {
        "settings": Settings(),
        "arguments": argparse.Namespace(lr=0.1),
        "numpy": np.float32(0.5),
        "array": np.arange(3),
        "nan": float("nan"),
        "inf": -float("inf"),
        "huge": 10**30,
        "beyond": 10**5000,
        "none": None,
        "flag": True,
        "path": Path("a/b"),
        "set": {1},
        3: "number",
        "bad \ud800": "\udcff \0",
        "quote'\"": "ünï",
        "dtype": np.dtype("float32"),
    }
    found = info(stepwell.init(config=config)).config

    assert found["settings"]["optimizer"] == {
        "name": "adam",
        "lr": 1e-3,
        "betas": [0.9, 0.999],
    }
    assert found["settings"]["lock"].startswith("<unlocked")
    assert (found["numpy"], found["array"]) == (0.5, [0, 1, 2])
    assert (found["nan"], found["inf"]) == ("nan", "-inf")
    assert found["huge"] == "1" + 30 * "0"
    assert found["beyond"].startswith("0x")
    assert (found["none"], found["flag"], found["path"]) == (None, True, "a/b")
    assert (found["set"], found["3"], found["dtype"]) == ([1], "number", "float32")
    assert (found["bad ?"], found["quote'\""]) == ("? �", "ünï")


@pytest.mark.parametrize(
    "config", [Optimizer(), argparse.Namespace(**vars(Optimizer())), vars(Optimizer())]
)
def test_a_config_is_a_dict_a_dataclass_or_a_namespace(config: object, rows: Rows) -> None:
    run = stepwell.init(config=config)
    run.config["batch.size"] = 64
    run.config.update({"nested": {"deep": "1e-3"}}, seed=None)

    expected = {"name": "adam", "lr": 1e-3, "batch.size": 64, "seed": None}
    assert {key: info(run).config[key] for key in expected} == expected
    assert run.config["nested"] == {"deep": "1e-3"}
    assert rows("select key, text, number from params order by key") == [
        ("batch.size", "64", 64),
        ("betas", "[0.9, 0.999]", None),
        ("lr", "0.001", 0.001),
        ("name", "adam", None),
        ("nested.deep", "1e-3", 0.001),
        ("seed", None, None),
    ]


def test_tags_notes_and_layout_change_while_the_run_goes_on() -> None:
    run = stepwell.init(tags="one")
    run.add_tags("two", "one", "\ud800")
    run.set_notes("now \udcff then")
    run.set_layout({"panels": [1, "ü"]})

    found = info(run)

    assert found.tags == ("one", "two", "?")
    assert (found.notes, found.layout) == ("now ? then", {"panels": [1, "ü"]})


def test_an_id_that_is_there_is_not_started_twice() -> None:
    run = stepwell.init(id="my-run")
    run.log({"loss": 1})
    run.finish()

    for resume in (None, "never", False):
        with pytest.raises(RunExistsError, match='resume="allow"'):
            stepwell.init(id="my-run", resume=resume)
    assert info(run).attempt == 1


def test_must_insists_on_a_run_that_is_there() -> None:
    with pytest.raises(RunNotFoundError, match="no run 'my-run'"):
        stepwell.init(id="my-run", resume="must")


def test_an_own_id_finds_the_run_whatever_its_name() -> None:
    run = stepwell.init(id="my-run", name="other")

    assert Store(run.location).run("my-run").run_id == run.id
    assert Store(run.location).run("other").run_id == run.id
    assert stepwell.init(id="their-run").name == "their-run"


@pytest.mark.parametrize("resume", ["allow", "must", True])
def test_a_resumed_run_is_the_next_attempt(resume: str | bool, rows: Rows) -> None:
    first = stepwell.init(id="my-run", config={"lr": 1, "seed": 2}, project="p")
    for _ in range(5):
        first.log({"loss": 1.0})
    first.finish("failed", "no power")

    again = stepwell.init(id="my-run", resume=resume, config={"lr": 2})
    again.log({"loss": 2.0})
    again.log({"loss": 3.0}, step=2)

    assert (again.id, again.attempt, again.current_step) == (first.id, 2, 5)
    assert (again.project, dict(again.config)) == ("p", {"lr": 2, "seed": 2})
    found = info(again)
    assert (found.status, found.attempt, found.exit_message) == ("running", 2, None)
    assert found.config == {"lr": 2, "seed": 2}
    seen = rows("select step, value, attempt from metrics order by step, attempt")
    assert seen == [(0, 1, 1), (1, 1, 1), (2, 3, 2), (5, 2, 2)]
    store = Store(again.location)
    assert store.series(found, "loss").steps.tolist() == [0, 1, 2, 5]
    assert len(store.series(found, "loss", all_attempts=True)) == 7
    assert store.summary(found)["loss"].count == 4


def test_a_run_that_goes_on_is_joined(rows: Rows) -> None:
    first = stepwell.init(id="my-run")
    first.log({"loss": 1.0})
    joined = stepwell.init(id="my-run", resume="allow", config={"late": 1})
    joined.log({"accuracy": 1.0})
    joined.finish()
    first.log({"loss": 2.0})

    found = info(first)
    assert (joined.id, joined.attempt) == (first.id, 1)
    assert (found.status, found.attempt, found.config) == ("running", 1, {"late": 1})
    assert rows("select count(*) from metrics") == [(3,)]
    first.finish()
    assert info(first).status == "finished"


def test_several_ranks_write_one_run(rows: Rows) -> None:
    runs = [start_run(id="both", resume="allow", rank=rank) for rank in (0, 1)]
    for run in runs:
        run.log({"loss": run.rank})
    for run in runs:
        run.finish()

    assert rows("select rank, value from metrics order by rank") == [(0, 0), (1, 1)]
    assert rows("select status, points from run_table") == [("finished", 2)]


def test_a_copied_run_writes_the_same_run(rows: Rows) -> None:
    run = stepwell.init(config={"a": 1}, tags=["t"], durability="fsync")
    other = pickle.loads(pickle.dumps(run))
    third = copy.deepcopy(run)
    other.log({"loss": 1})
    third.log({"loss": 2})
    run.finish()  # before the others are
    other.finish()
    third.finish()

    assert (other.id, dict(other.config), other.tags) == (run.id, {"a": 1}, ("t",))
    assert rows("select count(*) from metrics") == [(2,)]
    assert rows("select status, attempt from runs") == [("finished", 1)]


def test_several_runs_are_open_at_once(rows: Rows) -> None:
    runs = [stepwell.init(name=f"run {number}") for number in range(5)]
    for number in range(3):
        for run in runs:
            run.log({"loss": number})
    runs[2].finish("failed", "by hand")
    runs[3].finish("interrupted")

    found = rows("select run, status, points from run_table order by run")
    assert found == [
        ("run 0", "running", 3),
        ("run 1", "running", 3),
        ("run 2", "failed", 3),
        ("run 3", "interrupted", 3),
        ("run 4", "running", 3),
    ]


def test_a_run_that_is_left_behind_is_finished(rows: Rows) -> None:
    run = start_run()
    run.log({"loss": 1})
    run.config["a"] = 1

    del run

    assert rows("select status, points from run_table") == [("finished", 1)]


def test_a_run_in_a_cycle_is_finished_by_the_collector(rows: Rows) -> None:
    holder: dict[str, Any] = {"run": start_run()}
    holder["self"] = holder
    del holder
    gc.collect()

    assert rows("select status from runs") == [("finished",)]


def test_a_collector_that_runs_anywhere_blocks_nothing() -> None:
    def leave_behind() -> None:
        holder: dict[str, Any] = {"run": start_run()}
        holder["self"] = holder

    threshold = gc.get_threshold()
    gc.set_threshold(5)  # so that it runs within the locks of the keeper, too
    try:
        for _ in range(20):
            leave_behind()
            leave_behind()
            stepwell.init().finish()
    finally:
        gc.set_threshold(*threshold)


def test_the_end_of_a_run_is_said_once(rows: Rows) -> None:
    run = stepwell.init()
    run.finish("failed", "first")
    run.finish("finished", "second")

    assert rows("select status, exit_message from runs") == [("failed", "first")]
    with pytest.warns(stepwell.MetricWarning, match="the run is finished"):
        run.log({"loss": 1})
    assert not run.is_open
    assert rows("select count(*) from points") == [(0,)]


def test_an_unknown_status_is_said_and_the_run_finished(rows: Rows) -> None:
    run = stepwell.init()
    with pytest.warns(StoreWarning, match="status 'splendid' is unknown"):
        run.finish("splendid")

    assert rows("select status, exit_message from runs") == [("finished", "splendid")]


def test_a_message_may_be_anything(rows: Rows) -> None:
    stepwell.init().finish("failed", ValueError("\ud800"))  # type: ignore[arg-type]

    assert rows("select exit_message from runs") == [("?",)]


def test_a_block_that_raises_is_a_failed_run(rows: Rows) -> None:
    with pytest.raises(ZeroDivisionError), stepwell.init() as run:
        run.log({"loss": 1 / 0})

    found = rows("select status, exit_message from runs")
    assert found == [("failed", "ZeroDivisionError: division by zero")]


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (SystemExit(0), "finished", None),
        (SystemExit(None), "finished", None),
        (SystemExit(3), "failed", "SystemExit: 3"),
        (ValueError("\ud800"), "failed", "ValueError: ?"),
        (ValueError(), "failed", "ValueError"),
    ],
)
def test_what_ends_a_block_is_how_the_run_stands(
    error: BaseException, status: str, message: str | None, rows: Rows
) -> None:
    def fail() -> None:
        with stepwell.init():
            raise error

    with pytest.raises(type(error)):
        fail()
    assert rows("select status, exit_message from runs") == [(status, message)]


def test_the_commit_of_the_checkout_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., None]
) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=N", "-c", "user.email=n@example.org")
        command = ["git", *who, "-C", str(tmp_path / "code"), *arguments]
        return subprocess.check_output(command, text=True).strip()

    def commit_of(run: Run) -> tuple[str | None, bool | None]:
        eventually(lambda: info(run).git_commit is not None)
        return info(run).git_commit, info(run).git_dirty

    (tmp_path / "code").mkdir()
    git("init", "-q")
    (tmp_path / "code" / "train.py").write_text("1")
    git("add", "train.py")
    git("commit", "-qm", "first")
    monkeypatch.chdir(tmp_path / "code")
    monkeypatch.setenv("STEPWELL_STORE", str(tmp_path / "runs.duckdb"))

    assert commit_of(stepwell.init()) == (git("rev-parse", "HEAD"), False)
    (tmp_path / "code" / "train.py").write_text("2")
    assert commit_of(stepwell.init()) == (git("rev-parse", "HEAD"), True)


def test_a_folder_without_a_checkout_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = stepwell.init()
    run.finish()

    assert (info(run).git_commit, info(run).git_dirty) == (None, None)


def test_a_run_answers_for_itself() -> None:
    run = stepwell.init()
    run.update_metrics({"loss": 2.0})
    run.log({"loss": 1.0})

    assert run.summary()["loss"].min == 1.0
    assert run.series("loss").values.tolist() == [2.0, 1.0]
    assert run.store() is run.store()


def test_a_closed_store_answers_no_more(store_path: Path) -> None:
    with stepwell.open_store(store_path) as store:
        pass

    with pytest.raises(StoreClosedError, match="was closed"):
        store.runs()


def test_a_store_that_must_exist_is_not_made(new_path: Path) -> None:
    before = set(new_path.parent.iterdir())
    with pytest.raises(StoreLocationError, match="there is no store at"):
        stepwell.open_store(new_path, create=False)

    assert set(new_path.parent.iterdir()) == before
