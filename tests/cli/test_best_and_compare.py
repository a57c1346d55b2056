"""`stepwell best`, `compare` and `diff` print what the store answers."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stepwell.cli import main
from stepwell.store import Store, start_run
from stepwell.viz.sweep_plots.leaderboard_data import prepare_leaderboard

Invoke = Callable[..., Result]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("best") / "runs.duckdb"
    for name, lr, opt, losses in (
        ("one", 0.1, "adam", [3.0, 1.0, 2.0]),
        ("[bold]twö", 0.01, "adam", [2.0, 1.5, 0.25]),
        ("three", 0.001, None, [float("nan")]),
    ):
        config = {"lr": lr, "opt": opt, "width": 8}
        tags = ["base"] * (name == "one")
        with start_run("p", name, config, "g", tags, store=path) as run:
            for loss in losses:
                run.log({"val/loss": loss, "odd": -loss, "acc": 1 / loss})
    return path


@pytest.fixture
def invoke(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs a command on the store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("STEPWELL_STORE", str(path))
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


def words_of(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def test_the_best_runs_come_first_with_what_varies(invoke: Invoke, path: Path) -> None:
    head, first, second, said = words_of(invoke("best", "val/loss"))

    ids = {run.name: run.run_id[-8:] for run in Store(path).runs()}
    assert head == ["run", "id", "status", "val/loss", "step", "lr", "opt"]
    assert first == [
        "1", "[bold]twö", ids["[bold]twö"], "finished", "0.25", "2", "0.01", "adam",
    ]  # fmt: skip
    assert second == ["2", "one", ids["one"], "finished", "1", "1", "0.1", "adam"]
    assert " ".join(said) == "lowest best value first; 1 without a finite value"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--goal", "max"], ["one", "[bold]twö"]),
        (["--at", "last"], ["[bold]twö", "one"]),
        (["--at", "1"], ["one", "[bold]twö"]),
        (["-n", "1"], ["[bold]twö"]),
        (["--runs", "one,three"], ["one"]),
        (["--runs", "one", "--runs", "[bold]twö"], ["[bold]twö", "one"]),
        (["-w", "lr > 0.05"], ["one"]),
        (["-w", "lr > 0.005", "-w", "opt = adam and lr < 0.05"], ["[bold]twö"]),
        (["-p", "p", "-g", "g", "-t", "base", "--status", "finished"], ["one"]),
        (["--name", "o*"], ["one"]),
        (["--name", "three"], []),
    ],
)
def test_runs_are_chosen_and_ranked_by_options(
    invoke: Invoke, options: list[str], names: list[str]
) -> None:
    found = json.loads(invoke("best", "val/loss", *options, "--json").stdout)

    assert [row["run"] for row in found["runs"]] == names


def test_json_says_what_the_store_says(invoke: Invoke, path: Path) -> None:
    found = json.loads(invoke("best", "odd", "--goal", "max", "--at", "0", "--json").stdout)

    board = Store(path).leaderboard("odd", "max", 0)
    assert (found["metric"], found["goal"], found["at"]) == ("odd", "max", 0)
    assert found["runs_without"] == board.runs_without == 1
    configs = [row.pop("config") for row in found["runs"]]
    assert found["runs"] == board.rows()
    assert configs == [{"lr": 0.01, "opt": "adam"}, {"lr": 0.1, "opt": "adam"}]


def test_nothing_to_rank_is_said(invoke: Invoke, path: Path) -> None:
    nobody = invoke("best", "loss", "-p", "nothing")
    without = invoke("best", "val/loss", "--runs", "three")

    assert nobody.stdout == f"no run to rank in {path}\n"
    assert "no run to rank" in without.stdout
    assert "1 have no finite value" in without.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["best", "val/los"], "did you mean 'val/loss'"),
        (
            ["best", "odd"],
            "'odd' is better does not follow .* goal min or max",
        ),
        (["best", "val/loss", "-w", "lr <"], "bad condition 'lr <'"),
        (["best", "val/loss", "--runs", "nobody"], "no run 'nobody'"),
        (["best", "val/loss", "--runs", "0"], "no run '0'"),
        (["best", "val/loss", "--at", "soon"], "'soon' is neither best, last nor a step"),
        (["best", "val/loss", "--at", str(2**70)], "at must be"),
        (["best", "val/loss", "--goal", "up"], "Invalid value for '--goal'"),
        (["compare", "one", "nobody"], "no run 'nobody'"),
        (["diff", "nobody", "one"], "no run 'nobody'"),
        (["compare", "one"], "Missing argument 'B'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    invoke: Invoke, arguments: list[str], words: str
) -> None:
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    error = result.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert re.search(words, error)


def test_a_part_of_several_ids_is_ambiguous(invoke: Invoke, path: Path) -> None:
    part = Store(path).run("one").run_id[:5]

    for arguments in (["compare", part, "one"], ["best", "val/loss", "--runs", part]):
        result = invoke(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "fits 3 runs" in result.stderr


def test_two_runs_are_compared(invoke: Invoke) -> None:
    lines = words_of(invoke("compare", "one", "[bold]twö"))

    assert lines[0][:2] == ["config", "one"]
    assert lines[1] == ["lr", "0.1", "0.01"]
    assert lines[2] == []
    assert lines[3][-2:] == ["difference", "at"]
    assert lines[4] == ["val/loss", "2", "0.25", "*", "-1.75", "-87.5%", "last"]
    assert lines[5] == ["odd", "-2", "-0.25", "+1.75", "+87.5%", "last"]
    best = words_of(invoke("compare", "one", "[bold]twö", "--at", "best"))
    assert best[4] == ["val/loss", "1", "0.25", "*", "-0.75", "-75.0%", "min"]
    every = words_of(invoke("compare", "one", "[bold]twö", "--all"))
    assert ["width", "8", "8"] in every


def test_a_metric_that_a_run_lacks_is_not_shown_as_nan(
    invoke: Invoke, tmp_path: Path
) -> None:
    store = tmp_path / "lacks.duckdb"
    with start_run(name="x", store=store) as run:
        run.log({"loss": 1.0, "odd": float("nan")})
    with start_run(name="y", store=store) as run:
        run.log({"odd": 2.0})

    lines = words_of(invoke("compare", "x", "y", "--store", store))

    assert ["loss", "1", "–", "–", "last"] in lines
    assert ["odd", "nan", "2", "–", "last"] in lines


def test_a_parameter_that_is_not_finite_is_no_absent_one(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "odd.duckdb"
    monkeypatch.setenv("STEPWELL_STORE", str(path))
    rates = [float("nan"), float("inf"), -float("inf"), 0.5, None]
    for number, rate in enumerate(rates):
        config = {"lr": rate} if rate is not None else {}
        with start_run(None, f"r{number}", config, store=path) as run:
            run.log({"loss": number})

    shown = ["nan", "inf", "-inf", "0.5", "–"]
    assert [row[-1] for row in words_of(invoke("best", "loss"))[1:6]] == shown
    runs = json.loads(invoke("best", "loss", "--json").stdout)["runs"]
    found = [run["config"]["lr"] for run in runs]
    assert found == ["nan", "inf", "-inf", 0.5, None]
    assert [row.params for row in prepare_leaderboard(Store(path).sweep("loss")).rows] == [
        ("NaN",), ("∞",), ("\N{MINUS SIGN}∞",), ("0.5",), ("–",),
    ]  # fmt: skip
    for number, text in enumerate(shown[:4]):
        assert f"lr={text}" in invoke("show", f"r{number}").stdout
        compared = json.loads(invoke("compare", f"r{number}", "r4", "--json").stdout)
        (row,) = compared["config"]
        assert (row["a"], row["b"]) == (text, None)


@pytest.mark.parametrize("command", ["compare", "diff"])
def test_a_name_of_several_runs_says_which_is_compared(
    tmp_path: Path, command: str
) -> None:
    path = tmp_path / "twins.duckdb"
    ids = [start_run(name=name, store=path).id for name in ("twin", "twin", "x")]

    result = CliRunner().invoke(main, ["--store", str(path), command, "x", "twin"])

    assert result.exit_code == 0
    assert result.stderr.startswith(f"twin: the newest is meant, {ids[1][-8:]}; 1 other")


def test_configurations_are_told_apart(invoke: Invoke, tmp_path: Path) -> None:
    lines = words_of(invoke("diff", "one", "three"))

    assert lines[0][:2] == ["config", "one"]
    assert lines[1:] == [["lr", "0.1", "0.001"], ["opt", "adam", "null"]]
    assert (
        invoke("diff", "one", "one").stdout == "one and one have the same configuration\n"
    )
    bare = tmp_path / "bare.duckdb"
    start_run(name="x", store=bare).finish()
    assert "no configuration" in invoke("diff", "x", "last", "--store", bare).stdout
    assert "no metrics yet" in invoke("compare", "x", "last", "--store", bare).stdout


def test_a_comparison_is_json_too(invoke: Invoke, path: Path) -> None:
    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is no JSON")

    def read(*arguments: str) -> Any:
        return json.loads(invoke(*arguments, "--json").stdout, parse_constant=refuse)

    compared = read("compare", "one", "three")
    differing = read("diff", "one", "three")

    assert compared["a"] == {"run_id": Store(path).run("one").run_id, "name": "one"}
    assert [row["key"] for row in compared["config"] if row["differs"]] == ["lr", "opt"]
    assert [row["metric"] for row in compared["metrics"]] == ["val/loss", "odd", "acc"]
    assert compared["metrics"][0]["b"] == "nan"
    assert differing["config"] == [
        {"key": "lr", "a": "0.1", "b": "0.001"},
        {"key": "opt", "a": "adam", "b": "null"},
    ]


@pytest.mark.parametrize("options", [(), ("--json",), ("-n", "1")])
def test_a_run_that_is_removed_while_runs_are_ranked_stops_no_ranking(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    for name, value in (("one", 1.0), ("two", 2.0)):
        with start_run(name=name, config={"lr": value}, store=store_path) as run:
            run.log({"loss": value})
    ask = Store.sweep_table

    def ask_later(store: Store, *arguments: Any, **others: Any) -> object:
        Store(store_path).remove_runs("one")
        return ask(store, *arguments, **others)

    monkeypatch.setattr(Store, "sweep_table", ask_later)
    found = CliRunner().invoke(main, ["--store", str(store_path), "best", "loss", *options])
    assert (found.exit_code, "one" in found.stdout) == (0, True), found.output
