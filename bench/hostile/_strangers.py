"""What else lies in a journal folder: journals that nobody wrote so, and no journals.

Nothing is expected of them but that they harm nobody.
"""

import os
import random
import socket
import struct
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

from ._generator import Here
from ._records import (
    CHANGED,
    FINISHED,
    MAGIC,
    NAMES,
    POINTS,
    RUNNING,
    STARTED,
    Journal,
    Names,
    Points,
    Record,
)

Maker = Callable[[Path, Here, random.Random], Path]
"""Puts something into a folder, named as a journal; gives its path."""

_OLD = 1_700_000_000  # seconds: nobody is about to write the rest of a header
_HUGE = 10**30
_DEEP = 100_000
_STARTED = {"name": "odd", "config": {}, "tags": [], "time": 1}


def _started(**fields: Any) -> list[Record]:
    return [Record(STARTED, _STARTED | fields)]


_BAD_RECORDS: dict[str, list[Record]] = {
    "a start without a time": [Record(STARTED, {"name": "odd"})],
    "a start at a text": _started(time="now"),
    "a start beyond all calendars": _started(time=_HUGE),
    "a start before all calendars": _started(time=-_HUGE),
    "a start at NaN": _started(time=float("nan")),
    "a configuration that is a list": _started(config=[1, 2]),
    "a configuration that is a text": _started(config="lr=1"),
    "a setting that is NaN": _started(config={"lr": float("nan")}),
    "a setting that is infinite": _started(config={"lr": [float("-inf")]}),
    "a setting of a thousand digits": _started(config={"lr": 10**1000}),
    "a name that is a number": _started(name=7),
    "a name that is an object": _started(name={"a": 1}),
    "tags that are a text": _started(tags="good"),
    "tags that are objects": _started(tags=[{"a": [1]}]),
    "a process id that is a text": _started(pid="seven"),
    "a process id of a hundred digits": _started(pid=10**100),
    "a layout that is a text": _started(layout="wide"),
    "a change to no name": [Record(CHANGED, {"name": None})],
    "a change to lost calls that are a text": [Record(CHANGED, {"lost_calls": "x"})],
    "a change to too many lost calls": [Record(CHANGED, {"lost_calls": _HUGE})],
    "a change to a configuration that is a number": [Record(CHANGED, {"config": 3})],
    "a change to a dirtiness that is a text": [Record(CHANGED, {"git_dirty": "very"})],
    "a change to notes that are a list": [Record(CHANGED, {"notes": [[]]})],
    "a change that is a list": [Record(CHANGED, [1, 2])],
    "an end at a text": [Record(FINISHED, {"status": "finished", "time": "noon"})],
    "an end beyond all calendars": [
        Record(FINISHED, {"status": "finished", "time": _HUGE})
    ],
    "an end without anything": [Record(FINISHED, {})],
    "an end that is an object": [Record(FINISHED, {"status": {"a": 1}, "message": [2]})],
    "names that are numbers": [Record(NAMES, Names(0, (1, None)))],  # type: ignore[arg-type]
    "a name twice in a call": [
        Record(NAMES, Names(0, ("a", "a"))),
        Record(POINTS, Points(0, 1, 1, (1.0, 2.0))),
        Record(POINTS, Points(0, 1, 1, (1.0, 2.0))),
    ],
    "fewer names than values": [
        Record(NAMES, Names(0, ("a",))),
        Record(POINTS, Points(0, 1, 1, (1.0, 2.0))),
    ],
    "a number that stands for two things": [
        Record(NAMES, Names(0, ("a",))),
        Record(POINTS, Points(0, 1, 1, (1.0,))),
        Record(NAMES, Names(0, ("b",))),
        Record(POINTS, Points(0, 1, 1, (1.0,))),
    ],
    "a call without points": [Record(POINTS, Points(0, 1, 1, ()))],
    "records of kinds yet to come": [Record(7, {"a": 1}), Record(255, {})],
}

_BAD_HEADERS: dict[str, dict[str, Any]] = {
    "a rank beyond all ranks": {"rank": 70_000},
    "a negative rank": {"rank": -1},
    "an attempt beyond all attempts": {"attempt": 10**6},
    "an attempt before the first": {"attempt": 0},
    "a rank of a hundred digits": {"rank": 10**100},
    "a process id of a hundred digits": {"pid": 10**100},
    "a negative process id": {"pid": -1},
    "a process that began in the future": {"process_started": 10**40},
    "a rank that is true": {"rank": True},
    "a format yet to come": {"format": 10**6},
    "a format that is a text": {"format": "one"},
    "a name that is a list": {"name": []},
    "a host with a NUL": {"host": "a\0b"},
}


