"""DuckDB's parse of a query, and which of a store's tables and views it names."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from stepwell.store.schema.tables import TABLES, VIEWS

_NAMES = TABLES.keys() | VIEWS.keys()
_OVER = {
    view: set(re.findall(r"\b(?:from|join) (\w+)", query)) & _NAMES
    for view, query in VIEWS.items()
}
_LISTS = re.compile("duckdb_|information_schema|pg_|sqlite_|pragma_|show_ref|regclass")
"""What lists, or looks up, all tables and views that there are."""


class Parse(NamedTuple):
    """A query, as DuckDB's parser reads it.

    Attributes:
        text: What DuckDB says of it, as JSON.
        tree: The same, read.
    """

    text: str
    tree: dict[str, Any]

    def parts(self) -> Iterator[dict[str, Any]]:
        """All nodes, and whatever else has names for what it consists of."""
        parts: list[Any] = [self.tree]
        while parts:
            part = parts.pop()
            if isinstance(part, list):
                parts += part
            elif isinstance(part, dict):
                parts += part.values()
                yield part

    def names(self) -> set[str]:
        """The tables and views that have to be there to run it: rather more than fewer.

        They are all whose names are anywhere in it, and those that their views are over.
        Where it names another table, this may be a list of all tables, or a slip which
        DuckDB answers with names that there are.
        """
        text = self.text.lower()
        tables, own = set(), set()
        for part in self.parts():
            if part.get("type") == "BASE_TABLE":
                tables.add(str(part.get("table_name")).lower())
            if isinstance(part.get("key"), str):  # of a query before, by WITH
                own.add(part["key"].lower())
        if tables - own - _NAMES or _LISTS.search(text):
            return {*_NAMES}
        found = {name for name in _NAMES if name in text}
        for view, over in reversed(_OVER.items()):
            found |= over if view in found else set()
        return found
