"""Stores join by run id: each point once, whatever is merged again, and nothing is lost."""

import json
import math
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

import stepwell
from stepwell.cli import main
from stepwell.store import (
    ConfigurationError,
    MergedStore,
    Store,
    StoreDamagedError,
    StoreLocationError,
    copy_store,
    examine,
    merge_stores,
    open_store,
    start_run,
)
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.maintenance import merge as merging
from stepwell.store.maintenance import point_chunks as pieces
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Tables = dict[str, list[str]]


def counts(done: list[MergedStore]) -> list[tuple[int, int, int, int]]:
    return [(one.new, one.grown, one.same, one.points) for one in done]


def every_row(path: Path) -> Tables:
    """All rows of all tables, as text, in which a NaN is a NaN."""
    tables = "select table_name from duckdb_tables() where database_name = 'store'"
    found: Tables = {}
    with lease_of(resolve(path)).shared() as connection:
        for (name,) in connection.execute(tables).fetchall():
            query = f'from "{name}" order by all'
            found[name] = [repr(row) for row in connection.execute(query).fetchall()]
    return found


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def train(path: Path, name: str, steps: int = 20, **options: Any) -> None:
    with start_run(store=path, name=name, config={"lr": 0.1}, **options) as run:
        for step in range(steps):
            run.log({"loss": 1 / (step + 1), "odd": math.nan, "accuracy": step})
    run.finish(wait=True)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "here.duckdb"


