"""How a query's answer travels from its process to the one that asked.

The answer is a row of frames: a head, which is a small pickle, and buffers as they are.
"""

from __future__ import annotations

import marshal
import os
import pickle
import struct
from typing import TYPE_CHECKING, Any

from ._errors import QueryError, StepwellError
from ._sql_result import EXACT, SqlResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

LENGTH = struct.Struct("<I")
STATUS = struct.Struct("<i")
_ROWS_AT_A_TIME = 10_000
_MOST_BYTES = 2 * 2**30
_BYTES_OF_A_VALUE = 64  # of a Python object in a row, about


def dumped(value: Any) -> bytes:
    """A value with its length before it."""
    data = pickle.dumps(value, 5)
    return LENGTH.pack(len(data)) + data


def loaded(data: bytes | bytearray) -> Any:
    """The value of `dumped`, without the length; of one's own child or parent alone."""
    return pickle.loads(data)


def write_all(descriptor: int, data: Any) -> None:
    """Write to a pipe, however often that takes.

    Raises:
        OSError: If nobody reads it.
    """
    left = memoryview(data).cast("B")
    while left:
        left = left[os.write(descriptor, left) :]


def _packed(head: tuple[Any, ...], buffers: list[Any]) -> list[Any]:
    sizes = [memoryview(buffer).nbytes for buffer in buffers]
    return [dumped((*head, sizes)), *buffers]


def frames_of_result(
    connection: duckdb.DuckDBPyConnection, limit: int | None, *, with_numpy: bool
) -> Iterator[list[Any]]:
    """The result of the statement that *connection* has just run, as frames.

    Raises:
        QueryError: If it is too large to be handed over.
        duckdb.Error: If the query fails while its rows are fetched.
    """
    description = connection.description or []
    columns = tuple(str(column[0]) for column in description)
    types = tuple(str(column[1]) for column in description)
    yield _packed(("head", columns, types), [])
    different = {name.lower() for name in columns}  # as DuckDB tells names apart
    is_exact = set(types) <= EXACT.keys() and len(different) == len(columns) > 0
    if with_numpy and is_exact and limit is None:
        found = connection.fetchnumpy()
        _check_size(sum(found[name].nbytes for name in columns))
        for name in columns:
            yield _packed(*_column(found.pop(name)))
    else:
        yield from _frames_of_rows(connection, limit)
    yield _packed(("end",), [])


def _frames_of_rows(
    connection: duckdb.DuckDBPyConnection, limit: int | None
) -> Iterator[list[Any]]:
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
        yield _packed(("rows",), [data])


def _check_size(size: int) -> None:
    if size > _MOST_BYTES:
        raise QueryError(
            f"the result is larger than {_MOST_BYTES / 1e9:.1f} GB; narrow the query, or"
            " give a limit"
        )


def _column(array: Any) -> tuple[tuple[Any, ...], list[Any]]:
    import numpy as np  # noqa: PLC0415 (loaded by now)

    values, mask = array, None
    if isinstance(array, np.ma.MaskedArray):
        values, mask = array.data, np.ma.getmaskarray(array)
    masks = [] if mask is None else [np.ascontiguousarray(mask).view(np.uint8)]
    if values.dtype != object:
        plain = np.ascontiguousarray(values)
        return ("plain", plain.dtype.str), [plain.view(np.uint8), *masks]
    texts = values.tolist()
    try:
        joined = "\0".join(texts)
        if joined.count("\0") == len(texts) - 1:
            return ("texts",), [joined.encode(), *masks]
    except TypeError:  # there are others than texts, where it is masked
        pass
    return ("objects",), [marshal.dumps(texts, 2), *masks]


def frame_of_error(error: StepwellError) -> list[Any]:
    """One frame that says why there is no answer, or no more of it."""
    return _packed(("error", type(error), str(error)), [])


def read_result(read: Callable[[int], bytearray], limit: int | None) -> SqlResult:
    """A result from its frames.

    Args:
        read: Gives so many of the next bytes.
        limit: Rows at most.

    Raises:
        StepwellError: If there is an error in the result's place.
    """
    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    arrays: list[Any] = []
    rows: list[tuple[Any, ...]] = []
    while True:
        (length,) = LENGTH.unpack(read(LENGTH.size))
        kind, *about, sizes = loaded(read(length))
        buffers = [read(size) for size in sizes]
        if kind == "head":
            columns, types = about
        elif kind == "rows":
            rows += loaded(buffers[0])
        elif kind == "error":
            raise about[0].__new__(about[0], about[1])
        elif kind == "end":
            break
        else:
            arrays.append(_array(kind, about, buffers))
    if arrays:
        return SqlResult(columns, types, arrays=arrays)
    is_cut = limit is not None and len(rows) > limit
    return SqlResult(columns, types, rows=rows[:limit], is_cut=is_cut)


def _array(kind: str, about: list[Any], buffers: list[bytearray]) -> Any:
    import numpy as np  # noqa: PLC0415 (where rows do, nobody needs it)

    data = buffers[0]
    if kind == "plain":
        array = np.frombuffer(data, about[0]) if data else np.empty(0, about[0])
    else:
        texts = data.decode().split("\0") if kind == "texts" else marshal.loads(data)
        array = np.empty(len(texts), object)
        array[:] = texts
    if len(buffers) == 1:
        return array
    mask = np.frombuffer(buffers[1], bool) if buffers[1] else np.empty(0, bool)
    return np.ma.masked_array(array, mask)
