"""A migrated store is the declared one, and other files are refused."""

import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from stepwell import migrations
from stepwell.store import Store, StoreDamagedError, StoreNewerError, open_store
from stepwell.store.database.lease import STORAGE_VERSION
from stepwell.store.database.schema_upgrade import _KNOWN
from stepwell.store.schema.declaration import VIEWS, metadata

MIGRATIONS = Path(migrations.__file__).parent

PROMISED = {
    "metrics": "run run_id project group_name metric step time value rank attempt",
    "summary": "run run_id project group_name metric current min max mean count non_finite"
    " min_step max_step first_step last_step first_time last_time position",
    "params": "run run_id project group_name key text number",
    "points": "run_id metric step time value rank attempt",
    "figures": "name kind spec saved_at",
}


def declared_tables(path: Path) -> dict[str, str]:
    engine = sa.create_engine(f"duckdb:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    with duckdb.connect(str(path)) as connection:
        return tables_in(connection)


def tables_in(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    found = connection.execute(
        "select table_name, sql from duckdb_tables() where table_name <> 'alembic_version'"
    )
    return {name: re.sub(r"\s+", " ", sql) for name, sql in found.fetchall()}


def script_folder() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


def test_a_migrated_store_is_the_declared_one(new_path: Path, tmp_path: Path) -> None:
    migrations.upgrade(new_path, STORAGE_VERSION)

    with duckdb.connect(str(new_path), read_only=True) as connection:
        migrated = tables_in(connection)
        views = connection.execute(
            "select view_name from duckdb_views() where not internal order by all"
        ).fetchall()
    assert migrated == declared_tables(tmp_path / "declared.duckdb")
    assert views == [(name,) for name in VIEWS]


@pytest.mark.parametrize("name", PROMISED)
def test_the_columns_that_users_query_are_there(new_path: Path, name: str) -> None:
    result = open_store(new_path).sql(f"from {name}")

    assert " ".join(result.columns) == PROMISED[name]


def test_every_view_can_be_asked(new_path: Path) -> None:
    store = open_store(new_path)

    assert [store.sql(f"from {name}").fetchall() for name in VIEWS] == [[]] * len(VIEWS)


def test_the_known_revisions_are_those_of_the_scripts() -> None:
    scripts = script_folder()

    revisions = [script.revision for script in scripts.walk_revisions()][::-1]

    assert tuple(revisions) == _KNOWN
    assert scripts.get_heads() == [migrations.HEAD]


def test_migrations_import_nothing_of_today() -> None:
    for path in MIGRATIONS.rglob("*.py"):
        assert not re.search(r"(import|from) +(stepwell|\.\.)", path.read_text()), path


def test_migrating_twice_changes_nothing(new_path: Path) -> None:
    migrations.upgrade(new_path, STORAGE_VERSION)
    with duckdb.connect(str(new_path), read_only=True) as connection:
        before = tables_in(connection)

    migrations.upgrade(new_path, STORAGE_VERSION)

    with duckdb.connect(str(new_path), read_only=True) as connection:
        assert tables_in(connection) == before


def test_a_new_file_can_be_read_by_the_oldest_duckdb_we_support(new_path: Path) -> None:
    open_store(new_path)

    with duckdb.connect(str(new_path), read_only=True) as connection:
        tags = connection.execute(
            "select tags from duckdb_databases() where database_name = current_database()"
        ).fetchone()
    assert tags
    assert tags[0]["storage_version"].startswith("v1.5")


def test_stores_made_in_two_threads_do_not_mix(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.duckdb" for number in range(4)]
    threads = [threading.Thread(target=open_store, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [Store(path).runs() for path in paths] == [[]] * 4


def test_a_store_of_a_newer_stepwell_is_refused(new_path: Path) -> None:
    open_store(new_path)
    with duckdb.connect(str(new_path)) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    newer = Path(shutil.copy(new_path, new_path.with_name("newer.duckdb")))
    before = newer.read_bytes()

    with pytest.raises(StoreNewerError, match=r"9999.*up to 0003.*update stepwell"):
        open_store(newer)
    with pytest.raises(StoreNewerError, match=r"9999.*up to 0003.*update stepwell"):
        Store(new_path).runs()  # which knew it before it was newer
    assert newer.read_bytes() == before


def test_a_store_that_a_newer_stepwell_migrates_meanwhile_is_refused(
    new_path: Path, make_writer: Callable[..., Any]
) -> None:
    store = open_store(new_path)
    make_writer().recorder().log({"loss": 1})
    with duckdb.connect(str(new_path)) as connection:
        connection.execute("update alembic_version set version_num = '9999'")

    with pytest.raises(StoreNewerError, match="update stepwell"):
        store.runs()


def test_a_foreign_duckdb_database_is_refused_and_left_alone(new_path: Path) -> None:
    with duckdb.connect(str(new_path)) as connection:
        connection.execute("create table mine as select 42 as answer")
    before = new_path.read_bytes()

    with pytest.raises(
        StoreDamagedError, match="not a Stepwell store; choose another path"
    ):
        open_store(new_path)

    assert new_path.read_bytes() == before


@pytest.mark.parametrize("left", [".new", ".new.wal"])
def test_what_a_killed_creation_left_behind_does_no_harm(
    new_path: Path, tmp_path: Path, left: str
) -> None:
    half = new_path.with_name(new_path.name + left)
    half.write_bytes(b"half a database")

    assert open_store(new_path).runs() == []
    assert not half.exists()


def test_a_database_without_a_table_becomes_a_store(new_path: Path) -> None:
    duckdb.connect(str(new_path)).close()

    assert open_store(new_path).runs() == []


def test_an_empty_file_becomes_a_store(new_path: Path) -> None:
    new_path.touch()

    assert open_store(new_path).runs() == []


def test_a_copied_store_is_a_store(new_path: Path, tmp_path: Path) -> None:
    open_store(new_path)
    copy = shutil.copy(new_path, tmp_path / "copy.duckdb")

    assert open_store(copy).runs() == []
