"""The journal's format: what each byte of a journal file means.

A journal is `MAGIC` and then records. A record is, little-endian:

| bytes | what |
|---|---|
| 4 | length of the whole record, these four and the checksum included |
| 1 | kind |
| 3 | zero |
| … | payload |
| 4 | CRC-32 (as zlib's) of all bytes of the record before it |

The first record is the header. Payloads:

| kind | payload |
|---|---|
| HEADER | JSON: `Header` |
| STARTED | JSON: the run's metadata |
| NAMES | 4 bytes: number; then a JSON array: the metric names it stands for, in order |
| POINTS | 4 bytes: number of the names; 8: step; 8: nanoseconds since 1970; doubles |
| CHANGED | JSON: fields of the run's metadata that changed |
| FINISHED | JSON: `status`, `message`, `time` (nanoseconds) |
| CONTINUED | JSON: `writer`, in whose file it goes on; nothing follows |

Everything is appended by one process with one `write` a record, so a reader meets whole
records and perhaps, at the end, one that is cut.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from zlib import crc32

from stepwell.store.base.errors import StoreNewerError
from stepwell.store.base.ids import as_uuid, attempt_id_of

MAGIC = b"stepwell journal"
FORMAT = 2
SUFFIX = ".journal"

HEADER, STARTED, NAMES, POINTS, CHANGED, FINISHED, CONTINUED = range(1, 8)
KINDS = 32  # those that may be added are below

_FRAME = struct.Struct("<IB3x")
_CHECKSUM = struct.Struct("<I")
_NUMBER = struct.Struct("<I")
_POINTS_HEAD = struct.Struct("<IB3xI")

OVERHEAD = _FRAME.size + _CHECKSUM.size
POINTS_OVERHEAD = _POINTS_HEAD.size + 16 + _CHECKSUM.size  # with step and time
LARGEST = 2**31  # bytes a record; a length beyond it is damage

pack_checksum = _CHECKSUM.pack
unpack_frame = _FRAME.unpack_from
unpack_number = _NUMBER.unpack_from
unpack_checksum = _CHECKSUM.unpack_from


class Header(NamedTuple):
    """Who writes a journal, and for which run.

    Attributes:
        run_id: UUID of the run, as text.
        writer: Id of this writer, unique in the store.
        name: The run's name.
        project: The run's project.
        host: Name of the writer's machine.
        machine: Tells machines, their boots and their containers apart.
        pid: The writer's process id.
        process_started: When that process started, in clock ticks since boot (0: unknown).
        rank: Rank of the writer among the run's processes, from 0.
        attempt: Identity of the attempt at the run that it belongs to; no order.
        primary: Whether this writer's end is the run's end.
        started: When it began, in nanoseconds since 1970 (0: not known).
        follows: Identity of the attempt that had ended when this one began (0: none).
        number: What the attempt is called, from 1, as far as was known when it began.
        continues: The writer whose journal goes on in this one; empty for a first file.
        locked: Whether the writer holds a lock on the journal while it lives.
        format: Version of the journal format.
    """

    run_id: str
    writer: str
    name: str
    project: str | None
    host: str
    machine: str
    pid: int
    process_started: int
    rank: int
    attempt: int
    primary: bool
    started: int = 0
    follows: int = 0
    number: int = 1
    continues: str = ""
    locked: bool = False
    format: int = FORMAT


_FIRST_FORMAT = (*Header._fields[:11], "format")
# What the columns of the database hold, and the system's process ids. A larger number would
# fail in the midst of a fold, or in `os.kill`.
_BOUNDS = {
    "rank": 2**15,
    "attempt": 2**31,
    "follows": 2**31,
    "number": 2**31,
    "pid": 2**31,
    "process_started": 2**63,
}


def encode(kind: int, payload: bytes) -> bytes:
    """One whole record."""
    body = _FRAME.pack(OVERHEAD + len(payload), kind) + payload
    return body + pack_checksum(crc32(body))


def encode_json(kind: int, value: Any) -> bytes:
    """One whole record whose payload is JSON; what is not valid Unicode becomes `?`."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return encode(kind, text.encode(errors="replace"))


def encode_header(header: Header) -> bytes:
    """The first bytes of a journal."""
    return MAGIC + encode_json(HEADER, header._replace(format=FORMAT)._asdict())


def encode_names(number: int, names: tuple[str, ...]) -> bytes:
    """The record that lets *number* stand for *names*."""
    listed = json.dumps(names, separators=(",", ":")).encode()
    return encode(NAMES, _NUMBER.pack(number) + listed)


