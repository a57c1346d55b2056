"""Values that are tables: how they become rows and data frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd  # pyright: ignore[reportMissingImports] (optional)
    from numpy.typing import NDArray


class Table:
    """Columns of equal length. What derives from it says which."""

    __slots__ = ()

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """The columns by name, each with one value a row."""
        raise NotImplementedError

    def __len__(self) -> int:
        columns = self.columns()
        return len(next(iter(columns.values()))) if columns else 0

    def rows(self) -> list[dict[str, Any]]:
        """A dict of plain Python values a row."""
        columns = self.columns()
        lists = [column.tolist() for column in columns.values()]
        return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]

    def to_pandas(self) -> pd.DataFrame:
        """The table as a data frame.

        Raises:
            ImportError: If pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: pip install pandas") from error
        return pd.DataFrame(dict(self.columns()), copy=True)


class RowTable(Table):
    """A table that is made of rows, and has its columns when one is asked for.

    Who reads the rows alone need not wait for numpy, which takes longer than a question.
    """

    __slots__ = ("_late",)
    _late: tuple[list[tuple[Any, ...]], Mapping[str, str]] | None

    def hold_rows(self, rows: list[tuple[Any, ...]], kinds: Mapping[str, str]) -> None:
        """Have columns of some rows.

        Args:
            rows: Plain Python values.
            kinds: Each column's name, with numpy's name of its kind.
        """
        object.__setattr__(self, "_late", (rows, kinds))

    if not TYPE_CHECKING:  # which knows the columns as they are declared

        def __getattr__(self, name: str) -> Any:
            late = None if name == "_late" else getattr(self, "_late", None)
            if late is not None and name in late[1]:
                rows, kinds = late
                for place, (column, kind) in enumerate(kinds.items()):
                    values = _column([row[place] for row in rows], kind)
                    object.__setattr__(self, column, values)
                object.__setattr__(self, "_late", None)  # the columns may be written to
            return object.__getattribute__(self, name)

    def __len__(self) -> int:
        late = getattr(self, "_late", None)
        return super().__len__() if late is None else len(late[0])

    def rows(self) -> list[dict[str, Any]]:
        """A dict of plain Python values a row."""
        late = getattr(self, "_late", None)
        if late is None:
            return super().rows()
        return [dict(zip(late[1], row, strict=True)) for row in late[0]]


def numbers_of(names: Iterable[str], known: Iterable[str]) -> NDArray[np.intp]:
    """Which of the known texts each one is; numpy's own texts end before a NUL."""
    import numpy as np  # noqa: PLC0415 (not needed for plain rows)

    numbers = {name: number for number, name in enumerate(known)}
    return np.array([numbers[name] for name in names], np.intp)


def texts(values: Any) -> NDArray[np.object_]:
    """An array of Python objects, whatever they are."""
    import numpy as np  # noqa: PLC0415 (not needed for plain rows)

    listed = list(values)
    array = np.empty(len(listed), object)
    array[:] = listed
    return array


def _column(values: list[Any], kind: str) -> NDArray[Any]:
    import numpy as np  # noqa: PLC0415 (not needed for plain rows)

    return texts(values) if kind == "object" else np.array(values, kind)
