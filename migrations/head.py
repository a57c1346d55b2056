"""The statements of `head.sql`, which make a new store as the revisions would.

`python -m stepwell.migrations.head` writes them anew, after a revision is added.
"""

import re
import tempfile
from pathlib import Path
from typing import Any

from . import FILE, HEAD, upgrade

_PLAIN_NAME = re.compile(r'"([a-z_]+)"')
_VIEW = re.compile(r"\s*create view (\w+) as\b")


def statements() -> str:
    """What a new store consists of, as all revisions make it, one after the other."""
    import duckdb  # noqa: PLC0415 (slow to import)
    from sqlalchemy import event  # noqa: PLC0415 (slow to import)
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    said: dict[str, str] = {}  # views as they were written, for people to read

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if found := _VIEW.match(statement):
            # A view that a later revision makes anew comes behind those that it is over.
            said.pop(found[1], None)
            said[found[1]] = statement.strip()

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "head.duckdb"
            upgrade(database, "latest")  # which is not among the statements
            with duckdb.connect(str(database), read_only=True) as connection:
                tables = connection.execute(
                    "select sql from duckdb_tables() order by table_name"
                ).fetchall()
                views = connection.execute(
                    "select view_name from duckdb_views() where not internal"
                ).fetchall()
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    return "\n".join(
        [
            f"-- Revision {HEAD}; `python -m stepwell.migrations.head` writes this file.",
            # As either version of DuckDB would write it, of which one quotes plain names.
            *(_PLAIN_NAME.sub(r"\1", sql) for (sql,) in tables),
            *(f"{query};" for name, query in said.items() if (name,) in views),
            f"insert into alembic_version values ('{HEAD}');\n",  # noqa: S608
        ]
    )


if __name__ == "__main__":
    FILE.write_text(statements(), "utf-8")