class PointsShape:
    """How the points of one tuple of names are packed.

    Attributes:
        number: The number declared for the names.
        head: The first bytes of each record.
        pack: `pack(head, step, nanoseconds, *values)` gives a record without its checksum.
        seal: `seal(packed, crc32(packed))` gives the whole record.
    """

    __slots__ = ("head", "number", "pack", "seal")

    def __init__(self, number: int, names: int) -> None:
        self.number = number
        packed = struct.Struct(f"<{_POINTS_HEAD.size}sqq{names}d")
        self.head = _POINTS_HEAD.pack(packed.size + _CHECKSUM.size, POINTS, number)
        self.pack = packed.pack
        self.seal = struct.Struct(f"<{packed.size}sI").pack

    def record(self, step: int, nanoseconds: int, values: Iterable[float]) -> bytes:
        """One whole record; the hot path does the same without a call."""
        packed = self.pack(self.head, step, nanoseconds, *values)
        return self.seal(packed, crc32(packed))


def withdraw(shapes: Mapping[tuple[str, ...], PointsShape]) -> None:
    """Let shapes pack nothing more, whose numbers the file to come does not declare.

    A thread that has looked one up may wait for its turn to write just now.
    """
    for shape in shapes.values():
        shape.pack = _refuse


def _refuse(*_: object) -> bytes:
    raise struct.error("the names were declared in another file")


def journal_name(header: Header) -> str:
    """Name of a writer's journal file."""
    return f"{header.run_id}-{header.writer}{SUFFIX}"


def decode_header(data: bytes) -> tuple[Header, int]:
    """Read a journal's header.

    Returns:
        The header, and the offset of the record behind it.

    Raises:
        ValueError: If *data* does not begin with a whole header.
        StoreNewerError: If the format is newer than this code.
    """
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("not a Stepwell journal")
    record = whole_record(memoryview(data), len(MAGIC))
    if record is None or record[0] != HEADER:
        raise ValueError("the journal's header is cut or damaged")
    _, start, stop = record
    return _header(json.loads(data[start:stop])), stop + _CHECKSUM.size


def _header(values: Any) -> Header:
    if not isinstance(values, dict) or not isinstance(values.get("format"), int):
        raise ValueError("the journal's header has no format")
    # Before any other field is looked at, which a newer format may have changed.
    if values["format"] > FORMAT:
        raise StoreNewerError(
            f"a journal has format {values['format']}, and this Stepwell knows up to"
            f" {FORMAT}; update stepwell"
        )
    if values["format"] <= 1:
        if values.keys() != set(_FIRST_FORMAT):
            raise ValueError("the journal's header has other fields")
        values = _as_of_now(values)
    # Within a format fields may be added: an older file lacks them, and of a newer one
    # those that are not known here are passed over.
    known = Header._field_defaults | values
    for name, kind in Header.__annotations__.items():
        if not _is_usable(name, known.get(name), kind):
            raise ValueError(f"the journal's header has an unusable {name}")
    if as_uuid(values["run_id"]) is None:
        raise ValueError("the journal's header has an unusable run_id")
    return Header(**{name: known[name] for name in Header._fields})


def _is_usable(name: str, value: Any, kind: Any) -> bool:
    if isinstance(value, str):
        value.encode()  # a ValueError for a lone surrogate
    bound = _BOUNDS.get(name)
    is_in_range = bound is None or (isinstance(value, int) and 0 <= value < bound)
    return isinstance(value, kind) and is_in_range


def _as_of_now(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a header of format 1, in which an attempt's number was its identity."""
    number = values["attempt"]
    if not isinstance(number, int):
        raise ValueError("the journal's header has an unusable attempt")
    run_id, writer = str(values["run_id"]), str(values["writer"])
    if as_uuid(run_id) is None:
        raise ValueError("the journal's header has an unusable run_id")
    return values | {"number": number, "attempt": attempt_id_of(run_id, number, writer)}


def whole_record(view: memoryview, offset: int) -> tuple[int, int, int] | None:
    """Kind and bounds of the payload of the record at *offset*; None if it is not whole."""
    if offset + OVERHEAD > len(view):
        return None
    # The length may be damaged itself: it counts only with the checksum that it leads to.
    length, kind = unpack_frame(view, offset)
    stop = offset + length
    if not OVERHEAD <= length <= LARGEST or stop > len(view):
        return None
    checked = stop - _CHECKSUM.size
    if crc32(view[offset:checked]) != unpack_checksum(view, checked)[0]:
        return None
    return kind, offset + _FRAME.size, checked
