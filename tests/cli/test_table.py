"""Rows of a list stand in columns, in any terminal, whatever their texts are."""

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.cli.output import Cell
from stepwell.cli.table import print_columns, shortened, width_of
from stepwell.store import start_run


def printed(
    capsys: pytest.CaptureFixture[str], rows: list[list[str]], columns: int
) -> list[str]:
    cells: list[list[Cell]] = [[(text, {}) for text in row] for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        print_columns(["a", "long"], cells)
    return capsys.readouterr().out.splitlines()


def test_columns_are_as_wide_as_their_texts(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, [["one", "x"], ["z", "two"]], 80) == [
        "a    long",
        "one  x",
        "z    two",
    ]
    assert printed(capsys, [["größe", "x"], ["日本", "y"]], 80) == [
        "a      long",
        "größe  x",
        "日本   y",
    ]


def test_what_finds_no_room_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, [["one", "1234567890"]], 10) == ["a    long", "one  1234…"]
    assert printed(capsys, [["one", "日本日本日本"]], 10) == ["a    long", "one  日本…"]
    assert printed(capsys, [["one", "12345"]], 10)[1] == "one  12345"
    assert printed(capsys, [["one", "12345"]], 5) == ["a", "one"]
    assert printed(capsys, [["1234567890", "12345"]], 4) == ["a", "123…"]


@pytest.mark.parametrize("name", ["a" * 300 + "seed_1", "日本" * 100 + "1"])
def test_a_long_name_loses_its_middle(name: str) -> None:
    short = shortened(name)

    begin, end = short.split("…")
    assert (name.startswith(begin), name.endswith(end)) == (True, True)
    assert 38 <= width_of(short) <= 40
    assert shortened(name[:20]) == name[:20]


def test_a_long_name_leaves_room_for_the_other_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "runs.duckdb"
    with start_run("p" * 300, "x" * 300, {"k" * 300: 1}, store=path) as run:
        run.log({"loss": 1.0})
        other = start_run(name="y", store=path).id
    ids = {run.id[-8:], other[-8:]}

    for command in (["ls"], ["best", "loss"], ["compare", "x" * 300, "y"]):
        result = CliRunner().invoke(main, ["--store", str(path), *command])
        assert result.exit_code == 0
        found = {part for part in ids if part in result.stdout}
        assert found == (ids if command[0] != "best" else {run.id[-8:]}), command


def test_a_narrow_terminal_has_whole_keys_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs.duckdb"
    for value in (0, 1):
        config = {f"key_{number}": 1234 + value for number in range(12)}
        with start_run("p", f"run-{value}", config, store=path) as run:
            run.log({"val_loss": 1.0 + value})

    for width, keys in ((80, 5), (58, 2), (57, 1), (40, 0), (200, 12)):
        monkeypatch.setenv("COLUMNS", str(width))
        result = CliRunner().invoke(main, ["--store", str(path), "best", "val_loss"])

        head, first, *_, said = result.stdout.splitlines()
        assert head.split()[-keys:] == [f"key_{n}" for n in range(keys)] or not keys
        assert first.split()[5 + 1 :] == ["1234"] * keys or not keys
        assert ("key_" in head) == (keys > 0)
        left_out = f"; no room for {12 - keys} keys, --json has all"
        assert said == "lowest best value first" + left_out * (keys < 12)


def test_no_text_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    _, row = printed(capsys, [["a\x1b[2Jb\n", "\tc\r"]], 80)

    assert row == r"a\x1b[2Jb\n  \tc\r"


@pytest.mark.parametrize(
    ("environment", "is_styled"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_shows_looks_and_its_own_width(
    tmp_path: Path, environment: dict[str, str], is_styled: bool
) -> None:
    path = tmp_path / "runs.duckdb"
    with start_run("p", "one", store=path) as run:
        run.log({f"metric_{number}": number for number in range(20)})
    outer, inner = pty.openpty()
    code = "from stepwell.cli import start; start()"
    command = [sys.executable, "-c", code, "--store", str(path), "ls"]
    kept = {name: os.environ[name] for name in os.environ.keys() - {"COLUMNS", "NO_COLOR"}}
    given = kept | {"TERM": "xterm", **environment}
    subprocess.run(command, stdout=inner, env=given, check=True)
    os.close(inner)
    shown = ""
    with suppress(OSError):  # the end, where nobody has the other side any more
        while data := os.read(outer, 10_000):  # a terminal gives it in pieces
            shown += data.decode()
    os.close(outer)

    assert ("\x1b[" in shown) == is_styled
    _, row, *_ = re.sub(r"\x1b\[\d+m", "", shown).splitlines()
    assert row.startswith("one  ")
    assert row.endswith("…")
    assert len(row) == 80


def test_looks_can_be_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs.duckdb"
    start_run("p", "one", store=path).finish()
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    shown = CliRunner().invoke(main, ["--store", str(path), "ls"]).output

    assert "\x1b[1mone\x1b[0m" in shown
