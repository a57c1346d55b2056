"""What an instance of DuckDB may reach, and what it has seen of a store's file.

An instance that attaches a store can open that store's own files and nothing else, and no
statement can change that. Of the file it uses the tables, each time after a look at them.
"""

import os
import time
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

import duckdb

from stepwell.migrations import FROZEN, LOGS
from stepwell.store.base.sql_literals import literal, literals
from stepwell.store.files.database_files import require_files
from stepwell.store.files.owners import JOURNALS
from stepwell.store.schema.contents import (
    Rehearsal,
    drop_views,
    make_table_views,
    make_views,
    make_views_ahead,
    tables_in,
    wrong_tables,
)
from stepwell.store.schema.tables import TABLES, VIEWS


def confine(
    connection: duckdb.DuckDBPyConnection,
    databases: Iterable[Path],
    folders: Iterable[Path],
) -> None:
    """Let an instance open some databases, and what is in some folders, and nothing else.

    What does not fit its memory goes to the first database's journals, where that can be.
    """
    named = [*databases]
    files = [f"{database}{suffix}" for database in named for suffix in ("", *LOGS)]
    spill = named[0].with_name(named[0].name + JOURNALS)
    settings: dict[str, str | list[str]] = {
        "allowed_paths": files,
        "allowed_directories": [f"{folder}/" for folder in folders],
    }
    (before,) = connection.execute("select current_setting('temp_directory')").fetchall()
    if before[0]:  # there is a limit of memory in its place
        may_write = os.access(spill, os.W_OK)
        settings["temp_directory"] = (
            f"{spill}/.{os.urandom(8).hex()}.tmp" if may_write else ""
        )
    # These first: DuckDB changes none of them once access is disabled, and nothing at all
    # once the configuration is locked.
    for name, value in settings.items():
        said = f"[{literals(value)}]" if isinstance(value, list) else literal(value)
        connection.execute(f"SET {name} = {said}")
    for setting in FROZEN:
        connection.execute(f"SET {setting}")


_NAMES = TABLES.keys() | VIEWS.keys()
_SETTLED_NS = 200_000_000
"""Since when a file must be as it is so that its times tell of the next change, too."""


class FileGuard:
    """Looks at the files of one store for whoever attaches it.

    Args:
        database: The store's database.
        reach: Further databases to be attached to the same instances, and folders.
    """

    def __init__(self, database: Path, reach: Iterable[Path] = ()) -> None:
        self._database = database
        self._reach = [*reach]
        self._confined: Any = None  # an instance
        self._with_views: Any = None  # an instance
        self._views: set[str] = set()
        self._seen: object = None
        self._tables: dict[str, str] = {}
        self._are_ours = False
        self._read: tuple[object, dict[str, Any]] = (None, {})

    def confines(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether an instance has been confined to the files."""
        return self._confined is connection

    def before(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Look at the files that are to be opened, and confine the instance to them.

        Raises:
            StoreLocationError: If a file is not to be opened.
        """
        require_files(self._database)
        if not self.confines(connection):
            folders = [path for path in self._reach if path.is_dir()]
            others = [path for path in self._reach if path not in folders]
            confine(connection, [self._database, *others], folders)
            self._confined = connection

    def with_views(
        self, new: duckdb.DuckDBPyConnection, rehearse: Rehearsal
    ) -> duckdb.DuckDBPyConnection:
        """An instance that was just made, with the views; see `make_views_ahead`."""
        make_views_ahead(new, rehearse)
        self._with_views, self._views, self._seen = new, {*_NAMES}, None
        return new

    def look(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Look at the tables of what is attached as `store`.

        Where they are not as in a store of today's revision, there are no views.
        """
        stamp = self._stamp()
        if self._read[0] != stamp:
            # A file that was changed just now may be changed again without another time,
            # and nobody would see that. What is read of it is therefore not kept.
            self._read = (stamp if _is_settled(stamp) else None, {})
        if self._are_ours and stamp == self._seen:
            return
        self._tables = tables_in(connection)
        self._are_ours = not wrong_tables(self._tables)
        if not self._are_ours:
            # Views that were made over the tables of before would be asked of these tables,
            # whatever they are. Without them a question by their names fails.
            drop_views(connection)
            self._with_views = None
        self._seen = stamp

    def make_views(
        self, connection: duckdb.DuckDBPyConnection, names: Set[str] = _NAMES
    ) -> None:
        """Make views of the tables that were looked at, where there are none yet.

        Args:
            connection: Where the store is attached.
            names: Those of `TABLES` and `VIEWS` that are needed, with all they are over.
        """
        if self._with_views is not connection:
            self._with_views, self._views = connection, set()
        if self._are_ours and (new := names - self._views):
            make_table_views(connection, new)
            make_views(connection, new)
            self._views |= new

    def tables(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """The tables of what is attached to a connection as `store`; see `tables_in`."""
        return self._tables if self._are_ours else tables_in(connection)

    def behind(self) -> None:
        """Take note of what this process has just written; the store is still locked."""
        # Rows change within a lease, and never the tables themselves: these are migrated
        # or replaced by other means. So what this process wrote needs no second look.
        if self._are_ours:
            self._seen = self._stamp()

    @property
    def read(self) -> dict[str, Any]:
        """What was read of the file as it was at the last look, to be kept as long."""
        return self._read[1]

    def read_of_now(self) -> dict[str, Any] | None:
        """What was read of the file as it is now; None where it may have changed."""
        stamp, read = self._read
        return read if stamp is not None and stamp == self._stamp() else None

    def _stamp(self) -> tuple[tuple[int, ...] | None, ...]:
        log = self._database.with_name(self._database.name + LOGS[0])
        # Another program may have committed what is in the log alone.
        return _number(self._database), _number(log)


def _is_settled(stamp: tuple[tuple[int, ...] | None, ...]) -> bool:
    """Whether whatever comes changes the files' times, which are not exact."""
    before = time.time_ns() - _SETTLED_NS
    return all(number is None or number[-1] < before for number in stamp)


def _number(path: Path) -> tuple[int, ...] | None:
    """What changes with a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    # The last one can't be set back, as the one before it can by `touch` or `cp -p`.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
