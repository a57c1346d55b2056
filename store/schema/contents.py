"""What a database file holds: the store's own tables, and whatever else is there.

Of a file that may be anybody's, our queries use the tables, once they are seen to be as
ours are, by their full names. Everything else is ours: temporary views, which stand before
all that the file has of the same names, and DuckDB's own functions, since a file's are
looked up only where it is named, or made the default.
"""

import re
from collections.abc import Callable, Container

import duckdb

from stepwell.store.base.errors import StoreDamagedError
from stepwell.store.base.sql_literals import literal

from .tables import TABLES, VIEWS

Rehearsal = Callable[[duckdb.DuckDBPyConnection], None]
"""Does with an empty store what is to be quick with a real one."""

_PLAIN_NAME = re.compile(r'"([a-z_]+)"')
_QUOTED = re.compile(r'"|\bmain\.')
_BEGIN = re.compile(r"CREATE (?:TEMP(?:ORARY)? )?VIEW \S+ ")
_TABLES = """
select schema_name, table_name, sql from duckdb_tables()
where database_name = {} and not internal
"""
_OTHERS = """
select 'schema', schema_name, '' from duckdb_schemas()
where database_name = $1 and schema_name not in ('main', 'information_schema', 'pg_catalog')
union all
select 'view', schema_name || '.' || view_name, sql from duckdb_views()
where database_name = $1 and not internal
union all
select distinct 'macro', schema_name || '.' || function_name, '' from duckdb_functions()
where database_name = $1 and not internal
union all
select 'type', schema_name || '.' || type_name, '' from duckdb_types()
where database_name = $1 and not internal
union all
select 'sequence', schema_name || '.' || sequence_name, '' from duckdb_sequences()
where database_name = $1
union all
select 'index', schema_name || '.' || index_name, '' from duckdb_indexes()
where database_name = $1
order by all
"""


def tables_in(
    connection: duckdb.DuckDBPyConnection, database: str = "store"
) -> dict[str, str]:
    """The tables of an attached database, views not among them: what each consists of.

    Those that are not in its main schema have it before their names.
    """
    tables = {}
    found = connection.execute(_TABLES.format(literal(database))).fetchall()
    for schema, name, sql in sorted(found):
        # Versions of DuckDB differ in the plain names that they quote.
        body = _PLAIN_NAME.sub(r"\1", str(sql)).partition("(")[2].removesuffix(");")
        tables[name if schema == "main" else f"{schema}.{name}"] = body
    return tables


def wrong_tables(tables: dict[str, str]) -> list[str]:
    """What is not as in a store of today's revision, in words; empty for a store."""
    wrong = []
    for name, body in TABLES.items():
        if name not in tables:
            wrong.append(f"lacks the table {name}")
        elif tables[name] != body:
            there = _columns(tables[name])
            lacking = [column for column in _columns(body) if column not in there]
            wrong += [f"lacks {name}.{column}" for column in lacking]
            wrong += [] if lacking else [f"has another table {name}"]
    return wrong


def _columns(body: str) -> list[str]:
    """Names of columns; what else is between commas does no harm here."""
    return [part.partition(" ")[0] for part in body.split(", ")]


def require_tables(wrong: list[str], location: object) -> None:
    """Refuse a database whose tables are not a store's.

    Args:
        wrong: What is not, by `wrong_tables`.
        location: Where it is.

    Raises:
        StoreDamagedError: If anything is.
    """
    if wrong:
        raise StoreDamagedError(
            f"{location} is no store as Stepwell makes it: it {', '.join(wrong)};"
            " `stepwell repair NEW` saves what can be read into a new one"
        )


def make_table_views(connection: duckdb.DuckDBPyConnection, tables: Container[str]) -> None:
    """Let the names of a store's tables mean those of the attached `store`."""
    for name in TABLES:
        if name in tables:
            connection.execute(
                f"create or replace temp view {name} as select * from store.main.{name}"  # noqa: S608
            )


def make_views(
    connection: duckdb.DuckDBPyConnection, names: Container[str] = VIEWS
) -> None:
    """Make views over a store's tables, all or some; see `make_table_views`."""
    for name, query in VIEWS.items():
        if name in names:
            connection.execute(f"create or replace temp view {name} as {query}")


def require_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the views over a store's tables, all as ours are, where there are none yet."""
    query = "select view_name from duckdb_views() where database_name = 'temp'"
    if not VIEWS.keys() <= {name for (name,) in connection.execute(query).fetchall()}:
        make_table_views(connection, TABLES)
        make_views(connection)


def make_views_ahead(connection: duckdb.DuckDBPyConnection, rehearse: Rehearsal) -> None:
    """Make all views on an instance that has no `store` yet, over empty tables for now.

    Args:
        connection: To the instance.
        rehearse: What is done with these tables, in a transaction that is rolled back.
    """
    connection.execute("ATTACH ':memory:' AS store")
    for name, body in TABLES.items():
        connection.execute(f"create table store.main.{name}({body})")
    make_table_views(connection, TABLES)
    make_views(connection)
    connection.execute("BEGIN")
    rehearse(connection)
    connection.execute("ROLLBACK")
    connection.execute("DETACH store")


def drop_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the names of a store's tables and views mean nothing."""
    for name in (*VIEWS, *TABLES):
        connection.execute(f"drop view if exists temp.{name}")


def foreign_contents(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What else is in the attached `store`, or is not as Stepwell makes it.

    The connection has the store's views.
    """
    tables = tables_in(connection)
    found = [f"table {name}" for name in tables if name not in TABLES]
    known = {("view", f"main.{name}") for name in VIEWS}
    sql = dict(
        connection.execute(
            "select view_name, sql from duckdb_views() where database_name = 'temp'"
        ).fetchall()
    )
    for kind, name, text in connection.execute(_OTHERS, ["store"]).fetchall():
        short = name.removeprefix("main.")
        if (kind, name) not in known:
            found.append(f"{kind} {short}")
        elif _query_of(text) != _query_of(sql.get(short, "")):
            found.append(f"view {short} of another meaning")
    return found


def views_in(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Names of the views of the attached `store`."""
    query = (
        "select view_name from duckdb_views()"
        " where database_name = 'store' and not internal"
    )
    return {str(row[0]) for row in connection.execute(query).fetchall()}


def quoted(name: str) -> str:
    """A name for a statement, whatever letters it has."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def macros_and_types(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What of the attached `store` could be taken for DuckDB's own where it is used."""
    others = connection.execute(_OTHERS, ["store"]).fetchall()
    return [
        f"{kind} {name.removeprefix('main.')}"
        for kind, name, _ in others
        if kind in {"macro", "type"}
    ]


def _query_of(sql: str) -> str:
    """A view's query, of which versions of DuckDB quote one or the other word."""
    return _QUOTED.sub("", _BEGIN.sub("", sql, count=1)).casefold()
