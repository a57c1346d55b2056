"""Runs to measure with: ten metrics of noise, through the public API or without it."""

import os
import random
import time
from pathlib import Path

from _timing import children

from stepwell import Run
from stepwell.store.base.ids import new_run_id, new_writer_id
from stepwell.store.files.location import prepare_folder, resolve
from stepwell.store.journal.format import Header
from stepwell.store.journal.writer_alive import host_name, machine, process_started
from stepwell.store.recording.run_writer import RunWriter


def noisy_calls(count: int = 1000, metrics: int = 10) -> list[dict[str, float]]:
    """Calls' metrics, to be gone through again and again."""
    draw = random.Random(7)
    names = [f"train/metric_{number}" for number in range(metrics)]
    return [{name: draw.gauss(0.0, 1.0) for name in names} for _ in range(count)]


def log(run: Run, calls: int, pool: list[dict[str, float]] | None = None) -> None:
    """Log *calls* calls flat out, of ten metrics where *pool* does not say which."""
    pool = noisy_calls() if pool is None else pool
    for _ in range(calls // len(pool)):
        for values in pool:
            run.log(values)


def wait_for_helper(run: Run, seconds: float = 30.0) -> int:
    """Log now and then until the helper process has folded once; gives its id."""
    deadline = time.monotonic() + seconds
    values = noisy_calls(1)[0]
    before = _changed(run.location)
    while not children() or _changed(run.location) == before:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no helper process within {seconds:g} s")
        run.log(values)
        time.sleep(0.05)
    time.sleep(1.0)
    return children()[0]


def _changed(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0


def lone_writer(store: Path | str) -> RunWriter:
    """A writer that nothing folds in the background."""
    location = resolve(store)
    prepare_folder(location)
    header = Header(
        run_id=new_run_id(),
        writer=new_writer_id(),
        name="bench",
        project=None,
        host=host_name(),
        machine=machine(),
        pid=os.getpid(),
        process_started=process_started(os.getpid()) or 0,
        rank=0,
        attempt=1,
        primary=True,
    )
    started = {"name": "bench", "tags": [], "config": {}, "time": time.time_ns()}
    return RunWriter(location, header, started)
