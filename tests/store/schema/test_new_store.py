"""A new store is what all migrations make, and is there whole or not at all."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stepwell import migrations
from stepwell.migrations import head
from stepwell.store import open_store
from stepwell.store.database.lease import STORAGE_VERSION, lease_of
from stepwell.store.files.location import resolve

CONTENTS = {
    "columns": (
        "select table_name, column_index, column_name, data_type, is_nullable,"
        " column_default from duckdb_columns() where not internal"
    ),
    "tables": "select table_name, sql, has_primary_key from duckdb_tables()",
    "constraints": (
        "select table_name, constraint_type, constraint_text, constraint_column_names"
        " from duckdb_constraints()"
    ),
    "views": "select view_name, sql from duckdb_views() where not internal",
    "indexes": "select index_name, sql from duckdb_indexes()",
    "sequences": "select sequence_name from duckdb_sequences()",
    "macros": "select function_name from duckdb_functions() where not internal",
    "types": "select type_name from duckdb_types() where not internal",
    "version": "select version_num from alembic_version",
    "blocks": "select block_size from pragma_database_size()",
    "storage": (
        "select tags['storage_version'] from duckdb_databases()"
        " where database_name = current_database()"
    ),
}

LOADS = """
import sys
import stepwell

run = stepwell.init(store=sys.argv[1])
run.log({"loss": 1.0})
run.finish()
print(stepwell.open_store(sys.argv[1]).run("last").status)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

# Each child is killed some time after the first sign of the store that it makes.
KILLED = """
import os, signal, sys, time
from pathlib import Path
import duckdb
from stepwell.store import open_store

folder, kills = Path(sys.argv[1]), int(sys.argv[2])
open_store(folder / "first.duckdb").close()  # loads what is needed

def make(path):
    path.parent.mkdir()
    if not (child := os.fork()):
        open_store(path).close()
        os._exit(0)
    while not path.exists() and not list(path.parent.glob(".*.new-*")):
        time.sleep(0.0001)
    return child, time.perf_counter()

path = folder / "second" / "runs.duckdb"
child, begun = make(path)
while not path.exists():
    time.sleep(0.0001)
whole = time.perf_counter() - begun
os.waitpid(child, 0)
is_hit, number = False, -1
while number + 1 < kills or not is_hit and number < 10 * kills:  # on a busy machine
    number += 1
    path = folder / str(number) / "runs.duckdb"
    child, begun = make(path)
    if number < kills:
        time.sleep(max(0, begun + whole * 1.5 * number / kills - time.perf_counter()))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = path.exists(), len(list(path.parent.glob(".*.new-*")))
    is_hit |= found == (False, 1)
    print(*found)
"""


def contents(path: Path) -> dict[str, list[Any]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {
            what: connection.execute(f"{query} order by all").fetchall()
            for what, query in CONTENTS.items()
        }


def test_a_new_store_is_what_the_migrations_make(new_path: Path, tmp_path: Path) -> None:
    migrated = tmp_path / "migrated.duckdb"
    migrations.upgrade(migrated, STORAGE_VERSION)

    open_store(new_path)

    made = contents(new_path)
    assert made == contents(migrated)
    assert made["version"] == [(migrations.HEAD,)]
    assert made["blocks"] == [(migrations.BLOCK_BYTES,)]
    assert made["storage"][0][0].startswith(STORAGE_VERSION[:4])


def test_the_kept_statements_are_those_of_the_migrations() -> None:
    assert migrations.FILE.read_text("utf-8") == head.statements(), (
        "run `python -m stepwell.migrations.head`"
    )


@pytest.mark.parametrize("what", ["columns", "tables", "constraints", "views", "version"])
def test_the_comparison_sees_each_difference(new_path: Path, what: str) -> None:
    changes = {
        "columns": "alter table points alter rank set default 0",
        "tables": "create table more (number integer)",
        "constraints": "alter table totals_ alter position drop not null",
        "views": "create or replace view superseded_ as select 1 as one",
        "version": "update alembic_version set version_num = '0002'",
    }
    open_store(new_path)
    before = contents(new_path)
    with duckdb.connect(str(new_path)) as connection:
        connection.execute(changes[what])

    assert contents(new_path)[what] != before[what]


def test_neither_alembic_nor_sqlalchemy_is_loaded_for_a_new_store(
    output: Callable[..., str], new_path: Path
) -> None:
    status, loaded = output(LOADS, new_path).splitlines()

    assert status == "finished"
    assert {"alembic", "sqlalchemy", "duckdb_sqlalchemy"} & {*loaded.split()} == set()


def test_a_kill_at_any_instant_leaves_no_half_store(
    output: Callable[..., str], tmp_path: Path
) -> None:
    kills = 10
    said = [line.split() for line in output(KILLED, tmp_path, kills).splitlines()]

    assert len(said) >= kills
    assert ["False", "1"] in said  # a kill in the middle of it
    expected = contents(tmp_path / "first.duckdb")
    for number, (there, _) in enumerate(said):
        path = tmp_path / str(number) / "runs.duckdb"
        if there == "True":
            assert contents(path) == expected
        assert open_store(path).runs() == []
        assert contents(path) == expected
        assert list(path.parent.glob(".*.new-*")) == []


KILLED_AT = """
import os, shutil, signal, sys
from stepwell.store import open_store

moved = os.replace
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def last(*paths):
    moved(*paths)
    die()

if sys.argv[2] == "moving":
    os.replace = last
else:
    shutil.rmtree = die
open_store(sys.argv[1])
"""


@pytest.mark.parametrize("instant", ["moving", "clearing up"])
def test_what_a_kill_behind_the_move_leaves_is_cleared_up_by_the_next_opener(
    new_path: Path, tmp_path: Path, instant: str
) -> None:
    command = [sys.executable, "-c", KILLED_AT, str(new_path), instant]
    killed = subprocess.run(command, check=False)
    other = tmp_path / ".other.duckdb-01234567.new-x"
    other.mkdir()
    own = new_path.with_name(f"{new_path.name}.new")
    own.write_text("somebody's")

    assert killed.returncode == -signal.SIGKILL
    assert new_path.exists()
    (left,) = new_path.parent.glob(f".{new_path.name}*.new-*")
    assert list(left.iterdir()) == [left / ".held"]
    with lease_of(resolve(new_path)).shared():
        pass
    assert left.exists()

    assert open_store(new_path).runs() == []
    assert not left.exists()
    assert other.exists()
    assert own.read_text() == "somebody's"


def test_a_store_is_made_anew_where_one_was_removed(new_path: Path) -> None:
    open_store(new_path)
    first = contents(new_path)
    new_path.unlink()

    assert open_store(new_path).runs() == []
    assert contents(new_path) == first


def test_what_has_made_a_store_reaches_nothing_else(new_path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    open_store(new_path)

    with lease_of(resolve(new_path)).shared() as connection:
        with pytest.raises(duckdb.PermissionException, match=r"secret\.txt"):
            connection.execute(f"from read_text('{tmp_path / 'secret.txt'}')")
        with pytest.raises(duckdb.PermissionException, match=r"other\.duckdb"):
            connection.execute(f"attach '{tmp_path / 'other.duckdb'}' as other")
