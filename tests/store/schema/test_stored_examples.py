"""A store that an earlier Stepwell wrote is upgraded, and is used as any other."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from stepwell import migrations
from stepwell.cli import main
from stepwell.store import FigureSpec, Selection, Store, open_store, start_run
from stepwell.store.database.schema_upgrade import _KNOWN
from stepwell.store.saved_figures import list_kept
from stepwell.viz import redraw, save_run_figure

STORES = Path(__file__).parents[2] / "stores"
EXAMPLES = sorted(path.stem for path in STORES.glob("*.duckdb"))
EVERGREEN = "01a20d46-7a6d-7dd3-bca3-4bd72a447f4b"


@pytest.fixture(params=EXAMPLES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the stored example of one revision."""
    name = f"{request.param}.duckdb"
    return Path(shutil.copy(STORES / name, tmp_path / name))


def revision_of(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("select version_num from alembic_version").fetchall()
    return str(found[0][0])


def tables_of(path: Path) -> dict[str, str]:
    query = "select table_name, sql from duckdb_tables() union all select view_name, sql"
    query += " from duckdb_views() where not internal"
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(query).fetchall()
    # DuckDB 2 writes a query with other parentheses than DuckDB 1, and without "main.".
    return {
        name: " ".join(re.sub(r"[\s()]|main\.", " ", sql).split()) for name, sql in found
    }


def test_each_example_is_of_the_revision_that_it_is_named_after() -> None:
    assert _KNOWN[0] in EXAMPLES
    assert set(EXAMPLES) <= set(_KNOWN)
    for name in EXAMPLES:
        assert revision_of(STORES / f"{name}.duckdb") == name


def test_opening_upgrades_it_to_the_schema_of_a_new_store(
    old: Path, new_path: Path
) -> None:
    open_store(old)
    open_store(new_path)

    assert revision_of(old) == migrations.HEAD
    assert tables_of(old) == tables_of(new_path)


def test_its_runs_are_read(old: Path) -> None:
    store = open_store(old)

    runs = {run.name: run for run in store.runs()}
    assert {name: run.status for name, run in runs.items()} == {
        "complete": "finished",
        "resumed": "finished",
        "failed": "failed",
    }
    complete = runs["complete"]
    assert (complete.project, complete.group_name) == ("examples", "first")
    assert complete.tags == ("example", "old")
    assert complete.config["optimizer"] == {"name": "adam", "lr": 0.01}
    assert runs["failed"].exit_message == "ValueError: as intended"
    summary = store.summary("complete")
    assert list(summary) == ["train_loss", "learning_rate", "val_loss"]
    assert (summary["train_loss"].min, summary["train_loss"].min_step) == (0.01, 99)
    assert (summary["train_loss"].count, summary["train_loss"].non_finite) == (101, 1)


def test_its_points_are_read(old: Path) -> None:
    store = open_store(old)

    losses = store.series("complete", "train_loss")
    assert losses.steps.tolist() == list(range(101))
    expected = [*(1 / (step + 1) for step in range(100)), np.nan]
    np.testing.assert_array_equal(losses.values, expected)
    resumed = store.series("resumed", "loss")
    assert resumed.steps.tolist() == list(range(30))
    assert resumed.values.tolist() == [
        float(step + 1000 * (step >= 10)) for step in range(30)
    ]


def test_its_run_is_resumed(old: Path) -> None:
    run = start_run(id=EVERGREEN, resume="must", store=old)
    run.log({"loss": 5.0})
    run.finish()

    with open_store(old) as store:
        assert store.run(EVERGREEN).attempt == 3
        assert store.series(EVERGREEN, "loss").values[-2:].tolist() == [1029.0, 5.0]
        assert store.series(EVERGREEN, "loss").steps[-1] == 30


def test_a_new_run_is_added(old: Path) -> None:
    with start_run(name="new", store=old) as run:
        run.log({"loss": 2.0}, step=7)

    with open_store(old) as store:
        assert store.runs(limit=1)[0].name == "new"
        assert store.series("new", "loss").values.tolist() == [2.0]
        assert len(store.runs()) == 4


def test_a_journal_that_waits_beside_it_is_folded(
    old: Path, store_path: Path, make_writer: Callable[..., Any]
) -> None:
    make_writer({"name": "waiting"}).recorder().log({"loss": 3.0})
    shutil.copytree(f"{store_path}.journal", f"{old}.journal")

    assert Store(old).series("waiting", "loss").values.tolist() == [3.0]


def test_its_figure_is_drawn_from_the_layout_that_it_kept(
    old: Path, tmp_path: Path
) -> None:
    path = save_run_figure(open_store(old), "complete", tmp_path / "old.svg")

    assert "Learning rate" in path.read_text()


def test_a_figure_is_kept_in_it(old: Path, tmp_path: Path) -> None:
    store = open_store(old)
    store.save_figure("mine", FigureSpec("run", Selection(runs=("complete",))), pin=True)

    path = redraw(store, "mine", tmp_path / "mine.svg")
    assert "<!-- complete -->" in path.read_text(encoding="utf-8")


def test_the_command_says_from_where_to_where(old: Path) -> None:
    before = revision_of(old)

    first = CliRunner().invoke(main, ["upgrade", "--store", str(old)])
    second = CliRunner().invoke(main, ["upgrade", "--store", str(old), "--json"])

    head = migrations.HEAD
    said = f"{old}: from revision {before} to {head}\n"
    assert first.output == (
        said if before != head else f"{old} is current (revision {head})\n"
    )
    assert json.loads(second.output) == {
        "location": str(old),
        "before": head,
        "after": head,
    }


def test_a_store_that_is_current_is_left_as_it_is(store_path: Path) -> None:
    before = store_path.read_bytes()

    result = CliRunner().invoke(main, ["upgrade", "--store", str(store_path)])
    assert result.output == f"{store_path} is current (revision {migrations.HEAD})\n"
    assert store_path.read_bytes() == before


def test_what_cannot_be_upgraded_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("no database, but long enough to be looked at")
    for name, said in (("none", "there is no store"), ("text", "not a Stepwell store")):
        path = tmp_path / f"{name}.duckdb"
        result = CliRunner().invoke(main, ["upgrade", "--store", str(path)])
        assert result.exit_code == 2
        assert said in result.output
        assert result.output.count("\n") == 1


def test_figures_of_an_old_store_that_may_only_be_read_are_none(old: Path) -> None:
    with duckdb.connect(str(old), read_only=True) as connection:
        assert list_kept(connection) == []
