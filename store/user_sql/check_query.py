"""What a user's query may be: one SELECT, as DuckDB's own parser reads it."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any, NamedTuple

import duckdb

from stepwell.store.base.errors import QueryError

from .parse_query import Parse

_TREE = "select json_serialize_sql(?::varchar, skip_null := true, skip_empty := true)"
_TABLE_ONLY = """
    select function_name from duckdb_functions()
    where function_name in (select unnest(?::varchar[])) and internal
    group by function_name
    having bool_and(function_type in ('table', 'table_macro', 'pragma'))
"""
# Lists of what is allowed, not of what is refused: what a new DuckDB can do besides stays
# refused until somebody has looked at it.
_NODES = set(
    "SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE"
    " BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY PIVOT SHOW_REF"
    " ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER"
    " ORDER_DEFAULT ASCENDING DESCENDING".split()
)
_TABLE_FUNCTIONS = set(
    "range generate_series unnest repeat repeat_row json_each json_tree"
    " histogram histogram_values duckdb_columns duckdb_constraints duckdb_databases"
    " duckdb_functions duckdb_indexes duckdb_keywords duckdb_schemas duckdb_settings"
    " duckdb_tables duckdb_types duckdb_views icu_calendar_names"
    " pg_timezone_names".split()
)
# Ordinary functions are let through, as nearly all of them only compute; these do more.
_REFUSED_FUNCTIONS = set(
    "write_log nextval currval setval getenv json_serialize_plan".split()
)
_EXPLAIN_WORDS = {"ANALYZE", "ANALYSE", "VERBOSE"}
_WORD = re.compile(rb"\w+|'\w+'|\S")
_BEHIND_PIVOTED = set(", ) ; USING GROUP ORDER LIMIT OFFSET UNION EXCEPT INTERSECT".split())
_ONLY = "a query can only read (SELECT, EXPLAIN, DESCRIBE)"


class Checked(NamedTuple):
    """A query that does nothing but read.

    Attributes:
        statements: What to run. There are several where DuckDB expands a PIVOT without
            values: it first makes a temporary type of the values that there are.
        names: Tables and views of the store that have to be there.
    """

    statements: list[Any]
    names: set[str]


def check(connection: duckdb.DuckDBPyConnection, query: str) -> Checked:
    """See that a query does nothing but read.

    Raises:
        QueryError: If the query is anything else.
        duckdb.Error: If it is no SQL.
    """
    try:
        query.encode()
    except UnicodeEncodeError as error:
        raise QueryError("the query is not valid Unicode text") from error
    if "\0" in query:
        raise QueryError("the query has a NUL character, which ends it for DuckDB")
    statements = _one(connection, query)
    tokens = _tokens(query)
    if next((word.upper() for _, word in tokens if word != ";"), "") != "EXPLAIN":
        parse = _parse(connection, query)
        _check_parse(parse)
        return Checked(statements, parse.names())
    # EXPLAIN ANALYZE runs what it explains. What is run is put together from what was
    # checked, so that nothing depends on where the tokens are.
    options, explained, names = _explained(connection, query)
    return Checked(_one(connection, f"EXPLAIN {options}\n{explained}"), names)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    statements = connection.extract_statements(query)
    # Those that DuckDB makes of one have no text of their own.
    written = [statement for statement in statements if statement.query.strip()]
    if not statements or (written and len(statements) > 1):
        told = f"are {len(statements)}" if statements else "is none"
        raise QueryError(f"give one statement; there {told} in the query")
    return statements


def _parse(connection: duckdb.DuckDBPyConnection, query: str) -> Parse:
    """DuckDB's parse of a SELECT.

    Raises:
        QueryError: If it is something else.
    """
    found = _serialized(connection, query)
    if found is not None:
        return found
    found = _serialized(connection, _with_values(connection, query))
    if found is None:
        words = (word.upper() for _, word in _tokens(query) if word not in ";(")
        raise QueryError(f"{next(words, 'this')} is not allowed: {_ONLY}")
    _check_names(connection, found)
    return found


def _serialized(connection: duckdb.DuckDBPyConnection, query: str) -> Parse | None:
    ((text,),) = connection.execute(_TREE, [query]).fetchall()
    try:
        tree: dict[str, Any] = json.loads(text)
    except RecursionError as error:
        raise QueryError("the query is nested too deeply") from error
    is_one_select = not tree.get("error", True) and len(tree["statements"]) == 1
    return Parse(text, tree) if is_one_select else None


def _with_values(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query with a list of values for each PIVOT; DuckDB shows no tree without.

    It has all words of the query in the same order, and is never run.
    """
    tokens = list(_tokens(query))
    words = [word.upper() for _, word in tokens]
    data, starts = query.encode(), [start for start, _ in tokens]
    pieces = [data[a:b] for a, b in pairwise([0, *starts[1:], len(data)])]
    ends = [place for place, word in enumerate(words) if word in _BEHIND_PIVOTED]
    for end in [len(words), *reversed(ends)]:
        for start in _balanced_starts(words, end):
            tried = pieces.copy()
            tried[start] = b"(" + tried[start]
            tried[end - 1] += b"\n) in ('') "
            with suppress(duckdb.Error):
                connection.extract_statements(b"".join(tried).decode())
                pieces = tried
                break
    return b"".join(pieces).decode()


