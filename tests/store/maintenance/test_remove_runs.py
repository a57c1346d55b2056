"""Removed runs are gone for good, and nothing else is."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import (
    ConfigurationError,
    RunGoesOnError,
    RunNotFoundError,
    Selection,
    Store,
    start_run,
)
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

TABLES = ("runs", "points", "params_", "totals_", "journals_")


def record(path: Path, *names: str) -> list[str]:
    """Finished runs of three points each; their ids."""
    ids = []
    for number, name in enumerate(names):
        with start_run("digits", name, {"lr": number}, store=path) as run:
            for step in range(3):
                run.log({"loss": number + step})
        ids.append(run.id)
    Store(path).runs()
    return ids


def contents(path: Path, without: str = "") -> dict[str, list[Any]]:
    """All rows of all tables, but those of one run."""
    store = Store(path)
    condition = f"where run_id <> '{without}'" if without else ""
    return {
        table: store.sql(f"from {table} {condition} order by all").fetchall()
        for table in TABLES
    }


def invoke(path: Path, *arguments: str, text: str = "") -> Any:
    return CliRunner().invoke(main, [*arguments, "--store", str(path)], input=text)


def test_every_row_of_a_removed_run_goes_and_no_other(store_path: Path) -> None:
    ids = record(store_path, "a", "b", "c")
    expected = contents(store_path, without=ids[1])

    removed = Store(store_path).remove_runs("b")

    assert ([run.name for run in removed.runs], removed.points) == (["b"], 3)
    assert contents(store_path) == expected
    assert all(len(rows) for rows in expected.values())


def test_a_dry_run_removes_nothing(store_path: Path) -> None:
    record(store_path, "a", "b")
    before = contents(store_path)

    found = Store(store_path).remove_runs(Selection(), dry_run=True)

    assert (len(found), found.points) == (2, 6)
    assert contents(store_path) == before


def test_a_selection_is_removed(store_path: Path) -> None:
    record(store_path, "a", "b", "c")

    Store(store_path).remove_runs(Selection(where=("lr >= 1",)))

    assert [run.name for run in Store(store_path).runs()] == ["a"]


def test_nothing_is_removed_for_want_of_a_selection(store_path: Path) -> None:
    record(store_path, "a")
    store = Store(store_path)

    with pytest.raises(ConfigurationError, match="say which runs"):
        store.remove_runs(None)
    with pytest.raises(RunNotFoundError):
        store.remove_runs(["a", "nobody"])
    assert len(store.remove_runs([])) == 0
    assert len(store.runs()) == 1


def test_a_run_that_goes_on_is_refused_and_all_stay(
    store_path: Path, make_writer: Callable[..., Any]
) -> None:
    record(store_path, "a")
    make_writer().recorder().log({"loss": 2.0})

    with pytest.raises(RunGoesOnError, match=r"'lone' still goes on \(process \d+ on"):
        Store(store_path).remove_runs(Selection())

    assert len(Store(store_path).runs()) == 2


def test_a_run_of_which_one_process_still_writes_is_refused(
    store_path: Path, make_writer: Callable[..., Any]
) -> None:
    (run_id,) = record(store_path, "a")
    who = {"run_id": run_id, "name": "a", "rank": 1, "primary": False}
    make_writer({"name": "a"}, **who).recorder().log({"loss": 2.0})

    with pytest.raises(RunGoesOnError):
        Store(store_path).remove_runs("a")


def test_a_removed_run_does_not_come_back_from_its_journal(
    store_path: Path, make_writer: Callable[..., Any]
) -> None:
    record(store_path, "a")
    # Of another machine, long silent: it is crashed, and its journal is still there.
    writer = make_writer(machine="elsewhere", host="elsewhere")
    writer.recorder().log({"loss": 2.0})
    journals = resolve(store_path).journals
    (journal,) = journals.glob("*.journal")
    aside = journal.with_name(journal.name + ".damaged")
    aside.write_bytes(b"of an earlier repair")
    writer.abandon()
    silence(journal)
    store = Store(store_path)
    assert store.run("lone").status == "crashed"
    assert journal.exists()

    store.remove_runs("lone")

    assert not journal.exists()
    assert not aside.exists()
    lease_of(resolve(store_path)).close()
    assert [run.name for run in Store(store_path).runs()] == ["a"]
    assert len(store.sql("from points")) == 3


def silence(journal: Path) -> None:
    """Make a journal look as if nobody had written to it for an hour."""
    moment = journal.stat().st_mtime - 3600
    os.utime(journal, (moment, moment))


def test_the_same_id_can_be_recorded_again(store_path: Path) -> None:
    with start_run(name="again", id="mine", store=store_path) as run:
        run.log({"loss": 1.0})
    Store(store_path).remove_runs("mine")

    with start_run(name="again", id="mine", store=store_path) as run:
        run.log({"loss": 2.0})

    assert Store(store_path).series("mine", "loss").values.tolist() == [2.0]
    assert Store(store_path).run("mine").attempt == 1


def test_the_command_asks_first(store_path: Path) -> None:
    record(store_path, "a", "b", "c")

    refused = invoke(store_path, "rm", "a", "b", text="n\n")

    assert refused.exit_code == 1
    assert "Remove 2 runs with 6 points for good? [y/N]" in refused.stderr
    assert len(Store(store_path).runs()) == 3
    done = invoke(store_path, "rm", "a", "b", text="y\n")
    assert (done.exit_code, done.stdout) == (0, "2 runs with 6 points removed\n")
    assert [run.name for run in Store(store_path).runs()] == ["c"]


def test_the_command_says_what_it_would_do(store_path: Path) -> None:
    record(store_path, "a", "b")

    result = invoke(store_path, "rm", "a", "--dry-run")

    assert result.stdout.startswith("1 run with 3 points would be removed\n  a  ")
    assert len(Store(store_path).runs()) == 2


def test_the_command_does_not_ask_when_told_so(store_path: Path) -> None:
    record(store_path, "a", "b")

    result = invoke(store_path, "rm", "a", "--yes", "--json")

    assert json.loads(result.stdout)["points"] == 3
    assert [run.name for run in Store(store_path).runs()] == ["b"]


def test_a_name_of_several_runs_is_refused(store_path: Path) -> None:
    record(store_path, "a", "a")

    result = invoke(store_path, "rm", "a", "--yes")

    assert result.exit_code == 2
    assert "'a' fits 2 runs" in result.stderr
    assert len(Store(store_path).runs()) == 2


@pytest.mark.parametrize("arguments", [["rm"], ["rm", "nobody", "--yes"]])
def test_what_is_wrong_is_one_line(store_path: Path, arguments: list[str]) -> None:
    result = invoke(store_path, *arguments)

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_the_command_refuses_a_run_that_goes_on(
    store_path: Path, make_writer: Callable[..., Any]
) -> None:
    make_writer().recorder().log({"loss": 2.0})

    result = invoke(store_path, "rm", "lone", "--yes")

    assert result.exit_code == 2
    assert "still goes on" in result.stderr


def left(path: Path) -> str:
    return "".join(sorted(run.name for run in Store(path).runs()))


@pytest.mark.parametrize(
    ("arguments", "rest"),
    [
        (["--project", "digits"], ""),
        (["--name", "[ab]"], None),
        (["--where", "lr >= 1"], "a"),
        (["a", "b", "--where", "lr > 0"], "ac"),
        (["--runs", "a,c", "--status", "finished"], "b"),
        (["c", "--runs", "a"], "b"),
        (["a", "--project", "other"], None),
        (["--status", "crashed"], None),
        (["--tag", "x"], None),
        (["--group", "g"], None),
    ],
)
def test_the_command_removes_what_the_options_choose(
    store_path: Path, arguments: list[str], rest: str | None
) -> None:
    record(store_path, "a", "b", "c")

    result = invoke(store_path, "rm", "--yes", *arguments)

    if rest is None:
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            "Error: no run fits what was chosen; `stepwell ls` lists the runs\n"
        )
    else:
        assert result.exit_code == 0, result.stderr
    assert left(store_path) == ("abc" if rest is None else rest)


def test_the_command_names_what_the_options_choose(store_path: Path) -> None:
    record(store_path, *"abc")

    tried = invoke(store_path, "rm", "-p", "digits", "-w", "lr > 0", "--dry-run")
    refused = invoke(store_path, "rm", "-p", "digits", "-w", "lr > 0", text="n\n")

    assert tried.stdout.startswith("2 runs with 6 points would be removed\n  c  ")
    for name in ("  b  ", "  c  ", "Remove 2 runs with 6 points for good?"):
        assert name in refused.stderr
    assert "  a  " not in refused.stderr
    assert left(store_path) == "abc"


def test_every_run_of_a_name_goes_by_the_option(store_path: Path) -> None:
    record(store_path, "a", "a", "b")

    assert invoke(store_path, "rm", "--runs", "a", "--yes").exit_code == 0
    assert left(store_path) == "b"


@pytest.mark.parametrize("choice", [[], ["--runs", ","], ["--yes"], ["--dry-run"]])
def test_without_a_choice_nothing_is_removed(store_path: Path, choice: list[str]) -> None:
    record(store_path, "a")

    result = invoke(store_path, "rm", *choice)

    assert result.exit_code == 2
    assert "Error: say which runs: RUN, or an option" in result.stderr
    assert left(store_path) == "a"
