"""Every command about many runs takes the same options, and means the same runs by them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from stepwell.cli import main
from stepwell.cli.selection_options import selection_options
from stepwell.store import Selection, Store, start_run

Invoke = Callable[..., Result]

ABOUT_MANY = ["best", "export", "ls", "plot", "report", "rm", "sweep", "watch"]
GIVEN: list[tuple[list[str], Selection]] = [
    ([], Selection()),
    (["--runs", "a,last"], Selection(runs=("a", "last"))),
    (["--runs", "a", "--runs", "b"], Selection(runs=("a", "b"))),
    (["-p", "q"], Selection(project="q")),
    (["--group", "g1"], Selection(group="g1")),
    (["-t", "x", "-t", "y"], Selection(tags=("x", "y"))),
    (["--status", "failed"], Selection(status="failed")),
    (
        ["--status", "failed", "--status", "running"],
        Selection(status=["failed", "running"]),
    ),
    (["--name", "[ab]*"], Selection(name="[ab]*")),
    (["--name", "?a*"], Selection(name="?a*")),
    (["-w", "lr < 0.05", "-w", "opt = adam"], Selection(where=["lr < 0.05", "opt = adam"])),
    (["-p", "p", "--status", "finished"], Selection(project="p", status="finished")),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("chosen") / "runs.duckdb"
    for number, name in enumerate(["a", "b", "[ab]", "bad", "a"]):
        config = {"lr": 0.1 / 2**number, "opt": ("adam", "sgd")[number % 2]}
        project, tags = "pq"[number % 2], ["x", "y"][: number % 3]
        with start_run(project, name, config, f"g{number % 2}", tags, store=path) as run:
            run.log({"loss": number})
            if name == "bad":
                run.finish("failed")
    return Store(path)


@pytest.fixture
def invoke(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--store", str(store.location), *arguments])

    return run


def options(command: click.Command) -> dict[str | None, tuple[list[str], bool]]:
    return {
        parameter.name: (parameter.opts, parameter.multiple)
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }


def test_the_options_are_the_same_everywhere() -> None:
    shared = options(click.command()(selection_options(lambda **given: given)))
    save = main.commands["figure"].commands["save"]  # type: ignore[attr-defined]

    assert len(shared) == 7
    for command in (save, *(main.commands[name] for name in ABOUT_MANY)):
        assert shared.items() <= options(command).items(), command.name


@pytest.mark.parametrize(("given", "selection"), GIVEN)
def test_the_same_runs_are_meant(
    invoke: Invoke, store: Store, given: list[str], selection: Selection
) -> None:
    def asked(*arguments: str) -> Any:
        options = [] if arguments[:2] == ("figure", "show") else given
        result = invoke(*arguments, "--json", *options)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    expected = [run.run_id for run in store.runs(selection)]

    assert [run["run_id"] for run in asked("ls")] == expected
    ranked = asked("best", "loss")["runs"]
    assert [run["run_id"] for run in reversed(ranked)] == expected
    kept = asked("figure", "save", "f", "curves", "-m", "loss")
    assert kept.get("runs", {}) == selection.to_json()
    assert sorted(asked("figure", "show", "f")["run_ids_now"]) == sorted(expected)
    if given:
        gone = asked("rm", "--dry-run")
        assert [run["run_id"] for run in gone["runs"]] == expected
    assert asked("export", "files", "--force")["runs"] == len(expected)


def test_a_page_of_the_chosen_runs_is_listed(invoke: Invoke, store: Store) -> None:
    named = [run.name for run in store.runs(project="p")]

    first, more = invoke("ls", "-p", "p", "-n", "1").stdout.splitlines()[1:]

    assert first.startswith(named[0])
    assert "more runs" in more
    assert len(invoke("ls", "-p", "p", "-a").stdout.splitlines()) == 1 + len(named)
    assert invoke("ls", "-p", "none").stdout == f"no run in {store.location} fits\n"


@pytest.mark.parametrize("nothing", ["", " , "])
def test_references_to_no_run_never_stand_for_all(invoke: Invoke, nothing: str) -> None:
    for command in (["ls"], ["export", "files"], ["rm", "--yes", "-p", "p"]):
        result = invoke(*command, "--runs", nothing)

        assert (result.exit_code, result.stdout) == (2, "")
        assert (
            f"say which runs: RUN, or an option such as --project, not --runs {nothing!r}"
            in result.stderr
        )


def test_chosen_runs_are_watched(invoke: Invoke) -> None:
    rows = invoke("watch", "--once", "-p", "p").stdout.splitlines()[1:]
    named = invoke("watch", "--once", "a", "-p", "p", "-w", "lr < 0.05").stdout

    assert [row.split()[0] for row in rows] == ["a", "[ab]", "a"]
    assert "a" in named
    assert len(named.splitlines()) > len(rows)  # a single run has a picture of its own
    refused = invoke("watch", "--once", "-p", "none")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "no run fits what was chosen" in refused.stderr
