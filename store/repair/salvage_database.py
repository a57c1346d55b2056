"""Reading what can be read of a damaged database.

DuckDB keeps a checksum for each block. A table that cannot be read as a whole is read by
its row groups, then by halves of them, down to the 2,048 rows that DuckDB reads at a time.
"""

import shutil
import struct
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import duckdb

from stepwell.store.base.errors import StoreBusyError
from stepwell.store.database.attach import attach
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.duckdb_instance import roll_back
from stepwell.store.database.table_directory_backup import missing_blocks, put_blocks
from stepwell.store.files.location import Location

_GROUP = 61_440  # rows read at once, after a first failure
_VECTOR = 2048  # rows; fewer are not read by themselves
_HEADER_BYTES = 4096
_HEADERS = (4096, 8192)  # offsets of the two database headers; the later one counts
BY_COPY = "by the kept copy of its directory"
"""How a database is read whose directory was lost: all that its rows' blocks hold."""

_EARLIER = "as it was one checkpoint earlier"
_ITERATION = struct.Struct("<8xQ")  # behind the header's checksum


@dataclass(frozen=True, slots=True)
class RescuedTable:
    """What was read of one table.

    Attributes:
        name: The table.
        rows: Rows that were read.
        lost: Rows that were not.
        blanked: Rows among those read whose unreadable optional fields are NULL now.
        trouble: Why not even its rows could be counted; empty otherwise.
    """

    name: str
    rows: int
    lost: int
    blanked: int = 0
    trouble: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether everything was read."""
        return not (self.lost or self.blanked or self.trouble)


def attach_damaged(
    connection: duckdb.DuckDBPyConnection, source: Location, folder: Path
) -> str | None:
    """Attach a database as `damaged`, in the best state in which it can be opened.

    Args:
        connection: Where to.
        source: The damaged store, to which nothing is written.
        folder: Where copies of it may lie, for as long as it is attached.

    Returns:
        What had to be done for it; None where nothing had.

    Raises:
        StoreBusyError: If another program has it open.
        duckdb.Error: If it cannot be opened.
    """
    database, missing = source.database, missing_blocks(source)
    first = None
    if not missing:
        first = _try_to_attach(connection, database)
        trouble = explain(first, source) if first else None
        if isinstance(trouble, StoreBusyError):
            raise trouble from first
        if first is None:
            return None
    copy = folder / "copy.duckdb"
    shutil.copyfile(database, copy)  # without a write-ahead log, which may be the trouble
    put_blocks(copy, missing)
    states = [BY_COPY] if missing else []
    states += ["without its write-ahead log"] if _has_log(database) else []
    for state in (*states, _EARLIER):
        if state == _EARLIER and not _take_earlier_state(copy):
            break
        last = _try_to_attach(connection, copy)
        if last is None:
            return state
        first = first or last
    raise first or duckdb.IOException(f"{database} cannot be opened")


def _try_to_attach(
    connection: duckdb.DuckDBPyConnection, database: Path
) -> duckdb.Error | None:
    try:
        attach(connection, database, "damaged", "READ_ONLY")
    except duckdb.Error as error:
        return error
    return None


def _has_log(database: Path) -> bool:
    return database.with_name(database.name + ".wal").exists()


def _take_earlier_state(copy: Path) -> bool:
    """Let the earlier of a file's two database headers stand in place of the later one."""
    with copy.open("r+b") as file:
        headers = []
        for offset in _HEADERS:
            file.seek(offset)
            headers.append(file.read(_HEADER_BYTES))
        if any(len(header) < _HEADER_BYTES for header in headers):
            return False
        later = (
            headers[0] if _iteration(headers[0]) > _iteration(headers[1]) else headers[1]
        )
        place = headers.index(later)
        file.seek(_HEADERS[place])
        file.write(headers[1 - place])
    return True


def _iteration(header: bytes) -> int:
    return int(_ITERATION.unpack_from(header)[0])


