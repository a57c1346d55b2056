"""Runs of very many metrics and keys are shown, and compared, without a wait."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import stepwell
from stepwell.cli import main, table
from stepwell.cli.run_commands import compare, show

COMMANDS = [["show", "one"], ["compare", "one", "two"], ["diff", "one", "two"]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("long") / "runs.duckdb"
    for number, name in enumerate(("one", "two")):
        config = {f"key{place}": place * (1 + number) for place in range(20)}
        texts = {"text\n": "two\nlines", "wide": "損失", "long": "x" * 100 + name}
        with stepwell.init(name=name, config=config | texts, store=found) as run:
            metrics = {f"m{place}": place / 3 for place in range(20)}
            run.log(metrics | {"損失": 1e9, "loss": 0.5 + number, "bad": float("nan")})
            run.log({f"only {name}": 1.0})
    return found


def words(printed: str) -> list[list[str]]:
    return [line.split() for line in printed.splitlines()]


@pytest.mark.parametrize("command", COMMANDS, ids=[words[0] for words in COMMANDS])
def test_a_long_table_says_what_a_short_one_does(
    path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    runner = CliRunner()
    short = runner.invoke(main, ["--store", str(path), *command])
    for module in (show, compare):
        monkeypatch.setattr(module, "MANY", 3)
    monkeypatch.setitem(sys.modules, "rich.table", None)  # it would be too slow
    long = runner.invoke(main, ["--store", str(path), *command])
    assert long.exit_code == short.exit_code == 0
    assert words(long.stdout) == words(short.stdout)


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a", "1"), ("損失", "22"), ("b\x1b", "3"), ("x" * 70, "4")]
    table.print_many(("name", "n"), lambda: rows)
    assert capsys.readouterr().out.splitlines() == [
        "name" + " " * 56 + "   n",
        "a" + " " * 59 + "   1",
        "損失" + " " * 56 + "  22",
        "b\\x1b" + " " * 55 + "   3",
        "x" * 70 + "   4",
    ]


@pytest.mark.parametrize("columns", [3, 9])
def test_a_hundred_thousand_rows_take_no_minutes(
    capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    def rows() -> list[tuple[str, ...]]:
        return [(f"metric {row}", *("0.12345",) * (columns - 1)) for row in range(100_000)]

    began = time.process_time()
    table.print_many(["x"] * columns, rows)
    assert time.process_time() - began < 3
    assert capsys.readouterr().out.count("\n") == 100_001


def test_a_run_of_thousands_of_metrics_is_shown_whole(
    store_path: Path, invoke_main: Callable[..., str]
) -> None:
    config = {f"k{place}": place for place in range(3000)}
    for name in ("one", "two"):
        with stepwell.init(name=name, config=config, store=store_path) as run:
            run.log({f"m{place}": float(place) for place in range(3000)})
            config["k7"] = 8
    shown = words(invoke_main("show", "two"))
    assert [line[0] for line in shown if line and line[0].startswith("m")][1:] == [
        f"m{place}" for place in range(3000)
    ]
    compared = invoke_main("compare", "one", "two", "--all")
    assert sum(line.startswith(("m", "k")) for line in compared.splitlines()) == 6001


@pytest.fixture
def invoke_main(store_path: Path) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["--store", str(store_path), *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    return run
