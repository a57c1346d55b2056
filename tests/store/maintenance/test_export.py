"""Runs and points are written as files of other programs, with every value exact."""

import json
import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import (
    ConfigurationError,
    RunNotFoundError,
    Store,
    StoreLocationError,
    start_run,
)

VALUES = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1 + 0.2, 1 / 3, 1.7e308, 2.0**53]
TYPES = ", ".join(
    f"'{name}': '{kind}'"
    for name, kind in {
        "run_id": "UUID",
        "metric": "VARCHAR",
        "step": "BIGINT",
        "time": "TIMESTAMP",
        "value": "DOUBLE",
        "rank": "SMALLINT",
        "attempt": "SMALLINT",
    }.items()
)
FORMATS = ("csv", "parquet")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("export") / "it's.duckdb"
    notes = 'two\nlines, a "quote" and ünï'
    with start_run(
        "digits", "a, b", {"lr": 0.1}, tags=['x, "y"', "z"], notes=notes, store=path
    ) as run:
        for value in VALUES:
            run.log({'odd, "name"': value, "second": 1})
    with start_run(None, "other", store=path) as run:
        run.log({"second": 2})
    return Store(path)


def points_of(file: Path) -> list[Any]:
    reader = "read_parquet('{}')"
    if file.suffix == ".csv":
        reader = "read_csv('{}', columns = {{" + TYPES.replace("{", "{{") + "}})"
    path = str(file).replace("'", "''")
    rows = duckdb.sql(f"from {reader.format(path)} order by run_id, metric, step")
    return rows.fetchall()


def bits(rows: list[Any]) -> list[Any]:
    """Rows that are equal when every value is, to the last bit."""
    return [
        tuple(np.float64(x).tobytes() if isinstance(x, float) else x for x in row)
        for row in rows
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_every_point_comes_back_exactly(store: Store, tmp_path: Path, form: str) -> None:
    made = store.export(tmp_path / "it's new", form)

    points = store.sql(
        "select run_id, metric, step, time, value, rank, attempt from metrics"
        " order by run_id, metric, step"
    ).fetchall()
    assert bits(points_of(made.files[1])) == bits(points)
    assert (made.runs, made.points) == (2, len(points)) == (2, 2 * len(VALUES) + 1)
    assert [file.name for file in made.files] == [f"runs.{form}", f"points.{form}"]
    assert sorted(made.files[0].parent.iterdir()) == sorted(made.files)


def test_runs_come_back_exactly_from_parquet(store: Store, tmp_path: Path) -> None:
    made = store.export(tmp_path)

    found = duckdb.sql(f"from '{made.files[0]}' order by run_id")
    assert found.fetchall() == store.sql("from runs order by run_id").fetchall()
    assert tuple(found.columns) == store.sql("from runs").columns


def test_runs_come_back_from_csv_as_text(store: Store, tmp_path: Path) -> None:
    made = store.export(tmp_path, "csv")

    found = duckdb.sql(f"from read_csv('{made.files[0]}', all_varchar = true)")
    first = dict(zip(found.columns, found.fetchall()[0], strict=True))
    run = store.run("a, b")
    assert json.loads(first["tags"]) == list(run.tags)
    assert json.loads(first["config"]) == run.config
    assert (first["name"], first["notes"]) == (run.name, run.notes)
    assert first["group_name"] is None


@pytest.mark.parametrize("form", FORMATS)
def test_chosen_runs_alone_are_written(store: Store, tmp_path: Path, form: str) -> None:
    made = store.export(tmp_path, form, runs="other")

    assert (made.runs, made.points) == (1, 1)
    assert [row[4] for row in points_of(made.files[1])] == [2.0]


@pytest.mark.parametrize("left", ["runs.parquet", "points.parquet"])
def test_no_file_is_overwritten_unless_forced(
    store: Store, tmp_path: Path, left: str
) -> None:
    (tmp_path / left).write_text("mine")

    with pytest.raises(StoreLocationError, match=f"{left} is there already"):
        store.export(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == [left]
    assert (tmp_path / left).read_text() == "mine"
    store.export(tmp_path, force=True)
    assert len(points_of(tmp_path / "points.parquet")) == 2 * len(VALUES) + 1


def test_the_store_itself_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    start_run(store=path).finish()
    store = Store(path)
    assert len(store.runs()) == 1

    with pytest.raises(StoreLocationError, match="is the store itself"):
        store.export(tmp_path, "csv", force=True)

    assert len(store.runs()) == 1


def test_what_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below"):
        with pytest.raises(StoreLocationError, match=r"cannot write .*file is a file"):
            store.export(tmp_path / folder)

    with pytest.raises(RunNotFoundError):
        store.export(tmp_path / "new", runs="nobody")
    with pytest.raises(ConfigurationError, match="csv, parquet, not 'xls'"):
        store.export(tmp_path / "new", "xls")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_the_command_line_exports(store: Store, tmp_path: Path) -> None:
    arguments = ["export", str(tmp_path / "o"), "--store", str(store.location)]

    result = CliRunner().invoke(main, [*arguments, "--format", "csv"])

    assert result.exit_code == 0, result.output
    assert f"{tmp_path / 'o' / 'points.csv'}: 19 points" in result.stdout
    again = CliRunner().invoke(main, [*arguments, "--format", "csv"])
    assert again.exit_code == 2
    assert "is there already" in again.stderr
    forced = CliRunner().invoke(main, [*arguments, "--format=csv", "--force", "--json"])
    assert json.loads(forced.stdout)["points"] == 19


@pytest.mark.parametrize(
    ("chosen", "points"),
    [
        (["other"], 1),
        (["-p", "digits"], 18),
        (["--where", "lr < 1"], 18),
        (["--tag", "z", "--name", "a*", "--status", "finished"], 18),
        (["other", "--runs", "a, b"], None),
        (["other", "-p", "digits"], None),
        (["nobody"], None),
    ],
)
def test_the_command_line_exports_chosen_runs(
    store: Store, tmp_path: Path, chosen: list[str], points: int | None
) -> None:
    place = ["--store", str(store.location)]
    result = CliRunner().invoke(main, ["export", str(tmp_path / "o"), *chosen, *place])

    if points is None:
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
        assert "no run " in result.stderr
        assert not (tmp_path / "o").exists()
    else:
        assert result.exit_code == 0, result.output
        assert len(points_of(tmp_path / "o" / "points.parquet")) == points


def test_files_that_are_links_elsewhere_are_replaced_there(
    store: Store, tmp_path: Path
) -> None:
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    for name in ("runs.csv", "points.csv"):
        (elsewhere / name).write_text("old")
        (folder / name).symlink_to(elsewhere / name)

    store.export(folder, "csv", force=True)

    assert (folder / "runs.csv").is_symlink()
    assert (elsewhere / "points.csv").read_text().startswith("run_id,metric")
