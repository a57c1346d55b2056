"""Values in a database that ours never have: each command answers, or says why not."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import Store, open_store, start_run
from stepwell.store.schema.stored_values import (
    stored_json,
    stored_layout,
    stored_object,
    stored_texts,
    stored_time,
)

DEEPEST, DEEP = (
    f"repeat('{{\"a\":', {levels}) || '1' || repeat('}}', {levels})"
    for levels in (100_000, 900)
)
CHANGES = {
    "times that Python lacks, and the deepest JSON": [
        "update runs set created_at = '290000-01-01', finished_at = '0044-01-01 (BC)'",
        "update points set time = '290000-01-01'",
        "update totals_ set first_time = '0044-01-01 (BC)', last_time = '290000-01-01'",
        "update journals_ set last_sign = '290000-01-01'",
        "update attempts_ set started_at = '290000-01-01'",
        "update figures set saved_at = '290000-01-01', spec = DEEPEST",
        "update runs set config = DEEPEST, layout = DEEPEST, tags = [null, 'a', null]",
    ],
    "no times, and deep JSON": [
        "update runs set created_at = '-infinity', finished_at = 'infinity'",
        "update points set time = 'infinity'",
        "update totals_ set first_time = '-infinity', last_time = 'infinity'",
        "update figures set saved_at = '-infinity', spec = DEEP",
        "update runs set config = DEEP, layout = DEEP, tags = null",
    ],
    "JSON of another form, and the longest texts": [
        "update runs set config = '[1, 2]', layout = '5'",
        "update runs set config = '{\"n\": ' || repeat('9', 5000) || '}'"
        " where name = 'two'",
        "update figures set spec = 'null'",
        "update runs set notes = repeat('ü', 50000), tags = [repeat('t', 50000)]",
        "update runs set name = repeat('n', 50000), project = repeat('ö', 50000)"
        " where name = 'two'",
    ],
}
COMMANDS = [
    *(["ls"], ["ls", "--json"], ["show", "one"], ["show", "one", "--json"]),
    *(["best", "loss"], ["compare", "one", "last"], ["watch", "--once", "one"]),
    *(["figure", "list"], ["figure", "show", "kept"], ["sql", "from run_table"]),
    *(["doctor"], ["copy", "copy.duckdb"], ["tag", "one", "x"], ["note", "one", "x"]),
    *(["--store", "all.duckdb", "merge", "changed.duckdb"], ["repair", "saved.duckdb"]),
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "stepwell.duckdb"
    for name in ("one", "two"):
        with start_run(name=name, config={"lr": 0.1}, tags=["a"], store=path) as run:
            run.log({"loss": 1.0})
    save = ["--store", str(path), "figure", "save", "kept", "curves", "-m", "loss"]
    assert CliRunner().invoke(main, save).exit_code == 0
    open_store(path).runs()
    return path


def change_in(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    connection.execute(statement.replace("DEEPEST", DEEPEST).replace("DEEP", DEEP))


@pytest.mark.parametrize("change", CHANGES)
def test_every_command_answers_or_says_why_not(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    path = Path(shutil.copy(recorded, "changed.duckdb"))
    with duckdb.connect(str(path)) as connection:
        for statement in CHANGES[change]:
            change_in(connection, statement)

    for command in COMMANDS:
        given = command if command[0] == "--store" else ["--store", str(path), *command]
        done = CliRunner().invoke(main, given)

        assert done.exception is None or isinstance(done.exception, SystemExit), command
        assert done.exit_code in {0, 1 if command == ["doctor"] else 0, 2}, command
        if done.exit_code == 2:
            assert done.stderr.count("\n") == 1, done.stderr


def test_a_configuration_that_is_none_says_so(recorded: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(recorded, tmp_path / "changed.duckdb"))
    with duckdb.connect(str(path)) as connection:
        change_in(connection, "update runs set config = '[1, 2]' where name = 'one'")
        change_in(connection, "update runs set config = DEEP where name = 'two'")

    with Store(path) as store:
        found = {run.name: run.config for run in store.runs()}

    assert found == {
        "one": {"unreadable": "[1, 2]"},
        "two": {"unreadable": "it is nested too deeply"},
    }


def test_what_ours_have_is_what_it_was() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678)  # noqa: DTZ001 (as columns are)
    assert stored_time(moment) is moment
    assert stored_time(None) is None
    assert stored_object('{"a": {"b": [1, null]}}') == {"a": {"b": [1, None]}}
    assert stored_object(None) == {}
    assert stored_layout('{"panels": []}') == {"panels": []}
    assert stored_texts(["a", "b"]) == ("a", "b")
    for depth in (64, 99):
        deep = "[" * depth + "]" * depth
        assert str(stored_json(deep)) == deep
    wide = "[" + ", ".join(["[]"] * 1000) + "]"
    assert len(stored_json(wide)) == 1000
    with pytest.raises(ValueError, match="too deeply"):
        stored_json("[" * 101 + "]" * 101)


@pytest.mark.parametrize("text", ["290000-01-01 00:00:00", "0044-01-01 (BC) 00:00:00"])
def test_a_time_that_python_lacks_is_the_nearest(text: str) -> None:
    found = stored_time(text)
    assert found is not None
    assert found.replace(tzinfo=UTC).astimezone().year in {1, 9999}
    assert (found.year == 1) == ("(BC)" in text)
