"""What a user's query gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb
    import numpy as np
    import pandas as pd  # pyright: ignore[reportMissingImports] (optional)
    from numpy.typing import NDArray

_EXACT = set(
    (
        "BOOLEAN TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT"
        " DOUBLE VARCHAR TIMESTAMP"
    ).split()
)
"""Types that numpy holds exactly; results of other types are kept as Python values."""

_ROWS_AT_A_TIME = 10_000


class SqlResult:
    """Rows and columns of a query, fetched whole.

    Attributes:
        columns: Names of the columns, in order.
        types: DuckDB's name of each column's type.
    """

    def __init__(
        self,
        columns: tuple[str, ...],
        types: tuple[str, ...],
        *,
        arrays: list[Any] | None = None,
        rows: list[tuple[Any, ...]] | None = None,
    ) -> None:
        self.columns = columns
        self.types = types
        self._arrays = arrays
        self._rows = rows
        self._next = 0

    @classmethod
    def fetch(
        cls, connection: duckdb.DuckDBPyConnection, is_overdue: Callable[[], bool]
    ) -> Self:
        """Take the whole result of the statement that *connection* has just run.

        Args:
            connection: DuckDB.
            is_overdue: Asked now and then; when it says yes, the rest is left.
        """
        description = connection.description or []
        columns = tuple(str(column[0]) for column in description)
        types = tuple(str(column[1]) for column in description)
        different = {name.lower() for name in columns}  # as DuckDB tells names apart
        if set(types) <= _EXACT and len(different) == len(columns) > 0:
            found = connection.fetchnumpy()
            return cls(columns, types, arrays=[found[name] for name in columns])
        rows: list[tuple[Any, ...]] = []
        while not is_overdue() and (more := connection.fetchmany(_ROWS_AT_A_TIME)):
            rows += more
        return cls(columns, types, rows=rows)

    def __len__(self) -> int:
        if self._rows is None:
            return len(self._arrays[0]) if self._arrays else 0
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<SqlResult {len(self)} rows of {', '.join(self.columns)}>"

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows, as tuples of Python values; None for NULL."""
        if self._rows is None:
            lists = [array.tolist() for array in self._arrays or []]
            self._rows = list(zip(*lists, strict=True))
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, from the first on; None behind the last."""
        rows = self.fetchall()
        if self._next >= len(rows):
            return None
        self._next += 1
        return rows[self._next - 1]

    def to_numpy(self) -> dict[str, NDArray[np.generic]]:
        """The columns as arrays, masked where a value is NULL."""
        if self._arrays is None:
            rows = self._rows or []
            self._arrays = [
                _column([row[place] for row in rows]) for place in range(len(self.columns))
            ]
        return dict(zip(self.columns, self._arrays, strict=True))

    def to_pandas(self) -> pd.DataFrame:
        """The result as a data frame.

        Raises:
            ImportError: If pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: pip install pandas") from error
        return pd.DataFrame(self.fetchall(), columns=list(self.columns))


def _column(values: list[Any]) -> Any:
    import numpy as np  # noqa: PLC0415 (not needed for plain rows)

    known = [value for value in values if value is not None]
    numeric = known and all(type(value) in {int, float, bool} for value in known)
    if not numeric:
        array = np.empty(len(values), object)
        array[:] = values
        return array
    missing = [value is None for value in values]
    filled = np.array([known[0] if value is None else value for value in values])
    return np.ma.masked_array(filled, missing) if any(missing) else filled
