"""Journals as values, and their bytes; by the format's description, not by its code."""

import json
import random
import struct
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

MAGIC = b"stepwell journal"
HEADER, STARTED, NAMES, POINTS, CHANGED, FINISHED = range(1, 7)
_FRAME_AND_CHECKSUM = 12

RUNNING, DEAD, FRESH, SILENT = "running", "dead", "fresh", "silent"
"""Writers: a living process, one that has died, and two of another machine."""


@dataclass(frozen=True, slots=True)
class Points:
    """A call's points: what the names' number is, and the rest of its record."""

    number: int
    step: int
    time: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """What a number stands for."""

    number: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        kind: One of the format's kinds.
        value: `Points`, `Names`, or what becomes JSON.
        flipped: From 0 to 1: which of its bits is wrong; None for a good record.
    """

    kind: int
    value: Any
    flipped: float | None = None

    def encoded(self) -> bytes:
        """Its bytes."""
        payload = _payload(self.value)
        length = _FRAME_AND_CHECKSUM + len(payload)
        body = struct.pack("<IB3x", length, self.kind) + payload
        data = bytearray(body + struct.pack("<I", crc32(body)))
        if self.flipped is not None:
            bit = int(self.flipped * 8 * len(data))
            data[bit // 8] ^= 1 << bit % 8
        return bytes(data)


def _payload(value: Any) -> bytes:
    if isinstance(value, Points):
        doubles = f"<Iqq{len(value.values)}d"
        return struct.pack(doubles, value.number, value.step, value.time, *value.values)
    if isinstance(value, Names):
        return struct.pack("<I", value.number) + json.dumps(value.names).encode()
    return json.dumps(value, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Journal:
    """One writer's journal.

    Attributes:
        header: The fields of its header.
        life: What became of its writer.
        records: What follows the header.
        tail: From 0 to 1: how much there is of one more record; 0 for none.
        heartbeat: Its modification time, seconds since 1970; None for now.
        cuts: From 0 to 1, ascending: how much of it is there at each fold but the last.
        attempt: Which attempt at its run it belongs to, in truth.
        arrives: At which fold the first of it is there.
        is_elsewhere: Whether it lies in another store, which is merged in the end.
    """

    header: dict[str, Any]
    life: str
    records: tuple[Record, ...]
    tail: float = 0.0
    heartbeat: int | None = None
    cuts: tuple[float, ...] = ()
    attempt: int = 1
    arrives: int = 0
    is_elsewhere: bool = False

    @property
    def file_name(self) -> str:
        """The name that the store looks for."""
        return f"{self.header['run_id']}-{self.header['writer']}.journal"

    @property
    def whole(self) -> tuple[Record, ...]:
        """The records before the first bad one."""
        bad = (at for at, one in enumerate(self.records) if one.flipped is not None)
        return self.records[: next(bad, len(self.records))]

    @property
    def is_finished(self) -> bool:
        """Whether its end is in it, to be read."""
        return any(record.kind == FINISHED for record in self.whole)

    def stages(self) -> list[bytes]:
        """Its bytes as each fold finds them."""
        head = MAGIC + Record(HEADER, self.header).encoded()
        rest = b"".join(record.encoded() for record in self.records)
        if self.tail:
            torn = Record(POINTS, Points(0, 0, 0, (0.0,))).encoded()
            rest += torn[: max(1, int(self.tail * len(torn)))]
        ends = [len(head) + int(cut * len(rest)) for cut in self.cuts]
        found = [(head + rest)[:end] for end in [*ends, None]]
        return [b""] * self.arrives + found


@dataclass(frozen=True, slots=True)
class Case:
    """One run and all its journals.

    Attributes:
        run_id: The run.
        journals: What its writers left.
    """

    run_id: str
    journals: tuple[Journal, ...]

    @property
    def attempts(self) -> dict[int, int]:
        """What each attempt is called, by what the journals call it."""
        found = sorted({journal.attempt for journal in self.journals})
        return {attempt: number for number, attempt in enumerate(found, 1)}

    @property
    def is_in_order(self) -> bool:
        """Whether no fold finds anything of an attempt after something of a later one."""
        if any(one.is_elsewhere for one in self.journals):
            return False
        if len(self.attempts) == 1:
            return True
        folds = [(one.arrives, one.attempt) for one in self.journals]
        attempts = [attempt for _, attempt in sorted(folds)]
        return attempts == sorted(attempts) and not any(one.cuts for one in self.journals)

    def smaller(self, draw: random.Random) -> "list[Case]":
        """Cases with something less, the boldest first."""
        found = []
        for place, journal in enumerate(self.journals):
            rest = self.journals[:place] + self.journals[place + 1 :]
            kept = {one.attempt for one in rest if one.header["primary"]}
            if rest and kept == {
                one.attempt for one in rest
            }:  # a primary begins each attempt
                found.append(Case(self.run_id, rest))
            for less in _with_less(journal, draw):
                journals = (*self.journals[:place], less, *self.journals[place + 1 :])
                found.append(Case(self.run_id, journals))
        return found


def _with_less(journal: Journal, draw: random.Random) -> list[Journal]:
    records = journal.records
    found = [replace(journal, tail=0.0)] if journal.tail else []
    if journal.cuts or journal.arrives or journal.is_elsewhere:
        found.append(replace(journal, cuts=(), arrives=0, is_elsewhere=False))
    size = len(records)
    while size > 1:
        size = -(-size // 2)
        begins = list(range(0, len(records), size))
        for begin in draw.sample(begins, min(8, len(begins))):
            chosen = records[begin : begin + size]
            gone = [one for one in chosen if one.kind not in {STARTED, NAMES}]
            if gone:
                left = tuple(one for one in records if one not in gone)
                found.append(replace(journal, records=left))
    return found
