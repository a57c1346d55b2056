"""How a query's answer travels from its process to the one that asked.

The answer is a row of frames: a head, which is a small pickle, and buffers as they are.
`answer_frames` makes them.
"""

from __future__ import annotations

import marshal
import os
import pickle
import struct
from typing import TYPE_CHECKING, Any

from stepwell.store.values.sql_result import EXACT, SqlResult

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH = struct.Struct("<I")
STATUS = struct.Struct("<i")
WAITS = 1002
"""In a status' place: the query's process is there, and has not begun with it before."""


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


def packed(head: tuple[Any, ...], buffers: list[Any]) -> list[Any]:
    """A frame: what to write, one behind the other."""
    sizes = [memoryview(buffer).nbytes for buffer in buffers]
    return [dumped((*head, sizes)), *buffers]


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
    rows: list[tuple[Any, ...]] = []
    pieces: list[list[Any]] | None = None
    while True:
        (length,) = LENGTH.unpack(read(LENGTH.size))
        kind, *about, sizes = loaded(read(length))
        buffers = [read(size) for size in sizes]
        if kind == "head":
            columns, types, are_arrays = about
            pieces = [[] for _ in columns] if are_arrays else None
        elif kind == "rows":
            rows += loaded(buffers[0])
        elif kind == "arrays":
            data = iter(buffers)
            for place, (form, has_missing) in enumerate(about[0]):
                piece = _piece(form, types[place], next(data))
                missing = next(data) if has_missing else None
                (pieces or [])[place].append((piece, missing))
        elif kind == "error":
            # Past `__init__`, which makes its message of other arguments; the message is
            # there already.
            raise about[0].__new__(about[0], about[1])
        else:
            break
    if pieces is not None:
        arrays = [_joined(*column) for column in zip(pieces, types, strict=True)]
        return SqlResult(columns, types, arrays=arrays)
    is_cut = limit is not None and len(rows) > limit
    return SqlResult(columns, types, rows=rows[:limit], is_cut=is_cut)


def _piece(form: str | list[str], kind: str, data: bytearray) -> Any:
    import numpy as np  # noqa: PLC0415 (loaded where there are arrays)

    if form == "plain":
        return np.frombuffer(data, EXACT[kind]) if data else np.empty(0, EXACT[kind])
    texts: list[Any]
    if form == "texts":
        texts = data[:-1].decode().split("\0") if data else []
    else:
        texts = marshal.loads(data) if form == "objects" else list(form)
    if kind == "UUID":
        from uuid import UUID  # noqa: PLC0415 (where there are any)

        texts = [UUID(text) if text else None for text in texts]
    values = np.fromiter(texts, object, len(texts))
    return values[np.frombuffer(data, np.uint8)] if isinstance(form, list) else values


def _joined(pieces: list[tuple[Any, bytearray | None]], kind: str) -> Any:
    """A whole column, masked where values are missing."""
    import numpy as np  # noqa: PLC0415 (loaded where there are arrays)

    if not pieces:
        return np.empty(0, EXACT.get(kind, object))
    whole = pieces[0][0] if len(pieces) == 1 else np.concatenate([p for p, _ in pieces])
    if all(missing is None for _, missing in pieces):
        return whole
    masks = [
        np.zeros(len(values), bool) if missing is None else np.frombuffer(missing, bool)
        for values, missing in pieces
    ]
    mask = np.concatenate(masks)
    if kind in EXACT:
        return np.ma.masked_array(whole, mask)
    whole[mask] = None
    return whole
