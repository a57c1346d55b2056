"""A database that is not ours, or was tampered with: nothing of it is obeyed."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from stepwell import migrations
from stepwell.cli import main
from stepwell.store import (
    QueryError,
    Store,
    StoreDamagedError,
    compact_store,
    copy_store,
    examine,
    merge_stores,
    open_store,
    repair_store,
    start_run,
    upgrade_store,
)
from stepwell.store.database.attach import attached_file
from stepwell.store.database.duckdb_instance import new_memory
from stepwell.store.database.file_guard import confine
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.schema.contents import foreign_contents, tables_in, wrong_tables
from stepwell.store.schema.tables import TABLES

STORES = (Path(__file__).parents[2] / "stores").glob("*.duckdb")
OLD_STORES = sorted(path for path in STORES if path.stem != migrations.HEAD)
SECRET = "a word of another file"


def change(path: Path, *statements: str) -> None:
    """Change a store's file as another program would."""
    lease = lease_of(resolve(path))
    lease.renew()
    with lease.locked(), duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def record(path: Path, name: str = "one") -> None:
    with start_run(name=name, config={"lr": 0.1}, store=path) as run:
        for step in range(4):
            run.log({"loss": float("inf") if step == 3 else step})
    run.finish(wait=True)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    return file


@pytest.fixture
def tampered(store_path: Path, secret: Path) -> Path:
    """A store whose table of runs is a view over another file."""
    record(store_path)
    columns = f"* replace ((select content from read_text('{secret}')) as name)"  # noqa: S608
    change(
        store_path,
        "create table hidden as from runs",
        "drop view run_table; drop view params; drop view summary; drop view metrics",
        "drop table runs",
        f"create view runs as select {columns} from hidden",  # noqa: S608
    )
    return store_path


ASKS: list[Callable[[Path], object]] = [
    open_store,
    lambda path: open_store(path, create=False).runs(),
    lambda path: Store(path).runs(),
    lambda path: Store(path).sql("from runs"),
    lambda path: Store(path).export(path.parent / "out", "csv"),
    compact_store,
    lambda path: copy_store(path, path.with_name("copy.duckdb")),
    lambda path: merge_stores([path], path.with_name("all.duckdb")),
]


def test_a_view_in_place_of_a_table_is_refused_by_every_function(
    tampered: Path, tmp_path: Path
) -> None:
    for ask in ASKS:
        with pytest.raises(StoreDamagedError, match="lacks the table runs") as caught:
            pytest.fail(f"{ask} gave {ask(tampered)!r}")
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("copy.duckdb*"))


@pytest.mark.parametrize(
    "command",
    [
        ["ls"],
        ["show", "last"],
        ["copy", "copy.duckdb"],
        ["sql", "from runs"],
        ["best", "loss"],
        ["watch", "--once"],
        ["export", "out"],
        ["note", "last", "x"],
        ["rm", "last", "-y"],
        ["compact"],
        ["upgrade"],
    ],
)
def test_a_view_in_place_of_a_table_is_refused_by_every_command(
    tampered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(main, ["--store", str(tampered), *command])

    assert done.exit_code == 2
    assert "lacks the table runs" in done.stderr
    assert SECRET not in done.output


def test_what_can_be_repaired_of_it_has_nothing_of_the_other_file(
    tampered: Path, tmp_path: Path
) -> None:
    saved = repair_store(tampered, tmp_path / "saved.duckdb")

    assert not saved.is_complete or saved.nameless
    with Store(saved.location) as store:
        assert store.sql("select count(*) from points").fetchall() == [(4,)]
        assert all(run.name.startswith("recovered-") for run in store.runs())
    assert SECRET.encode() not in saved.location.read_bytes()
    assert any("lacks the table runs" in one.message for one in examine(tampered))


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["alter table points alter value type float"], "has another table points"),
        (["alter table runs add column more varchar"], "has another table runs"),
        (["alter table runs drop column notes"], "lacks runs.notes"),
        (["alter table figures alter kind set default 'x'"], "has another table figures"),
        (["drop table names_"], "lacks the table names_"),
        (
            ["drop table names_", "create table names_(writer varchar, number bigint)"],
            "lacks names_.names",
        ),
        (
            [
                "drop table params_ cascade",
                "create table params_(run_id uuid not null, key varchar not null,"
                " text varchar, number double as (1.5))",
            ],
            "has another table params_",
        ),
        (
            [
                "drop table params_ cascade",
                "create table params_(run_id uuid not null, key varchar not null,"
                " text varchar, number double, check (number > 0))",
            ],
            "has another table params_",
        ),
    ],
)
def test_tables_of_other_columns_are_refused(
    store_path: Path, statements: list[str], said: str
) -> None:
    record(store_path)
    before = Store(store_path)
    assert len(before.runs()) == 1
    if statements[0].startswith("alter table"):
        table = statements[0].split()[2]
        views = {"points": ["metrics", "summary"], "runs": ["metrics", "summary", "params"]}
        drops = [f"drop view {v}" for v in [*views.get(table, []), "run_table"]]
        statements = [*drops, *statements]
    with suppress(duckdb.Error):
        change(store_path, *statements)
    with duckdb.connect(str(store_path), read_only=True) as connection:
        if not wrong_tables(tables_in(connection, store_path.stem)):
            pytest.skip("this DuckDB makes no such table")

    for ask in (before.runs, lambda: open_store(store_path)):
        with pytest.raises(StoreDamagedError, match=said):
            ask()


