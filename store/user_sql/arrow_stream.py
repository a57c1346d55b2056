"""Columns of a query as DuckDB's own memory has them, by Arrow's C interface.

It needs no Arrow library, and makes no Python object of a value.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import numpy as np

from stepwell.store.values.sql_result import EXACT, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class _Array(ctypes.Structure):
    """`ArrowArray`."""


_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]


class _Stream(ctypes.Structure):
    """`ArrowArrayStream`."""


_Stream._fields_ = [
    ("get_schema", ctypes.c_void_p),
    (
        "get_next",
        ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array)),
    ),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]

_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype = ctypes.c_void_p
_pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Column(NamedTuple):
    """A piece of a column.

    Attributes:
        values: Numbers; of texts their bytes one behind the other.
        ends: Where each text ends; None for numbers.
        missing: Where there is no value; None where there is always one.
    """

    values: NDArray[Any]
    ends: NDArray[np.int32] | None
    missing: NDArray[np.bool_] | None


def read_columns(
    relation: duckdb.DuckDBPyRelation, types: tuple[str, ...]
) -> Iterator[list[Column]]:
    """The columns of a query, piece by piece; what is given is valid until the next.

    Args:
        relation: The query.
        types: Of its columns, all of them in `EXACT` or `TEXTS`.

    Raises:
        duckdb.Error: If the query fails.
    """
    # Held for as long as the stream is read: the capsule's end releases the stream.
    capsule: Any = relation.__arrow_c_stream__()
    pointer = _pointer_of(capsule, b"arrow_array_stream")
    stream = ctypes.cast(pointer, ctypes.POINTER(_Stream))
    while True:
        batch = _Array()
        if stream.contents.get_next(stream, ctypes.byref(batch)):
            said = stream.contents.get_last_error(stream) or b"it gives no reason"
            raise duckdb.Error(said.decode(errors="replace"))
        # A released array in place of a piece is Arrow's sign for the end of a stream.
        if not batch.release:
            return
        try:
            pieces = [batch.children[place].contents for place in range(len(types))]
            yield [_column(piece, kind) for piece, kind in zip(pieces, types, strict=True)]
        finally:
            batch.release(ctypes.byref(batch))


def _column(piece: _Array, kind: str) -> Column:
    count, first = piece.length, piece.offset
    missing = None
    # A count of -1 means that nobody has counted, and no bitmap that nothing is missing.
    if piece.null_count and piece.buffers[0]:
        missing = ~_bits(piece.buffers[0], first, count)
    if kind == "BOOLEAN":
        return Column(_bits(piece.buffers[1], first, count), None, missing)
    if kind not in TEXTS:
        form = np.dtype(EXACT[kind])
        start = piece.buffers[1] + first * form.itemsize if count else None
        return Column(_memory(start, count, form), None, missing)
    start = piece.buffers[1] + first * 4 if count else None
    offsets = _memory(start, count + 1 if count else 0, np.dtype(np.int32))
    if not count:
        return Column(np.empty(0, np.uint8), offsets, missing)
    begin, end = int(offsets[0]), int(offsets[-1])
    data = _memory((piece.buffers[2] or 0) + begin, end - begin, np.dtype(np.uint8))
    return Column(data, offsets[1:] - begin, missing)


def _bits(address: int, first: int, count: int) -> NDArray[np.bool_]:
    packed = _memory(address, (first + count + 7) // 8, np.dtype(np.uint8))
    bits = np.unpackbits(packed, bitorder="little", count=first + count)
    return bits[first:].view(np.bool_)


def _memory(address: int | None, count: int, form: np.dtype[Any]) -> NDArray[Any]:
    if not count:
        return np.empty(0, form)
    size = count * form.itemsize
    data: Any = (ctypes.c_uint8 * size).from_address(address or 0)
    return np.frombuffer(data, form)
