"""`stepwell sql` reads queries from anywhere and writes rows in any form."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from stepwell.cli import main
from stepwell.store import start_run

Invoke = Callable[..., Result]
ODD = [math.nan, math.inf, -0.0, 0.1 + 0.2]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sql") / "runs.duckdb"
    with start_run("digits", 'a, "b"', {"lr": 0.1}, tags=["x"], store=path) as run:
        for value in ODD:
            run.log({"odd": value})
    return path


@pytest.fixture
def invoke(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs `stepwell sql` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, text: str | bytes = "") -> Result:
        command = ["sql", *map(str, arguments), "--store", str(path)]
        return CliRunner().invoke(main, command, input=text)

    return run


QUERY = "select step, value, run from metrics order by step"


@pytest.mark.parametrize("arguments", [["-"], []])
def test_a_query_comes_from_standard_input(invoke: Invoke, arguments: list[str]) -> None:
    result = invoke(*arguments, "--json", text="select 1 as ü\n")

    assert json.loads(result.stdout) == [{"ü": 1}]


def test_a_query_comes_from_a_file(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_bytes("\ufeffselect 'ü' as x -- why".encode())

    assert json.loads(invoke("-f", "q.sql", "--json").stdout) == [{"x": "ü"}]


def test_csv_is_printed_exactly(invoke: Invoke) -> None:
    result = invoke(QUERY, "--format", "csv")

    name = '"a, ""b"""'
    assert result.stdout.splitlines() == [
        "step,value,run",
        f"0,nan,{name}",
        f"1,inf,{name}",
        f"2,-0.0,{name}",
        f"3,0.30000000000000004,{name}",
    ]


def test_rows_without_room_for_their_columns_become_blocks(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "select * from run_table"
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line.split() for line in invoke(query).output.splitlines()]
    assert ["project", "digits"] in lines
    assert ["attempt", "1"] in lines
    monkeypatch.setenv("COLUMNS", "400")
    wide = invoke(query).output.splitlines()
    assert wide[0].split()[:2] == ["run", "run_id"]
    assert "digits" in wide[1]


def test_null_and_empty_text_differ_in_csv(invoke: Invoke) -> None:
    result = invoke("select null as a, '' as b, 1 as c", "--format", "csv")

    assert result.stdout == 'a,b,c\n,"",1\n'


def test_the_suffix_says_the_format(invoke: Invoke, tmp_path: Path) -> None:
    for suffix in ("csv", "json", "parquet", "txt"):
        result = invoke(QUERY, "-o", f"rows.{suffix}")
        assert (result.exit_code, result.stdout) == (0, ""), result.output

    assert (tmp_path / "rows.csv").read_text() == invoke(QUERY, "--format=csv").stdout
    assert (tmp_path / "rows.json").read_text() == invoke(QUERY, "--json").stdout
    assert "4 rows" in (tmp_path / "rows.txt").read_text()
    assert len(duckdb.sql(f"from '{tmp_path / 'rows.parquet'}'")) == 4


KINDS = """
select
    [1.5, 'nan'::double, null] as list, {'a': 'nan'::double, 'b': 'x'} as struct,
    map {'k': 1.5::float} as map, 1.50::decimal(5, 2) as "decimal", uuid() as "uuid",
    'nan'::double as "double", null::double as nothing, true as "boolean",
    date '2026-01-02' as "date", timestamp '2026-01-02 03:04:05.678901' as "timestamp",
    '{"a": 1}'::json as "json", 170141183460469231731687303715884105727 as huge,
    interval 90 minutes as "interval", 'raw'::blob as "blob"
"""