SHADOWS = [
    "create macro isfinite(x) as true",
    "create macro coalesce_(x) as x",
    "create macro count(x) as 7",
    "create macro epoch(x) as 7",
    "create macro arg_max(x, y) as 7",
    "create macro unnest(x) as 7",
    "create macro to_json(x) as '\"x\"'",
    "create macro from_json(x, y) as []",
    "create macro right(x, y) as 'macro'",
    "create type double_ as varchar",
    "create type uuid as varchar",
    "create schema temp_; create table temp_.runs as select 1 as run_id",
    "create schema system_",
]


def test_functions_types_and_views_of_the_file_are_not_used(store_path: Path) -> None:
    record(store_path)
    with Store(store_path) as store:
        wanted = answers(store)
    made = []
    for statement in SHADOWS:
        with suppress(duckdb.Error):  # some names DuckDB gives to nobody
            change(store_path, statement)
            made.append(statement)
    assert "create macro isfinite(x) as true" in made
    for view in ("metrics", "summary", "params", "run_table"):
        change(store_path, f"create or replace view {view} as select 'mine' as run")

    with Store(store_path) as store:
        assert answers(store) == wanted
    record(store_path, "two")
    with Store(store_path) as store:
        assert sorted(run.name for run in store.runs()) == ["one", "two"]
        assert store.summary("two")["loss"].non_finite == 1
        assert store.summary("two") == store.summary("one") | {
            "loss": store.summary("two")["loss"]
        }
    assert compact_store(store_path).points == 8


@pytest.mark.parametrize("name", ["read_csv", "read_text", "sniff_csv"])
def test_a_macro_of_the_file_lets_no_table_function_pass(
    store_path: Path, name: str
) -> None:
    record(store_path)
    change(store_path, f"create macro {name}(x) as x")

    with Store(store_path) as store, pytest.raises(QueryError, match=f"{name} is not"):
        store.sql(f"pivot (select 'x' as a) on {name}(a) using count(*)")


def answers(store: Store) -> list[Any]:
    queries = ("from metrics", "from summary", "from params", "select * from run_table")
    run = store.run("one")
    return [
        store.summary(run),
        store.series(run, "loss").steps.tolist(),
        store.leaderboard("loss", "min").rows(),
        [store.sql(query).fetchall() for query in queries],
        run,
    ]


def test_everything_else_in_the_file_is_named(store_path: Path, tmp_path: Path) -> None:
    record(store_path)
    assert all(one.check != "contents" for one in examine(store_path))
    change(
        store_path,
        "create table mine as select 1 as i",
        "create view seen as from mine",
        "create macro isfinite(x) as true",
        "create schema other",
        'create table other."odd ""name" as select 1 as i',
        "create or replace view params as select 1 as i",
    )
    names = (
        *("table mine", "view seen", "macro isfinite", "schema other"),
        *('table other.odd "name', "view params of another meaning"),
    )

    (found,) = [one for one in examine(store_path) if one.check == "contents"]
    copied = copy_store(store_path, tmp_path / "copy.duckdb")
    (merged,) = merge_stores([store_path], tmp_path / "all.duckdb")

    for said in (found.message, ", ".join(copied.foreign), ", ".join(merged.foreign)):
        for name in names:
            assert name in said
    command = ["--store", str(store_path), "copy", str(tmp_path / "second.duckdb")]
    assert "macro isfinite" in CliRunner().invoke(main, command).stderr
    command = ["--store", str(tmp_path / "more.duckdb"), "merge", str(store_path)]
    assert "not taken: " in CliRunner().invoke(main, command).stdout
    with duckdb.connect(str(tmp_path / "all.duckdb"), read_only=True) as connection:
        connection.execute("from metrics")  # the views are there for other programs
    assert compact_store(store_path).points == 4


