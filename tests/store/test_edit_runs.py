"""Past runs get tags, notes and names, from Python and from the command line."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import (
    ConfigurationError,
    RunNotFoundError,
    Store,
    StoreBusyError,
    StoreClosedError,
    start_run,
)


@pytest.fixture
def store(store_path: Path) -> Store:
    """A store of two finished runs."""
    for name in ("first", "second"):
        with start_run("digits", name, {"lr": 0.1}, tags=["old"], store=store_path) as run:
            run.log({"loss": 1.0})
    return Store(store_path)


def invoke(store: Store, *arguments: str) -> Any:
    return CliRunner().invoke(main, [*arguments, "--store", str(store.location)])


def test_tags_are_added_once_and_removed(store: Store) -> None:
    assert store.tag("first", ["paper", "old", "paper"]).tags == ("old", "paper")
    assert store.tag("first", "x, y").tags == ("old", "paper", "x, y")
    assert store.tag("first", ["old", "never"], remove=True).tags == ("paper", "x, y")
    assert [run.name for run in store.runs(tag="paper")] == ["first"]
    assert store.run("second").tags == ("old",)


def test_notes_are_set_and_taken_away(store: Store) -> None:
    assert store.note("first", "it's ünusual").notes == "it's ünusual"
    assert store.note("first", "").notes is None
    assert store.run("second").notes is None


def test_a_run_is_known_by_its_new_name(store: Store) -> None:
    run_id = store.run("first").run_id

    assert store.rename("first", "baseline").name == "baseline"

    assert store.run("baseline").run_id == run_id
    assert store.series("baseline", "loss").values.tolist() == [1.0]
    assert store.sql("select distinct run from summary order by run").fetchall() == [
        ("baseline",),
        ("second",),
    ]
    with pytest.raises(RunNotFoundError):
        store.run("first")


def test_everything_else_of_a_changed_run_stays(store: Store) -> None:
    query = "select * exclude (tags, notes, name) from runs order by run_id"
    before = store.sql(query).fetchall(), store.sql("from points").fetchall()

    store.tag("first", "new")
    store.note("first", "new")
    store.rename("first", "new")

    assert (store.sql(query).fetchall(), store.sql("from points").fetchall()) == before


def test_a_running_run_can_be_changed_too(
    store: Store, make_writer: Callable[..., Any]
) -> None:
    make_writer().recorder().log({"loss": 2.0})

    assert store.rename("lone", "live").status == "running"
    assert store.series("live", "loss").values.tolist() == [2.0]


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("tag", ""),
        ("tag", []),
        ("tag", [3]),
        ("note", 3),
        ("note", "\ud800"),
        ("rename", "  "),
        ("rename", None),
        ("rename", "two\nlines"),
        ("rename", "red\x1b[31m"),
        ("rename", "two\u2028lines"),
    ],
)
def test_what_is_no_text_is_refused(store: Store, change: str, value: object) -> None:
    before = store.sql("from runs order by run_id").fetchall()
    with pytest.raises(ConfigurationError):
        getattr(store, change)("first", value)
    assert store.sql("from runs order by run_id").fetchall() == before


def test_a_name_of_two_lines_is_refused_in_one(store: Store) -> None:
    result = invoke(store, "rename", "first", "two\nlines")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "name must be one line without control characters" in result.stderr
    assert store.rename("first", "日本 👩\u200d👧").name == "日本 👩\u200d👧"


def test_a_closed_store_changes_nothing(store: Store) -> None:
    store.close()
    with pytest.raises(StoreClosedError):
        store.tag("first", "x")


def test_a_store_in_use_is_busy(
    store: Store, python: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    holder = python(
        """
        import sys
        from stepwell.store.database.lease import lease_of
        from stepwell.store.files.location import resolve
        with lease_of(resolve(sys.argv[1])).shared():
            print("held", flush=True)
            sys.stdin.read()
        """,
        store.location,
    )
    assert holder.stdout.readline() == "held\n"

    impatient = Store(store.location, seconds=0.2)
    with pytest.raises(StoreBusyError):
        impatient.note("first", "x")
    with pytest.raises(StoreBusyError):
        impatient.remove_runs("first")

    holder.communicate("", timeout=60)
    assert store.run("first").notes is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_store_that_may_only_be_read_is_left_as_it_is(
    store: Store, tmp_path: Path, python: Callable[..., Any]
) -> None:
    runs = store.runs()
    top = Path(tempfile.gettempdir())
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(top) and folder != top:
            folder.chmod(0o755)
    spare = shutil.copy(store.location, tmp_path / "spare.duckdb")
    process = python(
        """
        import os, sys
        from stepwell.store import Store, StoreLocationError

        spare = Store(sys.argv[2])  # loads what others may not
        spare.tag("first", "x"), spare.note("first", "x"), spare.rename("first", "y")
        spare.remove_runs("y")
        os.setgroups([]), os.setgid(65534), os.setuid(65534)
        store = Store(sys.argv[1])
        for change in (
            lambda: store.tag("first", "x"),
            lambda: store.note("first", "x"),
            lambda: store.rename("first", "x"),
            lambda: store.remove_runs("first"),
        ):
            try:
                change()
            except StoreLocationError as error:
                print(error)
        """,
        store.location,
        spare,
    )
    printed, errors = process.communicate(timeout=60)

    line = f"no permission to write to the store {store.location}; check its owner and mode"
    assert printed.splitlines() == [line] * 4, errors
    assert store.runs() == runs


def test_the_command_line_changes_runs(store: Store) -> None:
    assert "old, paper" in invoke(store, "tag", "first", "paper").stdout
    assert "tags: paper" in invoke(store, "tag", "first", "old", "--remove").stdout
    assert "notes: see 3" in invoke(store, "note", "first", "see 3").stdout
    renamed = invoke(store, "rename", "first", "base", "--json")
    assert json.loads(renamed.stdout)["name"] == "base"

    run = store.run("base")
    assert (run.tags, run.notes) == (("paper",), "see 3")


@pytest.mark.parametrize(
    "arguments",
    [
        ["tag", "nobody", "x"],
        ["tag", "first"],
        ["tag", "first", ""],
        ["note", "nobody", "x"],
        ["rename", "first", ""],
        ["rename", "nobody", "x"],
    ],
)
def test_what_is_wrong_is_one_line(store: Store, arguments: list[str]) -> None:
    result = invoke(store, *arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("Error: ")
