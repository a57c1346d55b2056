"""The command line prints what the library answers, and each error as one line."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import stepwell
from stepwell.cli import main
from stepwell.store import Store, start_run
from stepwell.store.journal.format import FORMAT, HEADER, MAGIC, encode_json
from stepwell.store.recording.run_writer import RunWriter

Invoke = Callable[..., Result]

COMMANDS = list(main.commands)
READS = [["ls"], ["show", "last"], ["sql", "from runs"]]
STEPWELL = [sys.executable, "-c", "from stepwell.cli import start; start()"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a finished, a failed and a running run."""
    path = tmp_path_factory.mktemp("cli") / "runs.duckdb"
    with start_run("digits", "first", {"lr": 0.1}, "sweep", ["a"], store=path) as run:
        for number in range(5):
            run.log({"train/loss": 1 / (number + 1), "odd": math.nan, "big": 1e300})
    start_run("other", "[bold]ünï[/bold]", store=path).finish("failed", "no\npower")
    return path


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEPWELL_STORE", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: object, **environment: str) -> Result:
        return CliRunner().invoke(main, [str(a) for a in arguments], env=environment)

    return run


def check_one_line(result: Result, words: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert re.search(words, result.stderr), result.stderr
    assert re.fullmatch(r"Error: .*\n", result.stderr), result.stderr


def test_a_warning_is_one_line(
    invoke: Invoke, store_path: Path, make_writer: Callable[..., RunWriter]
) -> None:
    path = make_writer().journal.path
    path.write_bytes(MAGIC + encode_json(HEADER, {"format": FORMAT + 1}))

    result = invoke("ls", "--store", store_path)

    assert result.exit_code == 0
    assert re.fullmatch(r"Warning: .* is not read: .*update stepwell\n", result.stderr)


# Help.


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_has_help_with_an_example(
    invoke: Invoke, command: str, option: str
) -> None:
    result = invoke(command, option)

    assert result.exit_code == 0
    assert f"Usage: main {command}" in result.stdout
    assert f"Example: stepwell {command}" in " ".join(result.stdout.split())
    assert "--store" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_says_what_it_does(command: str) -> None:
    for parameter in main.commands[command].params:
        if parameter.param_type_name == "option":
            assert getattr(parameter, "help", ""), parameter.name


def test_the_help_lists_every_command_and_says_what_a_run_is(invoke: Invoke) -> None:
    result = invoke("--help")

    assert result.exit_code == 0
    assert all(f"  {command} " in result.stdout for command in COMMANDS)
    assert "RUN is an id, a unique part of one, a run's name, or `last`." in result.stdout
    assert "STEPWELL_STORE" in result.stdout


def test_the_version_is_said(invoke: Invoke) -> None:
    result = invoke("--version")

    assert re.fullmatch(r"stepwell \d+\.\d+\S*\n", result.stdout)


# What they print.


def test_runs_are_listed_newest_first(invoke: Invoke, path: Path) -> None:
    result = invoke("ls", "--store", path)

    header, newest, oldest = result.stdout.splitlines()
    assert header.split() == "run id project status started took step now".split()
    assert newest.startswith("[bold]ünï[/bold]")
    assert "failed" in newest
    assert oldest.startswith("first ")
    assert "digits/sweep" in oldest
    assert "train/loss 0.2" in oldest
    assert "odd nan" in oldest


def test_more_runs_than_shown_are_told(invoke: Invoke, path: Path) -> None:
    assert "more runs; `-n 4` or `--all`" in invoke("ls", "--store", path, "-n1").stdout
    assert "more runs" not in invoke("ls", "--store", path, "-n1", "--all").stdout
    assert "more runs" not in invoke("ls", "--store", path, "-n2").stdout


def test_runs_are_listed_by_project_and_status(invoke: Invoke, path: Path) -> None:
    assert "ünï" not in invoke("ls", "--store", path, "-p", "digits").stdout
    assert "first" not in invoke("ls", "--store", path, "--status", "failed").stdout
    result = invoke("ls", "--store", path, "--status", "running")
    assert (result.exit_code, result.stdout) == (0, f"no run in {path} fits\n")


def test_a_run_is_shown(invoke: Invoke, path: Path) -> None:
    result = invoke("show", "first", "--store", path)

    for words in ("first  finished", "lr=0.1", "sweep", "train/loss", "NaN/Inf"):
        assert words in result.stdout
    assert Store(path).run("first").run_id in result.stdout
    other = invoke("show", "last", "--store", path).stdout
    assert "[bold]ünï[/bold]  failed" in other
    assert "power" in other
    assert "no metrics yet" in other


def test_a_query_is_a_table(invoke: Invoke, path: Path) -> None:
    query = (
        "select metric, count(*) as n, min(value) as low from metrics group by 1 order by 1"
    )
    result = invoke("sql", query, "--store", path)

    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines == [
        ["metric", "n", "low"],
        ["big", "5", "1e+300"],
        ["odd", "5", "nan"],
        ["train/loss", "5", "0.2"],
        ["3", "rows"],
    ]
    assert "NULL" in invoke("sql", "select null", "--store", path).stdout
    many = invoke("sql", "select i, 'x' as x from range(20000) t(i)", "--store", path)
    first, second, *_, last, counted = many.stdout.splitlines()
    assert [first, second, last, counted] == [
        "    i  x",
        "    0  x",
        "19999  x",
        "20,000 rows",
    ]
    assert "1 row\n" in invoke("sql", "select 1", "--store", path).stdout


@pytest.mark.parametrize("arguments", [*READS, ["plot", "first"]])
def test_json_can_be_parsed(invoke: Invoke, path: Path, arguments: list[str]) -> None:
    result = invoke(*arguments, "--json", "--store", path)

    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is no JSON")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout, parse_constant=refuse)
    assert result.stderr == ""


def test_json_says_what_the_library_says(invoke: Invoke, path: Path) -> None:
    listed = json.loads(invoke("ls", "--json", "--store", path).stdout)
    shown = json.loads(invoke("show", "first", "--json", "--store", path).stdout)
    asked = json.loads(
        invoke("sql", "select name, 1.5 as x, null as y from runs order by 1", "--json",
               "--store", path).stdout
    )  # fmt: skip

    assert [run["name"] for run in listed] == ["[bold]ünï[/bold]", "first"]
    assert listed[1]["points"] == 15
    assert listed[1]["current"]["odd"] == "nan"
    assert shown["config"] == {"lr": 0.1}
    assert shown["summary"]["train/loss"]["min"] == 0.2
    assert asked[1] == {"name": "first", "x": "1.5", "y": None}
    assert json.loads(invoke("ls", "-p", "none", "--json", "--store", path).stdout) == []


@pytest.mark.parametrize("option", [[], ["-m", "train/loss"], ["--dark"]])
def test_a_run_is_drawn(
    invoke: Invoke, path: Path, tmp_path: Path, option: list[str]
) -> None:
    picture = tmp_path / "deep" / "loss.png"

    result = invoke("plot", "first", "--store", path, "-o", picture, *option)

    assert (result.exit_code, result.stdout) == (0, f"{picture}\n"), result.output
    assert picture.read_bytes()[:4] == b"\x89PNG"


# Which store, which run.


def test_the_store_stands_before_or_behind_the_command(
    invoke: Invoke, path: Path, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "nowhere.duckdb")

    expected = invoke("ls", "--json", "--store", path).stdout
    assert invoke("--store", path, "ls", "--json").stdout == expected
    assert invoke("ls", "--json", STEPWELL_STORE=str(path)).stdout == expected
    assert invoke("ls", "--json", STEPWELL_STORE=path.as_uri()).stdout == expected
    # The nearest one counts.
    assert invoke("--store", nowhere, "ls", "--json", "--store", path).stdout == expected
    assert (
        invoke("--store", path, "ls", "--json", STEPWELL_STORE=nowhere).stdout == expected
    )


def test_the_store_of_the_current_folder_is_read(invoke: Invoke, tmp_path: Path) -> None:
    start_run(name="here", store=tmp_path / "stepwell.duckdb").finish()

    assert "here" in invoke("ls").stdout


@pytest.mark.parametrize("reference", ["first", "whole", "part", "start"])
def test_a_run_is_meant_by_id_part_or_name(
    invoke: Invoke, path: Path, reference: str
) -> None:
    run_id = Store(path).run("first").run_id
    meant = {"whole": run_id, "part": run_id[-8:], "start": run_id[:32]}

    result = invoke("show", meant.get(reference, reference), "--json", "--store", path)

    assert json.loads(result.stdout)["run_id"] == run_id


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nobody"], r"no run 'nobody' in .*; `stepwell ls` lists the runs"),
        (["show", "0"], "no run '0'"),
        (["show", ""], "no run ''"),
        (["show"], "Missing argument 'RUN'"),
        (["show", "a", "b"], "unexpected extra argument"),
        (["sql"], "give one statement"),
        (["sql", ""], "give one statement"),
        (["sql", "selekt"], "syntax error"),
        (["sql", "select 1; select 2"], "give one statement; there are 2"),
        (["sql", "drop table runs"], "DROP is not allowed: a query can only read"),
        (["sql", "from nowhere"], "nowhere does not exist"),
        (["sql", "select 1", "--timeout", "0"], "Invalid value for '--timeout'"),
        (["sql", "select 1", "--timeout", "soon"], "not a valid float"),
        (["sql", "select 1", "--timeout", "nan"], "timeout"),
        (["sql", "select count(*) from range(1000000000000) a, range(1000) b",
          "--timeout", "0.2"], r"time limit of 0\.2 s"),
        (["ls", "-n", "0"], "Invalid value for '-n'"),
        (["ls", "-n", "many"], "not a valid integer"),
        (["ls", "--nonsense"], "No such option '?--nonsense'?; see `stepwell ls --help`"),
        (["ls", "more"], r"unexpected extra argument.*; see `stepwell ls --help`"),
        (["nonsense"], "No such command 'nonsense'; see `stepwell --help`"),
        (["figure", "nonsense"], "No such command .*; see `stepwell figure --help`"),
        (["--nonsense"], "No such option.*; see `stepwell --help`"),
        (["best"], "Missing argument 'METRIC'; see `stepwell best --help`"),
        (["best", "odd", "--goal", "most"], "'most' is not one of 'min', 'max'; see"),
        (["best", "odd"], "goal"),
        (["best", "train/los"], "did you mean 'train/loss'"),
        (["ls", "-w", "lr << 1"], "bad condition 'lr << 1'"),
        (["ls", "--runs", "nobody"], "no run 'nobody'"),
        (["figure", "save", "a"], "Missing argument 'KIND'; see `stepwell figure save"),
        (["report"], "Missing option '-m' / '--metric'; see `stepwell report --help`"),
        (["rm"], "say which runs: .*; see `stepwell rm --help`"),
        (["plot"], "say which: .*; see `stepwell plot --help`"),
        (["sql", "select nam from runs"], "nam"),
        (["sql", "from runs", "-o", "/proc/x.csv"], "/proc/x.csv"),
        (["plot", "first", "-o", "/proc/x.png"], "/proc/x.png"),
        (["export", "/proc/files"], "/proc/files"),
        (["plot", "first", "-m", "los"], "no metric 'los'"),
        (["plot", "first", "-o", "picture.txt"], r"picture\.txt"),
        (["plot", "nobody"], "no run 'nobody'"),
        (["watch", "nobody", "--once"], "no run 'nobody'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_code_2(
    invoke: Invoke, path: Path, arguments: list[str], words: str
) -> None:
    check_one_line(invoke("--store", path, *arguments), words)


@pytest.mark.parametrize("arguments", [[], ["figure"]])
def test_a_group_without_a_command_shows_its_help(
    invoke: Invoke, arguments: list[str]
) -> None:
    shown = invoke(*arguments).output

    assert shown.startswith(" ".join(["Usage: main", *arguments]))
    assert "--help" in shown


@pytest.mark.parametrize("arguments", [*READS, ["plot", "last"], ["watch", "--once"]])
def test_a_store_that_is_not_there_is_one_line(
    invoke: Invoke, tmp_path: Path, arguments: list[str]
) -> None:
    result = invoke(*arguments, "--store", "nowhere.duckdb")

    check_one_line(result, r"there is no store at .*nowhere\.duckdb; give its path")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", READS)
def test_a_file_of_another_kind_is_one_line(
    invoke: Invoke, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "notes.txt").write_text("some notes\n")

    check_one_line(invoke(*arguments, "--store", "notes.txt"), "is not a Stepwell store")
    check_one_line(invoke(*arguments, "--store", "."), "is a folder, and a store is a file")


def run_command(
    *arguments: str | bytes, **options: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STEPWELL, *arguments], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize(
    "arguments", [[b"show", b"\xff\xfe"], [b"sql", b"select '\xff'"], [b"plot", b"\xff"]]
)
def test_arguments_that_are_no_text_are_one_line(
    path: Path, arguments: list[bytes]
) -> None:
    done = run_command("--store", str(path), *arguments)

    assert done.returncode == 2
    assert re.fullmatch(r"Error: .*\n", done.stderr), done.stderr


@pytest.mark.parametrize(
    "arguments", [["ls", "--json"], ["sql", "from metrics, range(3000)"]]
)
@pytest.mark.parametrize("lines", [0, 1])
def test_a_reader_that_has_seen_enough_is_no_error(
    path: Path, arguments: list[str], lines: int
) -> None:
    process = subprocess.Popen(
        [*STEPWELL, "--store", str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    for _ in range(lines):
        assert process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()

    assert (process.wait(60), errors) in {(0, ""), (1, "")}


def test_a_full_disk_behind_the_output_is_one_line(path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*STEPWELL, "--store", str(path), "ls"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_a_running_run_is_seen_up_to_its_last_call(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "live.duckdb"
    run = stepwell.init(store=path, name="live")
    for number in range(3):
        run.log({"loss": number})
        done = run_command("ls", "--json", "--store", str(path))
        (row,) = json.loads(done.stdout)
        assert (row["status"], row["points"], row["last_step"]) == (
            "running",
            number + 1,
            number,
        )
    run.finish()
    (row,) = json.loads(run_command("ls", "--json", "--store", str(path)).stdout)
    assert row["status"] == "finished"


def test_names_are_printed_as_they_are_in_any_locale(path: Path) -> None:
    for locale in ("C", "C.UTF-8"):
        environment = os.environ | {"LC_ALL": locale, "PYTHONIOENCODING": ""}
        done = run_command("ls", "--store", str(path), env=environment)
        assert done.returncode == 0, done.stderr
        assert "[bold]ünï[/bold]" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["show", "twin"], ["plot", "twin"], ["note", "twin", "x"]]
)
def test_a_name_of_several_runs_says_which_is_meant(
    invoke: Invoke, tmp_path: Path, arguments: list[str]
) -> None:
    store = tmp_path / "twins.duckdb"
    twins = [start_run("p", "twin", store=store) for _ in range(3)]
    for run in twins:
        run.log({"loss": 1.0})
        run.finish()
    newest = twins[-1].id
    picture = ["-o", tmp_path / "a.png"] if arguments[0] == "plot" else []

    by_name = invoke(*arguments, *picture, "--json", "--store", store)
    other = [newest if one == "twin" else one for one in arguments]
    by_id = invoke(*other, *picture, "--json", "--store", store)

    assert by_name.exit_code == 0, by_name.output
    assert json.loads(by_name.stdout)["run_id"] == newest
    assert by_name.stderr.splitlines() == [
        f"twin: the newest is meant, {newest[-8:]}; 2 other runs have this name,"
        " say the id for one of them"
    ]
    assert by_id.stderr == ""
