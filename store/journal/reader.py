"""Reading journals: from bytes to what a fold inserts."""

import json
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepwell.store.files.owners import Owners, open_ours

from .crc32_columns import count_whole
from .format import (
    CHANGED,
    CONTINUED,
    FINISHED,
    LARGEST,
    MAGIC,
    NAMES,
    OVERHEAD,
    POINTS,
    POINTS_OVERHEAD,
    STARTED,
    unpack_frame,
    unpack_number,
    whole_record,
)

# It looks ahead and takes nothing: it finds frames at each byte, also within a false one.
FRAME = re.compile(rb"(?s)(?=....[\x01-\x1f]\0\0\0)")  # how a record may begin
_AT_A_TIME = 1 << 22  # bytes; bounds the memory
_COLUMNS = 4 + 8 + 8  # number, step and time before the doubles
_FRAME_BYTES = 8
_FEWEST = 16  # records of one length that are worth reading as a table
_MOST_PATIENCE = 64  # records read one by one before a table is looked for again


@dataclass(slots=True)
class PointsBlock:
    """Points of as many names a call.

    Attributes:
        numbers: uint32, what stands for each call's names, n values.
        steps: int64, n values.
        times: int64 nanoseconds since 1970, n values.
        values: float64 of shape (n, names a call).
    """

    numbers: NDArray[np.uint32]
    steps: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(slots=True)
class Piece:
    """What a stretch of a journal holds.

    Attributes:
        stop: Offset of the first byte that was not understood, or the end.
        is_last: Whether no whole record stands behind it, for now or for good.
        names: Tuples of names declared here, by number.
        blocks: The points.
        started: Metadata of a run's start, if one is here.
        changes: Changed fields of the run's metadata, in order.
        finished: The end, if it is here.
        continued: In whose journal the run goes on, if that is said here.
    """

    stop: int
    is_last: bool = True
    names: dict[int, tuple[str, ...]] = field(default_factory=dict)
    blocks: list[PointsBlock] = field(default_factory=list)
    started: dict[str, Any] | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    finished: dict[str, Any] | None = None
    continued: dict[str, Any] | None = None


def read_piece(path: Path, offset: int, most: int, owners: Owners | None = None) -> Piece:
    """Read whole records from *offset* on, *most* bytes at a time at most.

    A record larger than *most* is read whole all the same.

    Args:
        path: The file.
        offset: Where a record begins.
        most: How many bytes to read.
        owners: Whose files count in its folder; looked for when absent.

    Raises:
        OSError: If the file cannot be read.
    """
    with open_ours(path, owners) as file:
        file.seek(offset)
        data = file.read(max(most, OVERHEAD))
        if len(data) >= OVERHEAD:
            length = unpack_frame(data)[0]
            if len(data) < length <= LARGEST:
                data += file.read(length - len(data))
        # Asked together with the bytes: what its writer appends from here on is another
        # fold's.
        at_end = not file.read(1)
    piece = parse(data, offset)
    piece.is_last = at_end or piece.stop == offset
    return piece


def has_record_at(path: Path, offset: int, owners: Owners | None = None) -> bool:
    """Whether a whole record stands at *offset*; not where the file cannot be read.

    Args:
        path: The file.
        offset: Where one would begin.
        owners: Whose files count in its folder; looked for when absent.
    """
    try:
        return read_piece(path, offset, OVERHEAD, owners).stop > offset
    except OSError:  # removed by hand, or not to be read just now
        return False


def names_between(
    path: Path, start: int, stop: int, owners: Owners | None = None
) -> dict[int, tuple[str, ...]]:
    """The names that a stretch of a journal declares, by number.

    Args:
        path: The file.
        start: Where a record begins.
        stop: Where the last one ends.
        owners: Whose files count in its folder; looked for when absent.

    Raises:
        OSError: If the file cannot be read.
    """
    names: dict[int, tuple[str, ...]] = {}
    while start < stop:
        piece = read_piece(path, start, min(_AT_A_TIME, stop - start), owners)
        if piece.stop == start:
            break
        names |= piece.names
        start = piece.stop
    return names


def is_cut_record(data: bytes) -> bool:
    """Whether *data* is empty or the beginning of one record, with no whole one behind."""
    if len(data) < OVERHEAD:
        return True
    view = memoryview(data)
    # All of the record was written, and is not right: that is damage, and no torn end.
    if unpack_frame(view)[0] <= len(data):
        return False
    return not any(whole_record(view, found.start()) for found in FRAME.finditer(data))


