"""Reading a whole journal, behind damage too.

A fold stops at the first record that is not whole. This goes on: it looks for the next
place where a record stands whose length and CRC-32 are right.
"""

import mmap
from dataclasses import dataclass
from pathlib import Path

from stepwell.store.files.owners import open_ours

from .format import (
    HEADER,
    KINDS,
    MAGIC,
    OVERHEAD,
    Header,
    decode_header,
    unpack_frame,
    whole_record,
)
from .reader import FRAME, Piece, read_piece

_PIECE = 4 * 2**20  # bytes understood at a time; bounds the memory
_HEADER_BYTES = (1 << 12, 1 << 24)


@dataclass(frozen=True, slots=True)
class JournalScan:
    """What a journal file holds, from its first byte to its last.

    Attributes:
        header: Who writes it; None where that is cut or damaged.
        whole: Stretches of whole records, as offsets (start, stop), in order.
        damaged: Stretches in which no whole record stands.
        cut: Bytes at the end of a record that was not written to its end.
        records: How many records are whole, without the header.
        points: How many of those are calls with points.
        has_start: Whether the run's start is among them.
        has_end: Whether the writer's end is among them.
        seconds_back: How far the records' times run backwards, at most.
        last_time: The latest time of a record, nanoseconds since 1970; 0 without one.
    """

    header: Header | None
    whole: tuple[tuple[int, int], ...]
    damaged: tuple[tuple[int, int], ...]
    cut: int
    records: int
    points: int
    has_start: bool
    has_end: bool
    seconds_back: float
    last_time: int

    @property
    def damaged_bytes(self) -> int:
        """Bytes that were skipped."""
        return sum(stop - start for start, stop in self.damaged)


class _Tally:
    def __init__(self) -> None:
        self.records = self.points = self.last_time = self.back = 0
        self.has_start = self.has_end = False

    def add(self, piece: Piece) -> None:
        calls = sum(len(block.numbers) for block in piece.blocks)
        self.points += calls
        self.records += calls + len(piece.names) + len(piece.changes)
        singles = (piece.started, piece.finished, piece.continued)
        self.records += sum(single is not None for single in singles)
        self.has_start |= piece.started is not None
        self.has_end |= any(single is not None for single in singles[1:])
        if not calls:
            return
        # Blocks gather records by their lengths, so none of them is known to be the first
        # in the file.
        first = min(int(block.times[0]) for block in piece.blocks)
        self.back = max(self.back, self.last_time - first)
        for block in piece.blocks:
            if len(block.times) > 1:
                steps_back = block.times[:-1] - block.times[1:]
                self.back = max(self.back, int(steps_back.max()))
            self.last_time = max(self.last_time, int(block.times.max()))


def scan_journal(path: Path) -> JournalScan:
    """Read a journal from end to end, in pieces.

    Raises:
        OSError: If the file cannot be read.
        StoreNewerError: If its format is newer than this code.
    """
    header, offset = _read_head(path)
    size = path.stat().st_size
    whole: list[tuple[int, int]] = []
    damaged: list[tuple[int, int]] = []
    tally, cut = _Tally(), 0
    while offset < size:
        piece = read_piece(path, offset, _PIECE)
        if piece.stop > offset:
            tally.add(piece)
            _extend(whole, offset, piece.stop)
            offset = piece.stop
            continue
        following = _next_whole(path, offset)
        # The end of a process that was killed while it wrote: the call never returned, and
        # nothing that was promised is lost.
        if following is None and _is_cut(path, offset, size):
            cut = size - offset
        else:
            _extend(damaged, offset, following or size)
        offset = following or size
    return JournalScan(
        header,
        tuple(whole),
        tuple(damaged),
        cut,
        tally.records,
        tally.points,
        tally.has_start,
        tally.has_end,
        tally.back / 1e9,
        tally.last_time,
    )


def _read_head(path: Path) -> tuple[Header | None, int]:
    for most in _HEADER_BYTES:
        with open_ours(path) as file:
            data = file.read(most)
        try:
            return decode_header(data)
        except (ValueError, RecursionError):
            continue
    return None, 0


def _extend(stretches: list[tuple[int, int]], start: int, stop: int) -> None:
    if stretches and stretches[-1][1] == start:
        start = stretches.pop()[0]
    stretches.append((start, stop))


def _next_whole(path: Path, offset: int) -> int | None:
    """Where the next whole record behind *offset* stands; None without one."""
    with open_ours(path) as file:
        # Damage may be followed by gigabytes without a record, which are not to be in
        # memory at once.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with mapped, memoryview(mapped) as view:
        for found in FRAME.finditer(mapped, offset + 1):
            record = whole_record(view, found.start())
            # A header stands at the beginning alone; elsewhere it is of something else.
            if record is not None and record[0] != HEADER:
                return found.start()
    return None


def _is_cut(path: Path, offset: int, size: int) -> bool:
    """Whether the file's end is the beginning of a record."""
    is_head = offset == 0  # where no header was read
    with open_ours(path) as file:
        if is_head:
            if not MAGIC.startswith(file.read(len(MAGIC))):
                return False
            offset = len(MAGIC)
        file.seek(offset)
        begin = file.read(OVERHEAD)
    if len(begin) < OVERHEAD:
        return True
    length, kind = unpack_frame(begin)
    is_ours = kind == HEADER if is_head else HEADER < kind < KINDS
    return bool(is_ours and length > size - offset)
