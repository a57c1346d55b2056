"""Rows of small tables, written many in one statement."""

import json
import math
from pathlib import Path
from uuid import UUID, uuid4

import duckdb
import pytest

import stepwell
from stepwell.store.ingest.run_rows import from_nanoseconds
from stepwell.store.schema import small_rows
from stepwell.store.schema.small_rows import delete_rows, insert_rows, update_rows
from stepwell.store.schema.tables import TABLES

ODD = [math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, -0.0, 0.1, None]
TEXTS = [
    "",
    "a\0b",
    'say "x"\\',
    "null",
    "größer 😀",
    "\u2028",
    "1e5",
    "'; drop table runs",
]


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("attach ':memory:' as store")
    for name, columns in TABLES.items():
        connection.execute(f"create table store.main.{name} ({columns})")
    return connection


def params_of(run_id: str, values: list[float | None]) -> list[dict[str, object]]:
    return [
        {"run_id": run_id, "key": f"k{place}", "text": str(value), "number": value}
        for place, value in enumerate(values)
    ]


def test_numbers_that_json_has_no_form_for_are_kept(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    insert_rows(connection, "params_", params_of(str(uuid4()), [*ODD]))

    found = connection.execute("select number from store.main.params_").fetchall()

    assert [repr(number) for (number,) in found] == [repr(value) for value in ODD]


@pytest.mark.parametrize("most", [10, 300, 2**20])
def test_texts_are_kept_whatever_they_hold_and_however_many_statements_it_takes(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(small_rows, "_MOST", most)
    rows = [{"writer": text, "number": 7, "names": [text, *TEXTS]} for text in TEXTS]
    insert_rows(connection, "names_", rows)

    found = connection.execute("select writer, names from store.main.names_").fetchall()

    assert found == [(text, [text, *TEXTS]) for text in TEXTS]


def test_each_row_is_given_its_own_values_and_no_other_row_any(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    ids = [str(uuid4()) for _ in range(4)]
    blank = dict.fromkeys(small_rows._types_of("runs"))
    insert_rows(
        connection,
        "runs",
        (
            blank | {"run_id": one, "name": one, "status": "running"}
            | {"attempt": 1, "lost_calls": 0, "config": json.dumps({"lr": 0.1})}
            for one in ids
        ),
    )  # fmt: skip
    at = from_nanoseconds(1_796_000_000_123_456_789)
    update_rows(
        connection,
        "runs",
        "run_id",
        [
            {"run_id": UUID(ids[0]), "status": "finished", "finished_at": at},
            {"run_id": ids[1], "tags": ["a", "b"]},
            {"run_id": ids[2], "status": "failed", "finished_at": None},
        ],
    )
    delete_rows(connection, "runs", "name", [ids[3], "nobody"])

    found = connection.execute(
        "select name, status, finished_at, tags, config from store.main.runs"
    ).fetchall()

    config = '{"lr": 0.1}'
    assert sorted(found) == sorted(
        [
            (ids[0], "finished", at, None, config),
            (ids[1], "running", None, ["a", "b"], config),
            (ids[2], "failed", None, None, config),
        ]
    )


@pytest.mark.parametrize(
    ("column", "value"), [("rank", 2**15), ("attempt", "x"), ("run_id", "no id")]
)
def test_what_a_column_cannot_hold_is_an_error_and_never_null(
    connection: duckdb.DuckDBPyConnection, column: str, value: object
) -> None:
    row = {
        "run_id": str(uuid4()), "attempt": 1, "rank": 0, "writer": "w", "follows": 0,
        "started_at": from_nanoseconds(0), "number": 1,
    }  # fmt: skip

    with pytest.raises(duckdb.Error):
        insert_rows(connection, "attempts_", [row | {column: value}])


def test_odd_parameters_of_several_runs_are_found_as_they_were_given(
    tmp_path: Path,
) -> None:
    given = [math.inf, -math.inf, 1e308, 10**400, "text", True, 2**63]
    for place, value in enumerate(given):
        config = {"x": value}
        stepwell.init("p", f"{place}", config, store=tmp_path / "s.duckdb").finish()

    with stepwell.open_store(tmp_path / "s.duckdb") as store:
        rows = store.sql(
            "select number from params where key = 'x' order by run"
        ).fetchall()

    assert [number for (number,) in rows] == [
        math.inf, -math.inf, 1e308, math.inf, None, 1.0, 2.0**63
    ]  # fmt: skip
