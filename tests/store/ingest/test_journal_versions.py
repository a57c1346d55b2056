"""Journals of the state before are folded beside those of today."""

import json
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from stepwell.store import Store, examine, start_run
from stepwell.store.base.ids import new_run_id, new_writer_id
from stepwell.store.journal.format import CONTINUED, FINISHED, encode_json
from stepwell.store.journal.writer_alive import host_name, machine, process_started
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]


def record(kind: int, payload: bytes) -> bytes:
    """A record, by the words of the format alone."""
    body = struct.pack("<IB3x", 12 + len(payload), kind) + payload
    return body + struct.pack("<I", crc32(body))


def as_json(kind: int, value: object) -> bytes:
    return record(kind, json.dumps(value).encode())


class FirstFormat:
    """A journal as the first format's writers made it, byte by byte."""

    def __init__(self, store: Path, **fields: Any) -> None:
        header: dict[str, Any] = {
            "run_id": new_run_id(),
            "writer": new_writer_id(),
            "name": "old",
            "project": None,
            "host": host_name(),
            "machine": machine(),
            "pid": os.getpid(),
            "process_started": process_started(os.getpid()) or 0,
            "rank": 0,
            "attempt": 1,
            "primary": True,
            "format": 1,
        } | fields
        self.run_id = header["run_id"]
        folder = store.with_name(f"{store.name}.journal")
        folder.mkdir(exist_ok=True)
        self.path = folder / f"{header['run_id']}-{header['writer']}.journal"
        started = {"name": "old", "config": {"lr": 0.1}, "time": time.time_ns()}
        self.path.write_bytes(b"stepwell journal" + as_json(1, header))
        self.append(as_json(2, started) + record(3, struct.pack("<I", 0) + b'["loss"]'))

    def append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def log(self, step: int, value: float) -> None:
        self.append(record(4, struct.pack("<Iqqd", 0, step, time.time_ns(), value)))

    def finish(self) -> None:
        end = {"status": "finished", "message": None, "time": time.time_ns()}
        self.append(as_json(6, end))


def test_a_journal_of_the_first_format_is_folded_beside_one_of_today(
    store_path: Path,
) -> None:
    old = FirstFormat(store_path)
    with Store(store_path) as store:
        for step in range(3):
            old.log(step, 1.0)
            with start_run(name=f"new {step}", store=store_path) as run:
                run.log({"loss": 2.0})
            assert store.run("old").status == "running"
            assert store.series("old", "loss").steps.tolist() == list(range(step + 1))
        old.finish()

        info = store.run("old")
        assert (info.status, info.attempt, info.config) == ("finished", 1, {"lr": 0.1})
        assert len(store.runs()) == 4
    assert not old.path.exists()
    assert all(finding.is_ok for finding in examine(store_path))


def test_a_process_of_the_state_before_that_died_has_crashed(store_path: Path) -> None:
    old = FirstFormat(store_path, pid=2**22 + 1, process_started=7)
    old.log(0, 1.0)

    info = Store(store_path).run("old")

    assert (info.status, Store(store_path).summary(info)["loss"].count) == ("crashed", 1)


@pytest.mark.parametrize("ends", [False, True])
def test_a_journal_that_is_continued_ends_no_run(
    store_path: Path, make_writer: MakeWriter, ends: bool
) -> None:
    first = make_writer()
    first.recorder().log({"loss": 1.0}, step=0)
    second = make_writer(run_id=first.header.run_id)
    second.recorder().log({"loss": 2.0}, step=1)
    first.journal.write(encode_json(CONTINUED, {"writer": second.header.writer}))
    if ends:
        end = {"status": "interrupted", "message": "x", "time": time.time_ns()}
        second.journal.write(encode_json(FINISHED, end))

    with Store(store_path) as store:
        info = store.run(first.header.run_id)
        assert info.status == ("interrupted" if ends else "running")
        assert store.series(info, "loss").values.tolist() == [1.0, 2.0]
    assert not first.journal.path.exists()
    assert second.journal.path.exists() is not ends
    assert all(finding.is_ok for finding in examine(store_path))