def rescue_table(connection: duckdb.DuckDBPyConnection, name: str) -> RescuedTable | None:
    """Copy what can be read of a table of `damaged` into the store's; None without it."""
    query = (
        "select column_name, is_nullable from duckdb_columns() semi join duckdb_tables()"
        " using (database_name, schema_name, table_name) where database_name = ?"
        " and schema_name = 'main' and table_name = ? order by column_index"
    )
    here = dict(connection.execute(query, ["store", name]).fetchall())
    there = [row[0] for row in connection.execute(query, ["damaged", name]).fetchall()]
    columns = {column: bool(here[column]) for column in there if column in here}
    if not columns:
        return None
    return _Rescue(connection, name, columns).run()


class _Rescue:
    def __init__(
        self, connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, bool]
    ) -> None:
        self._connection = connection
        self._name = name
        self._columns = columns  # by name: whether it may be NULL
        self._blanked = 0

    def run(self) -> RescuedTable:
        table = f'damaged.main."{self._name}"'
        try:
            count = self._number(f"select count(*) from {table}")  # noqa: S608
            # Deleted rows leave gaps: row ids may go far beyond the count.
            last = self._number(f"select max(rowid) from {table}")  # noqa: S608
        except duckdb.Error as error:
            roll_back(self._connection)
            return RescuedTable(self._name, 0, 0, 0, " ".join(str(error).split()))
        if not self._copy(list(self._columns), None):
            for start in range(0, last + 1, _GROUP):
                self._copy_range(start, min(last + 1, start + _GROUP))
        rows = self._rows()
        return RescuedTable(self._name, rows, max(0, count - rows), self._blanked)

    def _rows(self) -> int:
        return self._number(f'select count(*) from store.main."{self._name}"')  # noqa: S608

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchall()[0][0] or 0)

    def _copy_range(self, start: int, stop: int) -> None:
        if self._copy(list(self._columns), (start, stop)):
            return
        if stop - start > _VECTOR:
            vectors = -(-(stop - start) // _VECTOR)
            middle = start + vectors // 2 * _VECTOR
            self._copy_range(start, middle)
            self._copy_range(middle, stop)
            return
        readable = [name for name in self._columns if self._can_read([name], start, stop)]
        needed = {name for name, optional in self._columns.items() if not optional}
        before = self._rows()
        if needed <= set(readable) and self._copy(readable, (start, stop)):
            self._blanked += self._rows() - before
        else:
            self._copy_ends(start, stop)

    def _copy_ends(self, start: int, stop: int) -> None:
        """Copy what can be read at either end of rows that two row groups share."""
        rows, columns = range(start, stop), list(self._columns)
        if self._can_read(columns, start, start + 1):
            # A range can be read up to the first damaged block, and no longer one can:
            # halving finds it.
            good = bisect_left(
                rows, True, key=lambda row: not self._can_read(columns, start, row + 1)
            )
            self._copy(columns, (start, start + good))
        elif self._can_read(columns, stop - 1, stop):
            bad = bisect_left(
                rows, True, key=lambda row: self._can_read(columns, row, stop)
            )
            self._copy(columns, (start + bad, stop))

    def _copy(self, columns: list[str], rows: tuple[int, int] | None) -> bool:
        listed = ", ".join(f'"{column}"' for column in columns)
        where = "" if rows is None else f"where rowid >= {rows[0]} and rowid < {rows[1]}"
        return self._try(
            f'insert into store.main."{self._name}" ({listed})'  # noqa: S608
            f' select {listed} from damaged.main."{self._name}" {where}'
        )

    def _can_read(self, columns: list[str], start: int, stop: int) -> bool:
        listed = ", ".join(f'"{column}"' for column in columns)
        return self._try(
            # The hash makes DuckDB read each value; a mere count is known without any
            # block.
            f'select count(hash({listed})) from damaged.main."{self._name}"'  # noqa: S608
            f" where rowid >= {start} and rowid < {stop}"
        )

    def _try(self, statement: str) -> bool:
        try:
            self._connection.execute(statement).fetchall()
        except duckdb.Error:
            roll_back(self._connection)
            return False
        return True
