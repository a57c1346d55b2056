"""No command ends in a traceback for want of an output, or of letters for it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stepwell

NAME = "ünï 損失 🎉"
COMMANDS = [
    ["ls"],
    ["ls", "--json"],
    ["show", "last"],
    ["compare", "last", "other"],
    ["best", "lößs", "--goal", "min"],
    ["sql", "select name from runs"],
    ["doctor"],
    ["figure", "list"],
    ["show", "nöpe"],
    ["no-such"],
    ["--help"],
    ["ls", "--help"],
    ["--version"],
]

# Each command in a child of its own, whose modules are loaded already; case after case.
PROGRAM = """
import json, os, sys, tempfile
import duckdb, rich.console, rich.table, rich.text
from stepwell.cli import start
import stepwell.cli.run_commands.show, stepwell.cli.run_commands.ls
import stepwell.cli.run_commands.compare, stepwell.cli.run_commands.best

def answer(command, changes, encoding):
    said = tempfile.TemporaryFile()
    outputs = {"file": said.fileno(), "full": os.open("/dev/full", os.O_WRONLY)}
    reading, outputs["pipe"] = os.pipe()
    os.close(reading)  # by one who has seen enough
    child = os.fork()
    if child == 0:
        os.dup2(said.fileno(), 2)
        os.dup2(said.fileno(), 1)
        for number, change in changes:
            if change == "closed":
                os.close(number)
                setattr(sys, ("stdin", "stdout", "stderr")[number], None)
            else:
                os.dup2(outputs[change], number)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and encoding:
                stream.reconfigure(encoding=encoding, errors="strict")
        sys.argv = ["stepwell", "--store", sys.argv[1], *command]
        start()
    os.close(outputs["pipe"])
    os.close(outputs["full"])
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said.seek(0)
    return code, said.read().decode("latin-1")

for line in sys.stdin:
    commands, changes, encoding = json.loads(line)
    print(json.dumps([answer(c, changes, encoding) for c in commands]), flush=True)
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("streams") / "runs.duckdb"
    for name in ("other", NAME):
        config = {"lérn": name}
        with stepwell.init(name=name, tags=["täg"], config=config, store=found) as run:
            run.log({"lößs": 1.0})
    return found


Answer = Callable[..., list[tuple[int, str]]]


@pytest.fixture(scope="module")
def answer(path: Path) -> Iterator[Answer]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)],
        env=os.environ | {"COLUMNS": "120"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:

        def ask(changes: list[tuple[int, str]], encoding: str = "") -> Any:
            assert program.stdin
            assert program.stdout
            print(json.dumps([COMMANDS, changes, encoding]), file=program.stdin, flush=True)
            return json.loads(program.stdout.readline())

        yield ask


def codes(usual: int) -> list[int]:
    refused = {"nöpe": 2, "no-such": 2}
    return [refused.get(command[-1], usual) for command in COMMANDS]


def assert_no_traceback(answers: list[tuple[int, str]]) -> None:
    for command, (_, said) in zip(COMMANDS, answers, strict=True):
        assert "Traceback" not in said, (command, said)
        assert "Exception ignored" not in said, (command, said)


@pytest.mark.parametrize(
    "closed", [[1], [2], [1, 2], [0, 1, 2]], ids=["out", "err", "both", "all"]
)
def test_a_closed_stream_leads_nowhere(answer: Answer, closed: list[int]) -> None:
    answers = answer([(number, "closed") for number in closed])
    assert_no_traceback(answers)
    assert [code for code, _ in answers] == codes(0)


@pytest.mark.parametrize(("stream", "usual"), [(1, 2), (2, 0)])
def test_a_full_disk_is_one_line(answer: Answer, stream: int, usual: int) -> None:
    answers = answer([(stream, "full")])
    assert_no_traceback(answers)
    assert [code for code, _ in answers] == codes(usual)
    if stream == 1:
        assert all(said.count("\n") == 1 for _, said in answers)
        assert all("No space left" in said for _, said in answers[:8])


def test_a_reader_that_has_seen_enough_is_no_error(answer: Answer) -> None:
    answers = answer([(1, "pipe")])
    assert_no_traceback(answers)
    assert [code for code, _ in answers] == codes(0)
    assert [said for code, said in answers if code == 0] == [""] * (len(answers) - 2)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_letters_that_are_lacking_are_escaped(answer: Answer, encoding: str) -> None:
    answers = answer([], encoding)
    assert_no_traceback(answers)
    assert [code for code, _ in answers] == codes(0)
    runs = json.loads(answers[COMMANDS.index(["ls", "--json"])][1])
    assert {run["name"] for run in runs} == {NAME, "other"}
    if encoding == "latin-1":
        assert "ünï \\u640d\\u5931" in answers[COMMANDS.index(["show", "last"])][1]
