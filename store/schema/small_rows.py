"""Rows of small tables, written many in one statement.

DuckDB takes half a millisecond for a statement, however small, so a sweep's runs are not to
take one each. The rows go in as one JSON text: of a list, DuckDB 1.5 takes 0.3 ms for each
value, looking for a pandas that is not installed. What a column cannot hold is an error.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from math import isfinite
from typing import Any

import duckdb

from .tables import TABLES

_MOST = 2**20  # characters of JSON a statement; bounds the memory
_encode = json.JSONEncoder(default=str, separators=(",", ":")).encode


def insert_rows(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]
) -> None:
    """Insert rows, each with all columns of the table.

    Args:
        connection: The store, within a transaction.
        table: One of `TABLES`.
        rows: Values by column; times as UTC without a zone, JSON as text.

    Raises:
        duckdb.Error: If a column cannot hold a value.
    """
    names = tuple(_types_of(table))
    listed = ", ".join(f"r.{name}" for name in names)
    insert = f"insert into store.main.{table} ({', '.join(names)})"
    query = f"select {listed} from {_given(table, names)}"  # noqa: S608
    _write(connection, f"{insert} {query}", rows)


def update_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    key: str,
    rows: Iterable[Mapping[str, Any]],
) -> None:
    """Set some columns of rows that are there.

    Args:
        connection: The store, within a transaction.
        table: One of `TABLES`.
        key: The column by which a row is found.
        rows: Values by column, the key among them.

    Raises:
        duckdb.Error: If a column cannot hold a value.
    """
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(row), []).append(row)
    for names, some in alike.items():
        assigned = ", ".join(f"{name} = n.{name}" for name in names if name != key)
        given = f"(select r.* from {_given(table, names)}) n"  # noqa: S608
        update = f"update store.main.{table} set {assigned} from {given}"  # noqa: S608
        _write(connection, f"{update} where {table}.{key} = n.{key}", some)


def delete_rows(
    connection: duckdb.DuckDBPyConnection, table: str, key: str, values: Iterable[str]
) -> None:
    """Delete all rows in which a column has one of some values."""
    rows = [{key: value} for value in values]
    given = f"(select r.{key} from {_given(table, (key,))})"  # noqa: S608
    _write(connection, f"delete from store.main.{table} where {key} in {given}", rows)  # noqa: S608


@cache
def _types_of(table: str) -> dict[str, str]:
    columns = (column.split(" ") for column in TABLES[table].split(", "))
    # DuckDB lists a primary key behind the columns, as one more of them.
    return {name: kind for name, kind, *_ in columns if name != "PRIMARY"}


def _given(table: str, names: tuple[str, ...]) -> str:
    types = _types_of(table)
    shape = json.dumps([{name: _as_json(types[name]) for name in names}])
    # The strict one: the other makes NULL of what a column cannot hold.
    return f"(select unnest(json_transform_strict(?, '{shape}')) as r)"


def _as_json(kind: str) -> Any:
    if kind.endswith("[]"):
        return [kind.removesuffix("[]")]
    return "VARCHAR" if kind == "JSON" else kind


def _write(
    connection: duckdb.DuckDBPyConnection, statement: str, rows: Iterable[Mapping[str, Any]]
) -> None:
    for text in _texts(rows):
        connection.execute(statement, [text])


def _texts(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """JSON lists of the rows, each of a bounded length."""
    listed: list[str] = []
    length = 0
    for row in rows:
        text = _encode(row)
        # One search of the text costs less than a look at each value. A text that only says
        # so is encoded twice, and is the same.
        if "NaN" in text or "Infinity" in text:
            text = _encode({name: _plain(value) for name, value in row.items()})
        if listed and length + len(text) > _MOST:
            yield f"[{','.join(listed)}]"
            listed, length = [], 0
        listed.append(text)
        length += len(text)
    if listed:
        yield f"[{','.join(listed)}]"


def _plain(value: Any) -> Any:
    # JSON has no form for an infinity; DuckDB takes it as a text.
    is_odd = isinstance(value, float) and not isfinite(value)
    return str(value) if is_odd else value