def _journal(here: Here, draw: random.Random, **fields: Any) -> Journal:
    header = {
        "run_id": str(uuid.UUID(int=draw.getrandbits(128))),
        "writer": f"{draw.getrandbits(48):012x}",
        "name": "odd",
        "project": None,
        "host": "here",
        "machine": here.machine,
        "pid": here.pid,
        "process_started": here.started,
        "rank": 0,
        "attempt": 1,
        "primary": True,
        "format": 1,
    }
    return Journal(header | fields, RUNNING, ())


def _written(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def _with_records(records: list[Record]) -> Maker:
    def make(folder: Path, here: Here, draw: random.Random) -> Path:
        journal = _journal(here, draw)
        more = [Record(NAMES, Names(9, ("loss",))), Record(POINTS, Points(9, 1, 1, (1.0,)))]
        whole = replace(journal, records=(*records, *more))
        return _written(folder / whole.file_name, whole.stages()[-1])

    return make


def _with_header(fields: dict[str, Any]) -> Maker:
    def make(folder: Path, here: Here, draw: random.Random) -> Path:
        journal = _journal(here, draw, **fields)
        return _written(folder / journal.file_name, journal.stages()[-1])

    return make


def _with_bytes(data: Callable[[random.Random], bytes]) -> Maker:
    def make(folder: Path, here: Here, draw: random.Random) -> Path:
        file = folder / _journal(here, draw).file_name
        file.write_bytes(data(draw))
        if draw.random() < 0.5:  # noqa: PLR2004
            os.utime(file, (_OLD, _OLD))
        return file

    return make


def _header_of(payload: bytes) -> bytes:
    body = struct.pack("<IB3x", 12 + len(payload), 1) + payload
    return MAGIC + body + struct.pack("<I", crc32(body))


def _another_run(folder: Path, here: Here, draw: random.Random) -> Path:
    other = _journal(here, draw)
    return _written(folder / _journal(here, draw).file_name, other.stages()[-1])


def _fifo(folder: Path, here: Here, draw: random.Random) -> Path:
    path = folder / _journal(here, draw).file_name
    os.mkfifo(path)
    return path


def _socket(folder: Path, here: Here, draw: random.Random) -> Path:
    with socket.socket(socket.AF_UNIX) as opened:
        # A path of any length is too long for a socket's name: it is made from within.
        before = os.open(".", os.O_RDONLY)
        os.chdir(folder)
        try:
            name = _journal(here, draw).file_name
            opened.bind(name)
        finally:
            os.fchdir(before)
            os.close(before)
    return folder / name


def _folder(folder: Path, here: Here, draw: random.Random) -> Path:
    path = folder / _journal(here, draw).file_name
    path.mkdir()
    return path


def _link(target: Callable[[Path], Path]) -> Maker:
    def make(folder: Path, here: Here, draw: random.Random) -> Path:
        path = folder / _journal(here, draw).file_name
        path.symlink_to(target(folder))
        return path

    return make


_BYTES: dict[str, Callable[[random.Random], bytes]] = {
    "an empty file": lambda _: b"",
    "half a magic": lambda _: MAGIC[:7],
    "a magic alone": lambda _: MAGIC,
    "noise": lambda draw: draw.randbytes(2000),
    "a magic and noise": lambda draw: MAGIC + draw.randbytes(2000),
    "zeros": lambda _: bytes(5000),
    "a header that is a list": lambda _: _header_of(b"[1, 2]"),
    "a header nested without end": lambda _: _header_of(b"[" * _DEEP + b"]" * _DEEP),
    "a header that is no text": lambda _: _header_of(b"\xff\xfe\xfd"),
}

STRANGERS: dict[str, Maker] = {
    **{name: _with_records(records) for name, records in _BAD_RECORDS.items()},
    **{name: _with_header(fields) for name, fields in _BAD_HEADERS.items()},
    **{name: _with_bytes(data) for name, data in _BYTES.items()},
    "a journal of another name": _another_run,
    "a folder": _folder,
    "a link to nothing": _link(lambda folder: folder / "nothing"),
    "a link to itself": _link(lambda folder: folder),
    "a link to a device without end": _link(lambda _: Path("/dev/zero")),
    "a FIFO": _fifo,
    "a socket": _socket,
    "a link to a FIFO": _link(lambda folder: folder / "fifo"),
}
"""Maker of each, by what it is."""