def test_merging_twice_changes_nothing(
    store_path: Path, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MOST", 50)
    monkeypatch.setattr(merging, "MOST", 50)
    other = tmp_path / "other.duckdb"
    for number in range(3):
        train(store_path, f"run {number}")
    train(other, "elsewhere", steps=100)
    train(here, "here")
    before = content(store_path.parent)

    first = merge_stores([store_path, other], here)
    joined = every_row(here)
    again = merge_stores([store_path, other, other], here)

    assert counts(first) == [(3, 0, 0, 180), (1, 0, 0, 300)]
    assert counts(again) == [(0, 0, 3, 0), (0, 0, 1, 0), (0, 0, 1, 0)]
    assert every_row(here) == joined
    after = content(store_path.parent)
    others = {path for path in before if not str(path).startswith(str(here))}
    assert {path: after[path] for path in others} == {path: before[path] for path in others}
    assert all(finding.is_ok for finding in examine(here))
    with Store(here) as store, Store(other) as theirs:
        names = {run.name for run in store.runs()}
        assert names == {"run 0", "run 1", "run 2", "elsewhere", "here"}
        assert str(store.summary("elsewhere")) == str(theirs.summary("elsewhere"))
        assert store.run("elsewhere") == theirs.run("elsewhere")
        assert store.sql("select count(*), sum(number) from params").fetchall() == [
            (5, pytest.approx(0.5))
        ]


def test_a_run_that_has_grown_gains_what_is_new_once(
    store_path: Path, here: Path, tmp_path: Path
) -> None:
    run = start_run(store=store_path, name="live")
    run.log({"loss": 0.0}, step=0)
    run.log({"loss": 0.0}, step=0)  # said twice, and so to be kept twice
    first = merge_stores([store_path], here)
    with Store(here) as store:
        info = store.run("live")
    assert (info.status, info.finished_at) == ("running", None)
    assert (info.exit_message or "").startswith("as of ")
    assert (info.exit_message or "").endswith(f" UTC, in {store_path}")

    unchanged = merge_stores([store_path], here)
    for step in range(1, 10):
        run.log({"loss": step, "late": step}, step=step)
    second = merge_stores([store_path], here)
    run.finish()
    third = merge_stores([store_path], here)
    fourth = merge_stores([store_path], here)

    assert [counts(done)[0] for done in (first, unchanged, second, third, fourth)] == [
        (1, 0, 0, 2),
        (0, 0, 1, 0),
        (0, 1, 0, 18),
        (0, 1, 0, 0),
        (0, 0, 1, 0),
    ]
    with Store(here) as store, Store(store_path) as theirs:
        assert store.run("live") == theirs.run("live")
        assert store.run("live").status == "finished"
        assert store.summary("live") == theirs.summary("live")
        assert store.series("live", "loss").values.tolist() == [0, 0, *range(1, 10)]
    assert all(finding.is_ok for finding in examine(here))


def test_a_store_and_its_older_copy_join_either_way(
    store_path: Path, tmp_path: Path
) -> None:
    run = start_run(store=store_path, name="live", id="mine")
    run.log({"loss": 1.0})
    copy = copy_store(store_path, tmp_path / "copy.duckdb").location
    run.log({"loss": 2.0})
    with Store(store_path) as store:
        store.runs()
    before = every_row(store_path)

    assert counts(merge_stores([copy], store_path)) == [(0, 0, 1, 0)]
    assert every_row(store_path) == before  # which knows better, and lives
    run.finish()
    assert counts(merge_stores([store_path], copy)) == [(0, 1, 0, 1)]

    with Store(copy) as store:
        assert store.run("live").status == "finished"
        assert store.series("live", "loss").values.tolist() == [1, 2]


def test_attempts_made_in_two_places_are_both_there(store_path: Path, here: Path) -> None:
    with start_run(store=store_path, id="mine") as run:
        run.log({"loss": 1.0}, step=0)
    merge_stores([store_path], here)
    for path, value in ((store_path, 2.0), (here, 3.0)):
        with start_run(store=path, id="mine", resume="must") as run:
            run.log({"loss": value}, step=1)

    assert counts(merge_stores([store_path], here)) == [(0, 1, 0, 1)]
    assert counts(merge_stores([store_path], here)) == [(0, 0, 1, 0)]

    with Store(here) as store:
        found = store.sql("select attempt, value from metrics order by all").fetchall()
        assert found == [(1, 1.0), (3, 3.0)]
        every = store.sql("select value from points order by all").fetchall()
        assert every == [(1.0,), (2.0,), (3.0,)]


def test_a_store_that_was_synchronised_while_live_is_taken_with_its_journals(
    store_path: Path, here: Path, tmp_path: Path, make_writer: MakeWriter
) -> None:
    """As rsync leaves it: files of a machine that is not this one, perhaps read-only."""
    fresh = make_writer({"name": "fresh"}, machine="another")
    stale = make_writer({"name": "stale"}, machine="another")
    for writer in (fresh, stale):
        writer.recorder().log({"loss": 1.0})
    with Store(store_path) as store:
        store.runs()
    for writer in (fresh, stale):
        writer.recorder().log({"loss": 2.0}, step=1)
    os.utime(stale.journal.path, (time.time() - 600, time.time() - 600))
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    shutil.copy2(store_path, mirror)
    journals = store_path.with_name(store_path.name + ".journal")
    shutil.copytree(journals, mirror / journals.name)
    for path in (mirror / journals.name, mirror):
        path.chmod(0o555)
    before = content(mirror)

    done = merge_stores([mirror / store_path.name], here)
    again = merge_stores([mirror / store_path.name], here)

    for path in (mirror, mirror / journals.name):
        path.chmod(0o755)
    assert counts(done) == [(2, 0, 0, 4)]
    assert counts(again) == [(0, 0, 2, 0)]
    assert content(mirror) == before
    with Store(here) as opened:
        assert {run.name: run.status for run in opened.runs()} == {
            "fresh": "running",  # a sign of life within the last minute
            "stale": "crashed",
        }
        assert opened.run("stale").exit_message == "the process ended without a word"

    stale.recorder().log({"loss": 3.0}, step=2)  # it lived all the time
    stale.finish("finished", None)
    assert counts(merge_stores([store_path], here)) == [(0, 1, 1, 1)]
    with Store(here) as opened:
        assert opened.run("stale").status == "finished"


def test_what_was_edited_here_stays(store_path: Path, here: Path) -> None:
    run = start_run(store=store_path, name="first name", id="mine", notes="theirs")
    run.log({"loss": 1.0})
    merge_stores([store_path], here)
    with duckdb.connect(str(here)) as connection:
        connection.execute("update runs set name = 'better', tags = ['good']")
    run.log({"loss": 2.0})
    run.finish()

    merge_stores([store_path], here)

    with Store(here) as store:
        info = store.run("mine")
    assert (info.name, info.tags, info.notes) == ("better", ("good",), "theirs")
    assert info.status == "finished"


def test_kept_figures_are_taken_by_name_and_none_is_overwritten(
    store_path: Path, here: Path
) -> None:
    open_store(here)
    for path, names in ((store_path, ("a", "b")), (here, ("b", "c"))):
        with duckdb.connect(str(path)) as connection:
            for name in names:
                connection.execute(
                    "insert into figures values (?, 'run', ?, '2026-01-01')",
                    [name, json.dumps({"of": path.name})],
                )

    (done,) = merge_stores([store_path], here)
    (again,) = merge_stores([store_path], here)

    assert (done.figures, again.figures) == (1, 0)
    with duckdb.connect(str(here)) as connection:
        found = connection.execute("select name, spec from figures order by 1").fetchall()
    assert [(name, json.loads(spec)["of"]) for name, spec in found] == [
        ("a", store_path.name),
        ("b", here.name),
        ("c", here.name),
    ]


def test_a_merge_that_ends_halfway_is_completed_by_the_next(
    store_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MOST", 10)
    for number in range(3):
        train(store_path, f"run {number}")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(merging, "merge_journals", fail)
    with pytest.raises(KeyboardInterrupt):
        merge_stores([store_path], here)
    with duckdb.connect(str(here)) as connection:
        connection.execute("delete from points where metric = 'loss'")
        connection.execute("delete from totals_ where metric = 'loss'")
    monkeypatch.undo()

    assert counts(merge_stores([store_path], here)) == [(0, 3, 0, 60)]
    theirs, ours = every_row(store_path), every_row(here)
    assert [ours[name] for name in ("runs", "points", "journals_")] == [
        theirs[name] for name in ("runs", "points", "journals_")
    ]
    assert all(finding.is_ok for finding in examine(here))


def test_stores_that_cannot_be_merged_are_named(store_path: Path, tmp_path: Path) -> None:
    train(store_path, "run")
    half = Path(shutil.copy(store_path, tmp_path / "half.duckdb"))
    os.truncate(half, 30_000)

    with pytest.raises(ConfigurationError, match="cannot be merged into itself"):
        merge_stores([store_path], store_path)
    with pytest.raises(StoreLocationError, match="there is no store at"):
        merge_stores([tmp_path / "none.duckdb"], store_path)
    with pytest.raises(StoreDamagedError, match=r"half\.duckdb cannot be read"):
        merge_stores([half], store_path)
    result = CliRunner().invoke(main, ["merge", str(half), "--store", str(store_path)])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_the_command_says_what_was_taken(store_path: Path, here: Path) -> None:
    train(store_path, "run")
    command = ["merge", str(store_path), "--store", str(here)]

    line = CliRunner().invoke(main, command)
    again = CliRunner().invoke(main, [*command, "--json"])

    assert line.exit_code == 0, line.output
    assert "60 points taken; runs: 1 new, 0 grown, 0 as before" in line.stdout
    assert json.loads(again.stdout)[0]["same"] == 1
    assert stepwell.open_store(here).run("run").status == "finished"
