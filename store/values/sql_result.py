"""What a user's query gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    import pandas as pd  # pyright: ignore[reportMissingImports] (optional)
    from numpy.typing import NDArray

EXACT = {
    "BOOLEAN": "?",
    "TINYINT": "i1",
    "SMALLINT": "i2",
    "INTEGER": "i4",
    "BIGINT": "i8",
    "UTINYINT": "u1",
    "USMALLINT": "u2",
    "UINTEGER": "u4",
    "UBIGINT": "u8",
    "FLOAT": "f4",
    "DOUBLE": "f8",
    "VARCHAR": "O",
    "TIMESTAMP": "M8[us]",
}
"""Types that numpy holds exactly, and how; others are kept as Python values."""

TEXTS = {"VARCHAR", "JSON", "UUID"}
"""Types that travel as texts."""


class SqlResult:
    """Rows and columns of a query, fetched whole.

    Attributes:
        columns: Names of the columns, in order.
        types: DuckDB's name of each column's type.
        is_cut: Whether there were more rows than the limit that was asked for.
        as_of: What it was found in: all until then; None for all that was recorded.
    """

    def __init__(
        self,
        columns: tuple[str, ...],
        types: tuple[str, ...],
        *,
        arrays: list[Any] | None = None,
        rows: list[tuple[Any, ...]] | None = None,
        is_cut: bool = False,
    ) -> None:
        self.columns = columns
        self.types = types
        self._arrays = arrays
        self._rows = rows
        self.is_cut = is_cut
        self.as_of: datetime | None = None
        self._next = 0

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
                _column([row[place] for row in rows], kind)
                for place, kind in enumerate(self.types)
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


def _column(values: list[Any], kind: str) -> Any:
    import numpy as np  # noqa: PLC0415 (not needed for plain rows)

    form = EXACT.get(kind)
    known = [value for value in values if value is not None]
    if form is None:
        numeric = known and all(type(value) in {int, float, bool} for value in known)
        form = np.array(known).dtype.str if numeric else None
    if form is None:
        array = np.empty(len(values), object)
        array[:] = values
        return array
    missing = [value is None for value in values]
    spare = known[0] if known else 0
    filled = np.array([spare if value is None else value for value in values], form)
    return np.ma.masked_array(filled, missing) if any(missing) else filled