def test_parquet_keeps_types_and_values(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke(KINDS, "-o", "kinds.parquet")

    assert result.exit_code == 0, result.output
    row = duckdb.sql(f"from '{tmp_path / 'kinds.parquet'}'").fetchall()[0]
    by_name = dict(zip(duckdb.sql(KINDS).columns, row, strict=True))
    assert by_name["list"][0] == 1.5
    assert math.isnan(by_name["list"][1])
    assert by_name["list"][2] is None
    assert math.isnan(by_name["struct"]["a"])
    assert by_name["map"] == {"k": 1.5}
    assert math.isnan(by_name["double"])
    assert by_name["nothing"] is None
    assert str(by_name["decimal"]) == "1.50"
    assert by_name["timestamp"].microsecond == 678901
    assert by_name["blob"] == b"raw"


def test_columns_of_one_name_are_told_apart_in_a_file(
    invoke: Invoke, tmp_path: Path
) -> None:
    invoke("select 1 as a, 2 as A, 3 as a_1", "-o", "rows.parquet")

    found = duckdb.sql(f"from '{tmp_path / 'rows.parquet'}'")
    assert found.fetchall() == [(1, 2, 3)]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_result_without_a_row_has_its_columns(
    invoke: Invoke, tmp_path: Path, suffix: str
) -> None:
    invoke("select step, value from metrics where false", "-o", f"rows.{suffix}")

    found = duckdb.sql(f"from '{tmp_path / f'rows.{suffix}'}'")
    assert (found.columns, found.fetchall()) == (["step", "value"], [])


def test_a_query_that_fails_leaves_the_file_as_it_was(
    invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("mine")

    assert invoke("from nowhere", "-o", "rows.csv").exit_code == 2

    assert (tmp_path / "rows.csv").read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]


WRONG: list[tuple[list[Any], str | bytes, str]] = [
    (["select 1", "--format", "parquet"], "", "give -o FILE"),
    (["select 1", "--format", "xml"], "", "'xml' is not one of"),
    (["select 1", "--format", "csv", "--json"], "", "exclude each other"),
    (["select 1", "-f", "q.sql"], "", "not both"),
    (["-f", "absent.sql"], "", "does not exist"),
    (["-"], b"select '\xff'", "standard input is not UTF-8"),
    ([], "", "give one statement"),
    (["-"], "drop table runs", "DROP is not allowed"),
    (["select 1", "-o", "no/such/folder.txt"], "", "No such file"),
    (["select 1", "-o", "rows.xlsx"], "", "there is no format for .xlsx files; use .csv"),
    (["select 1", "-o", "rows.jsonl"], "", "there is no format for .jsonl files"),
    (["select 1", "-o", "rows.csv.gz"], "", "there is no format for .gz files"),
]


@pytest.mark.parametrize(("arguments", "text", "words"), WRONG)
def test_what_is_wrong_is_one_line(
    invoke: Invoke, tmp_path: Path, arguments: list[Any], text: str | bytes, words: str
) -> None:
    (tmp_path / "q.sql").write_text("select 1")

    result = invoke(*arguments, text=text)

    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert words in result.stderr.splitlines()[-1]


def test_the_store_itself_is_not_written_over(invoke: Invoke, path: Path) -> None:
    result = invoke("select 1", "-o", path, "--format", "csv")

    assert result.exit_code == 2
    assert "is the store itself" in result.stderr
    assert invoke("from runs").exit_code == 0


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_output_that_is_no_file_stays_what_it_is(
    invoke: Invoke, tmp_path: Path, form: str
) -> None:
    pipe, link = tmp_path / f"pipe.{form}", tmp_path / f"link.{form}"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for name in (pipe.name, link.name):
        result = invoke("select 1 as a", "-o", name)
        assert result.exit_code == 2, result.output
        assert result.stderr == f"Error: cannot write {name}: it is a pipe, not a file\n"
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, pipe]


def test_an_output_that_is_a_link_is_written_where_it_leads(
    invoke: Invoke, tmp_path: Path
) -> None:
    real, link = tmp_path / "elsewhere" / "real.csv", tmp_path / "link.csv"
    link.symlink_to(real)  # to nothing as yet
    for number in (1, 2):
        assert invoke(f"select {number} as a", "-o", "link.csv").exit_code == 0
        assert real.read_text() == f"a\n{number}\n"
    assert link.is_symlink()
