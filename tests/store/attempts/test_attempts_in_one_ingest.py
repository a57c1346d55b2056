"""What is known of a run does not depend on when its attempts were folded."""

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store, open_store, start_run
from stepwell.store.base.ids import new_writer_id
from stepwell.store.files.location import prepare_folder, resolve
from stepwell.store.journal.format import (
    FINISHED,
    HEADER,
    MAGIC,
    NAMES,
    POINTS,
    encode,
    encode_json,
)
from stepwell.store.journal.writer_alive import machine
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
GIVEN, RANDOM = (
    "0000abcd-0000-5000-8000-000000000001",
    "0000abcd-0000-7000-8000-000000000001",
)


@pytest.mark.parametrize("folds_between", [False, True])
def test_a_later_start_wins_over_an_earlier_change(
    make_writer: MakeWriter, store_path: Path, *, folds_between: bool
) -> None:
    first = make_writer({"notes": "first", "config": {"lr": 0.1, "kept": 1}}, attempt=11)
    first.change({"notes": "changed", "tags": ["early"], "config": {"lr": 0.2}})
    first.finish("failed", "out of memory")
    if folds_between:
        open_store(store_path).runs()
    second = make_writer(
        {"notes": "second", "config": {"lr": 0.3}},
        run_id=first.header.run_id,
        attempt=12,
        follows=11,
    )
    second.change({"tags": ["late"]})

    (run,) = Store(store_path).runs()

    assert (run.notes, run.tags, run.status) == ("second", ("late",), "running")
    assert run.config == {"lr": 0.3, "kept": 1}
    assert run.attempt == 2


def journal_of_before(
    store: Path, run_id: str, steps: range, *, primary: bool, minute: int = 0
) -> None:
    """What a process of the first format, or a child that it forked, has left."""
    folder = resolve(store)
    prepare_folder(folder)
    header = {
        "run_id": run_id,
        "writer": new_writer_id(),
        "name": "before",
        "project": None,
        "host": "here",
        "machine": machine(),
        "pid": os.getpid(),
        "process_started": 1,  # of another process, which had this one's id
        "rank": 0,
        "attempt": 1,
        "primary": primary,
        "format": 1,
    }
    records = [encode(NAMES, struct.pack("<I", 0) + b'["loss"]')]
    began = time.time_ns() + (minute - 10) * 60 * 10**9
    for step in steps:
        payload = struct.pack("<Iqqd", 0, step, began + step * 10**9, 1.0)
        records.append(encode(POINTS, payload))
    end = {"status": "finished", "message": None, "time": began}
    data = MAGIC + encode_json(HEADER, header) + b"".join(records)
    path = folder.journals / f"{run_id}-{header['writer']}.journal"
    path.write_bytes(data + encode_json(FINISHED, end))
    last = began / 1e9 + max(steps)
    os.utime(path, (last, last))


@pytest.mark.parametrize("run_id", [GIVEN, RANDOM])
@pytest.mark.parametrize("folds_between", [False, True])
def test_children_of_a_process_of_before_supersede_nothing(
    store_path: Path, run_id: str, *, folds_between: bool
) -> None:
    journal_of_before(store_path, run_id, range(20), primary=True)
    if folds_between:
        open_store(store_path).runs()
    for minute in (1, 2):  # each begins when those before it are no longer heard of
        journal_of_before(store_path, run_id, range(5, 10), primary=False, minute=minute)

    with open_store(store_path) as store:
        (run,) = store.runs()
        assert run.attempt == 1
        assert store.summary(run)["loss"].count == 20 + 5 + 5


def test_a_process_of_now_goes_on_with_a_run_of_before_as_its_next_attempt(
    store_path: Path,
) -> None:
    journal_of_before(store_path, GIVEN, range(20), primary=True)
    journal_of_before(store_path, GIVEN, range(5, 10), primary=False)

    with start_run(id=GIVEN, resume="must", store=store_path) as run:
        run.log({"loss": 2.0}, step=8)

    with open_store(store_path) as store:
        assert store.run(GIVEN).attempt == 2
        assert store.summary(GIVEN)["loss"].count == 8 + 3 + 1