def _balanced_starts(words: list[str], end: int) -> Iterator[int]:
    """Where what ends at *end* may begin, so that its brackets are whole; nearest first."""
    depth = 0
    for start in range(end - 1, 0, -1):
        depth += (words[start] in ")]}") - (words[start] in "([{")
        if depth < 0:
            return
        if not depth and words[start - 1] in {"ON", ","}:
            yield start


def _explained(
    connection: duckdb.DuckDBPyConnection, query: str
) -> tuple[str, str, set[str]]:
    """The options of an EXPLAIN, the query behind them, which is checked, and its names."""
    data = query.encode()
    tokens = [token for token in _tokens(query) if token[1] != ";"]
    words = [word.upper() for _, word in tokens]
    trouble: Exception = QueryError("give a query behind EXPLAIN")
    for stop in _option_ends(words):
        options = " ".join(words[1:stop])
        explained = data[tokens[stop][0] :].decode()
        try:
            parse = _parse(connection, explained)
        except (QueryError, duckdb.Error) as error:
            trouble = error
            continue
        _check_parse(parse)
        return options, explained, parse.names()
    raise trouble


def _option_ends(words: list[str]) -> Iterator[int]:
    """Where the query behind an EXPLAIN may begin: its options are words, or a list."""
    stop = 1
    while words[stop : stop + 1] and words[stop] in _EXPLAIN_WORDS:
        stop += 1
    if stop < len(words):
        yield stop
    if words[stop : stop + 1] == ["("] and ")" in words[:-1]:
        yield words.index(")") + 1


def _tokens(query: str) -> Iterator[tuple[int, str]]:
    """Where each word and sign of a query begins, and its text; without comments."""
    data = query.encode()
    for start, kind in duckdb.tokenize(query):
        found = _WORD.match(data, start)
        if found and kind.name != "comment":
            yield start, found[0].decode(errors="replace")


def _check_parse(parse: Parse) -> None:
    for part in parse.parts():
        _check_part(part)


def _check_names(connection: duckdb.DuckDBPyConnection, parse: Parse) -> None:
    # Brackets that were put in may have made a table function look like another one.
    names = {str(part.get("function_name", "")).lower() for part in parse.parts()}
    found = connection.execute(_TABLE_ONLY, [list(names - _TABLE_FUNCTIONS)]).fetchall()
    for (name,) in found:
        raise QueryError(f"the table function {name} is not allowed in a query")


def _check_part(part: dict[str, Any]) -> None:
    kind = part.get("type")
    name = str(part.get("function_name", "")).lower()
    if name in _REFUSED_FUNCTIONS:
        raise QueryError(f"the function {name} is not allowed in a query")
    if "class" in part or not isinstance(kind, str) or kind.endswith("_TYPE_INFO"):
        return  # an expression or a type
    if kind not in _NODES:
        word = kind.removesuffix("_QUERY_NODE")
        raise QueryError(f"{word} is not allowed: {_ONLY}")
    if kind == "TABLE_FUNCTION":
        function = part.get("function", {})
        name = str(function.get("function_name", "")).lower()
        # With a schema before it, a name may mean another function, such as a macro in the
        # file.
        path = function.get("qualified_name", {}).get("path", [name])
        if name not in _TABLE_FUNCTIONS or len(path) > 1 or "schema" in function:
            raise QueryError(f"the table function {name} is not allowed in a query")
