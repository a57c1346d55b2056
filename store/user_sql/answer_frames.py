"""What a query gave, as the frames that `wire_format` sends."""

from __future__ import annotations

import marshal
import pickle
from typing import TYPE_CHECKING, Any

from stepwell.store.base.errors import QueryError, StepwellError
from stepwell.store.values.sql_result import EXACT, TEXTS

from .wire_format import packed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    from .arrow_stream import Column

END = packed(("end",), [])
_ROWS_AT_A_TIME = 10_000
_MOST_BYTES = 2 * 2**30
_MOST_COLUMNS = 64  # as arrays: DuckDB makes each of them room for a million values
_BYTES_OF_A_VALUE = 64  # of a Python object, about


def frame_of_error(error: StepwellError) -> list[Any]:
    """A frame that says why there is no answer, or no more of it."""
    return packed(("error", type(error), str(error)), [])


def frames_of_arrays(relation: duckdb.DuckDBPyRelation) -> Iterator[list[Any]] | None:
    """The result of a query as arrays; None where Python's own values are needed.

    Raises:
        QueryError: If it is too large to be handed over; as it is iterated over.
        duckdb.Error: If the query fails.
    """
    columns = tuple(relation.columns)
    types = tuple(str(kind) for kind in relation.types)
    different = {name.lower() for name in columns}  # as DuckDB tells names apart
    is_exact = set(types) <= EXACT.keys() | TEXTS and len(different) == len(columns) > 0
    is_narrow = len(columns) <= _MOST_COLUMNS
    return _arrays(relation, columns, types) if is_exact and is_narrow else None


def _arrays(
    relation: duckdb.DuckDBPyRelation, columns: tuple[str, ...], types: tuple[str, ...]
) -> Iterator[list[Any]]:
    from .arrow_stream import read_columns  # noqa: PLC0415 (loads numpy)

    yield packed(("head", columns, types, True), [])
    size = 0
    for found in read_columns(relation, types):
        forms: list[tuple[Any, bool]] = []
        buffers: list[Any] = []
        for column in found:
            form, data = _packed_values(column)
            forms.append((form, column.missing is not None))
            buffers.append(data)
            if column.missing is not None:
                buffers.append(column.missing.view("u1"))
            size += data.nbytes + _BYTES_OF_A_VALUE * _texts_in(column)
        _check_size(size)
        yield packed(("arrays", forms), buffers)


def _texts_in(column: Column) -> int:
    return 0 if column.ends is None else len(column.ends)


def _packed_values(column: Column) -> tuple[Any, NDArray[np.uint8]]:
    """Numbers as they are; of texts numbers and the texts, where they are few.

    Others have a NUL behind each, or, where there are NULs in them, are objects.
    """
    import numpy as np  # noqa: PLC0415 (loaded by now)

    from .dictionary_codes import coded  # noqa: PLC0415 (loads numpy)

    values, ends = column.values, column.ends
    if ends is None:
        return "plain", values.view(np.uint8)
    found = coded(values, ends)
    if found is not None:
        codes, texts = found
        return texts, codes
    # False as soon as there is a zero byte, which is a NUL within some text.
    if values.all():
        spaced = np.zeros(len(values) + len(ends), np.uint8)
        is_text = np.ones(len(spaced), bool)
        # The NULs of the texts before it move each end further, by its number.
        is_text[ends + np.arange(len(ends))] = False
        spaced[is_text] = values
        return "texts", spaced
    starts, data = [0, *ends[:-1].tolist()], values.tobytes()
    each = [data[a:b].decode() for a, b in zip(starts, ends.tolist(), strict=True)]
    return "objects", np.frombuffer(marshal.dumps(each, 2), np.uint8)


def frames_of_rows(
    connection: duckdb.DuckDBPyConnection, limit: int | None
) -> Iterator[list[Any]]:
    """The result of what *connection* has just run, as rows; *limit* and one at most.

    Raises:
        QueryError: If it is too large to be handed over.
        duckdb.Error: If the query fails.
    """
    description = connection.description or []
    columns = tuple(str(column[0]) for column in description)
    types = tuple(str(column[1]) for column in description)
    yield packed(("head", columns, types, False), [])
    size, left = 0, None if limit is None else limit + 1
    while left != 0:
        wanted = _ROWS_AT_A_TIME if left is None else min(_ROWS_AT_A_TIME, left)
        rows = connection.fetchmany(wanted)
        if not rows:
            return
        left = None if left is None else left - len(rows)
        data = pickle.dumps(rows, 5)
        size += len(data) + len(rows) * len(rows[0]) * _BYTES_OF_A_VALUE
        _check_size(size)
        yield packed(("rows",), [data])


def _check_size(size: int) -> None:
    if size > _MOST_BYTES:
        raise QueryError(
            f"the result is larger than {_MOST_BYTES / 1e9:.1f} GB; narrow the query, or"
            " give a limit"
        )
