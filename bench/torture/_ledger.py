"""The ledger: what was said and acknowledged, kept by other means than the store's.

A stream is what one thread of one process says, call after call, numbered from 0. Its
ledger is a file: a line of JSON, then 24 bytes an acknowledged call, each appended by one
`write` after the call returned. Names and values follow from stream and number.
"""

import json
import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

DONE, REFUSED, END = range(3)
"""Kinds of entries: acknowledged, refused by the disk, and the good end of a stream."""

_ENTRY = struct.Struct("<qdB7x")
_ODD = (math.nan, math.inf, -math.inf, -0.0)
_STEP, _RANGE = 2654435761, 2**32
_EVERY_ODD, _EVERY_DEEP = 5, 7
_DIVERGE = "diverge"  # how the streams begin whose values grow beyond all bounds
_ROUND, _LARGE, _LARGEST, _INFINITE = 100, 38, 80, 95  # calls of a divergence


def frequencies(stream: str) -> dict[str, int]:
    """Each metric of a stream, and of how many calls one has it."""
    every = {"a": 1, "b": 1, "c": _EVERY_ODD, "deep/d": _EVERY_DEEP}
    return every | ({"e": 1} if stream.startswith(_DIVERGE) else {})


def value_of(stream: str, number: int) -> float:
    """The value that tells a call from all others."""
    return (number * _STEP + crc32(stream.encode())) % _RANGE / 7


def odd_value(number: int) -> float:
    """The odd value of a call."""
    return _ODD[number // _EVERY_ODD % len(_ODD)]


def diverging_value(number: int) -> float:
    """A value that grows to the largest, of both signs, then is infinite, then none."""
    place = number % _ROUND
    sign = -1.0 if place % 2 else 1.0
    if place < _LARGE:
        return sign * 10.0 ** (8 * place)
    if place < _LARGEST:
        return sign * 1e308
    return sign * math.inf if place < _INFINITE else math.nan


def metrics_of(stream: str, number: int) -> dict[str, Any]:
    """What call *number* of a stream says."""
    metrics: dict[str, Any] = {
        f"{stream}/a": number,
        f"{stream}/b": value_of(stream, number),
    }
    if number % _EVERY_ODD == 0:
        metrics[f"{stream}/c"] = odd_value(number)
    if stream.startswith(_DIVERGE):
        metrics[f"{stream}/e"] = diverging_value(number)
    if number % _EVERY_DEEP == 0:
        metrics[stream] = {"deep": {"d": number / 3}}
    return metrics


class Again(NamedTuple):
    """A metric that all attempts at a run say, each from a step of its own on.

    Attributes:
        metric: Its name.
        attempt: Which attempt it is, from 0.
        first: The step of the stream's first call.
    """

    metric: str
    attempt: int
    first: int


def note_try(folder: Path, again: Again) -> None:
    """Note that an attempt is about to begin: a kill may leave no more than that of it."""
    _try(folder, again).touch()


def was_tried_again(again: Again, folder: Path) -> bool:
    """Whether an attempt after this one was about to begin."""
    return _try(folder, again._replace(attempt=again.attempt + 1)).exists()


def _try(folder: Path, again: Again) -> Path:
    return folder / f"{again.metric.partition('/')[0]}.{again.attempt}.tried"


class Ledger:
    """A stream's ledger, to write.

    Args:
        folder: Where the ledgers are.
        stream: The stream's name, used once.
        run_id: The run that it belongs to.
        store: Path of the store.
        again: What it says again of earlier attempts at its run.
    """

    def __init__(
        self, folder: Path, stream: str, run_id: str, store: Path, again: "Again | None"
    ) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
        self._file = os.open(folder / f"{stream}.ledger", flags, 0o644)
        head = {
            "stream": stream,
            "run_id": run_id,
            "store": str(store),
            "again": again,
        }
        os.write(self._file, json.dumps(head).encode() + b"\n")

    def note(self, number: int, value: float, kind: int) -> None:
        """Append an entry."""
        os.write(self._file, _ENTRY.pack(number, value, kind))

    def end(self) -> None:
        """Note that the stream came to its good end."""
        self.note(0, 0.0, END)
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class Said:
    """A ledger as it was read.

    Attributes:
        stream: Its name.
        run_id: The run.
        store: Path of the store.
        again: What it says again of earlier attempts at its run.
        done: Number and telling value of the acknowledged calls.
        refused: Numbers of the calls that the disk refused.
        has_ended: Whether it came to its good end.
    """

    stream: str
    run_id: str
    store: str
    again: Again | None
    done: dict[int, float]
    refused: frozenset[int]
    has_ended: bool


def read_ledger(path: Path) -> Said | None:
    """A ledger; None where its process died before the first line was written."""
    first, _, rest = path.read_bytes().partition(b"\n")
    if not first.endswith(b"}"):
        return None
    done, refused, has_ended = {}, set(), False
    whole = len(rest) - len(rest) % _ENTRY.size
    for number, value, kind in _ENTRY.iter_unpack(rest[:whole]):
        if kind == DONE:
            done[number] = value
        elif kind == REFUSED:
            refused.add(number)
        else:
            has_ended = True
    head = json.loads(first)
    again = head.pop("again")
    return Said(
        **head,
        again=Again(*again) if again else None,
        done=done,
        refused=frozenset(refused),
        has_ended=has_ended,
    )


def read_ledgers(folder: Path) -> Iterator[Said]:
    """All ledgers."""
    for path in sorted(folder.glob("*.ledger")):
        said = read_ledger(path)
        if said is not None:
            yield said


def read_excuses(path: Path) -> dict[str, int]:
    """For each stream that damage may have cost something the first call in danger."""
    excuses: dict[str, int] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            stream, number = line.rsplit(" ", 1)
            excuses[stream] = min(int(number), excuses.get(stream, int(number)))
    return excuses