@pytest.mark.parametrize("old", OLD_STORES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "statement", ["create macro isfinite(x) as true", "create type mine as varchar"]
)
def test_a_file_that_brings_functions_is_not_upgraded(
    tmp_path: Path, old: Path, statement: str
) -> None:
    path = Path(shutil.copy(old, tmp_path / "old.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)

    for ask in (open_store, upgrade_store, lambda path: Store(path).runs()):
        with pytest.raises(
            StoreDamagedError, match=r"is not upgraded while it .*(macro|type) "
        ):
            ask(path)


@pytest.mark.parametrize("old", OLD_STORES, ids=lambda path: path.stem)
def test_an_earlier_store_whose_table_is_a_view_is_not_upgraded(
    tmp_path: Path, secret: Path, old: Path
) -> None:
    path = Path(shutil.copy(old, tmp_path / "old.duckdb"))
    change(
        path,
        "create table hidden as from journals_",
        "drop table journals_",
        f"create view journals_ as from hidden, read_text('{secret}')",
    )

    with pytest.raises(StoreDamagedError, match=r"no table journals_|lacks"):
        open_store(path)


def test_the_tables_are_those_of_the_migrations(store_path: Path) -> None:
    open_store(store_path)

    with attached_file(store_path) as connection:
        assert tables_in(connection) == TABLES
        assert foreign_contents(connection) == []  # so our views are those of the file
        query = "select version_num from store.main.alembic_version"
        assert connection.execute(query).fetchall() == [(migrations.HEAD,)]


REACHES = [
    "select * from read_text('{}')",
    "select * from read_csv('{}')",
    "select * from glob('{}')",
    "copy (select 1) to '{}'",
    "attach '{}.duckdb' as more",
    "export database '{}'",
    "load '{}'",
    "set allowed_paths = ['{}']",
    "set enable_external_access = true",
    "reset lock_configuration",
    "set threads = 3",
]


def test_an_instance_that_has_a_store_reaches_nothing_else(
    store_path: Path, secret: Path
) -> None:
    record(store_path)
    lease = lease_of(resolve(store_path))
    with lease.exclusive() as connection:
        refused(connection, secret)
    with lease.shared() as connection:
        refused(connection, secret)
    with attached_file(store_path) as connection:
        refused(connection, secret)
    assert secret.read_text() == SECRET
    with Store(store_path) as store:
        for reach in REACHES:
            with pytest.raises(QueryError):
                store.sql(reach.format(secret))


def refused(connection: duckdb.DuckDBPyConnection, secret: Path) -> None:
    for reach in REACHES:
        with pytest.raises(duckdb.Error):
            connection.execute(reach.format(secret)).fetchall()


@pytest.mark.parametrize("name", ["it's.duckdb", "a,b.duckdb", "a b[1].duckdb", "ü.duckdb"])
def test_a_store_of_any_name_is_its_own_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    record(path)

    with Store(path) as store:
        assert store.summary("one")["loss"].count == 4
        store.export(tmp_path / name.removesuffix(".duckdb"), "csv")
    assert compact_store(path).points == 4


def test_what_does_not_fit_the_memory_goes_to_the_journals_folder(
    store_path: Path,
) -> None:
    record(store_path)
    connection = new_memory(memory_limit="60MB")
    confine(connection, [store_path], [])

    connection.execute("create temp table much as select range as i from range(30000000)")
    rows = connection.execute(
        "select path from (select * from duckdb_temporary_files())"
    ).fetchall()

    folder = str(store_path.with_name(f"{store_path.name}.journal"))
    assert rows
    assert all(str(path).startswith(folder) for (path,) in rows)
    connection.close()
    assert not [entry for entry in Path(folder).iterdir() if entry.suffix == ".tmp"]