def parse(data: bytes, base: int = 0) -> Piece:
    """Understand the whole records at the beginning of *data*; never raises.

    Args:
        data: Bytes of a journal, beginning with a record.
        base: Offset of *data* in the journal.
    """
    piece = Piece(stop=base)
    view, buffer = memoryview(data), np.frombuffer(data, np.uint8)
    single: dict[int, list[int]] = {}
    # At the beginning of a file the header comes first, and is passed over as a record of
    # no kind that matters here.
    offset = len(MAGIC) if data[: len(MAGIC)] == MAGIC else 0
    patience, next_patience = 0, 1
    while True:
        patience -= 1
        # A look for a table costs more than a record. Where names change with each call,
        # none is found, and looks become rare, until one finds a table again.
        rows = _stretch(view, buffer, offset) if patience < 0 else None
        if rows is not None:
            piece.blocks.append(_block(rows[:, _FRAME_BYTES:-4]))
            offset += rows.size
            next_patience = 1
        else:
            record = whole_record(view, offset)
            if record is None:
                break
            kind, start, stop = record
            doubles, rest = divmod(stop - start - _COLUMNS, 8)
            if kind == POINTS and rest == 0 < doubles:
                # Records of one length make one block, whatever stood between them: each
                # point has its step and time, and no question depends on the order of rows.
                single.setdefault(stop - start, []).append(start)
            elif not _understand(piece, kind, data[start:stop]):
                break
            offset = stop + 4
            if patience < 0:
                patience = next_patience
                next_patience = min(2 * next_patience, _MOST_PATIENCE)
        piece.stop = base + offset
    for length, starts in single.items():
        places = np.array(starts)[:, None] + np.arange(length)
        piece.blocks.append(_block(buffer[places]))
    return piece


def _stretch(
    view: memoryview, buffer: NDArray[np.uint8], offset: int
) -> NDArray[np.uint8] | None:
    """Whole records of points of one length from *offset* on, a record a row.

    None where there are too few of them to be worth the trouble.
    """
    if offset + OVERHEAD > len(view):
        return None
    length, kind = unpack_frame(view, offset)
    if kind != POINTS or length <= POINTS_OVERHEAD or (length - POINTS_OVERHEAD) % 8:
        return None
    # No row may reach behind the buffer, which `as_strided` does not look at.
    most = (len(view) - offset) // length
    if most < _FEWEST:
        return None
    shape, strides = (most, length), (length, 1)
    rows = np.lib.stride_tricks.as_strided(buffer[offset:], shape, strides)
    count = 0
    window = _FEWEST
    while count < most:
        part = rows[count : count + window]
        alike = (part[:, :_FRAME_BYTES] == rows[0, :_FRAME_BYTES]).all(axis=1)
        if not alike.all():
            count += int(np.argmin(alike))
            break
        count += len(part)
        # So a long table is compared in few steps, and a short one at little cost.
        window *= 8
    if count < _FEWEST:
        return None
    count = count_whole(rows[:count])
    return rows[:count] if count else None


def _understand(piece: Piece, kind: int, payload: bytes) -> bool:
    try:
        if kind == NAMES:
            names = tuple(map(str, _from_json(payload[4:])))
            piece.names[unpack_number(payload)[0]] = names
        elif kind == STARTED:
            piece.started = dict(_from_json(payload))
        elif kind == CHANGED:
            piece.changes.append(dict(_from_json(payload)))
        elif kind == FINISHED:
            piece.finished = dict(_from_json(payload))
        elif kind == CONTINUED:
            piece.continued = dict(_from_json(payload))
    except (ValueError, TypeError, RecursionError, struct.error):
        # A checksum that is right says nothing of the sense: anybody can compute one.
        return False
    # A kind that is not known was added later, and is passed over. Points that come here
    # have no value, or half of one.
    return kind != POINTS


def _from_json(payload: bytes) -> Any:
    value = json.loads(payload)
    if b"\\u" in payload:
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no text
    return value


def _block(rows: NDArray[np.uint8]) -> PointsBlock:
    return PointsBlock(
        # Copied, since columns cut out of records lie apart, and at odd places.
        rows[:, :4].copy().view("<u4")[:, 0],
        rows[:, 4:12].copy().view("<i8")[:, 0],
        rows[:, 12:20].copy().view("<i8")[:, 0],
        rows[:, 20:].copy().view("<f8"),
    )
