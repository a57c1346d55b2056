"""Why folds run in a child process: what a fold does to a loop that logs meanwhile."""

import os
import subprocess
import sys
import threading
import time

from _runs import lone_writer, noisy_calls
from _timing import Claim, folder, fresh, main

import stepwell

SECONDS = 5.0
FOLDS = 4

_FOLD = """
import sys
from stepwell.store.ingest.ingest import fold
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
fold(lease_of(resolve(sys.argv[1])))
for _ in sys.stdin:
    fold(lease_of(resolve(sys.argv[1])))
"""


def loop(store: str, where: str) -> list[float]:
    """Log for five seconds, and fold four times meanwhile.

    Args:
        store: The store; it exists.
        where: `thread` or `process`; anything else folds nothing.

    Returns:
        Longest call in ms, calls above 5 ms, p99.9 in µs, calls a second.
    """
    writer = lone_writer(store)
    record, pool = writer.recorder().log, noisy_calls()
    start = {"thread": _in_thread, "process": _in_process}.get(where)
    folding = threading.Thread(target=start, args=(store,)) if start else None
    spent: list[int] = []
    clock = time.perf_counter_ns
    for values in pool:
        record(values)
    if folding:
        folding.start()
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for values in pool[:100]:
            begin = clock()
            record(values)
            spent.append(clock() - begin)
        time.sleep(0.0005)
    if folding:
        folding.join()
    ordered = sorted(spent)
    slow = sum(1 for nanoseconds in spent if nanoseconds > 5_000_000)  # noqa: PLR2004
    tail = ordered[int(0.999 * len(ordered))]
    return [ordered[-1] / 1e6, float(slow), tail / 1e3, len(spent) / SECONDS]


def _in_thread(store: str) -> None:
    from stepwell.store.database.lease import lease_of  # noqa: PLC0415
    from stepwell.store.files.location import resolve  # noqa: PLC0415
    from stepwell.store.ingest.ingest import fold  # noqa: PLC0415 (the import is measured too)

    for _ in range(FOLDS):
        fold(lease_of(resolve(store)))
        time.sleep(SECONDS / FOLDS / 2)


def _in_process(store: str) -> None:
    command = [sys.executable, "-c", _FOLD, store]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        if child.stdin is None:
            return
        for _ in range(FOLDS - 1):
            time.sleep(SECONDS / FOLDS / 2)
            os.write(child.stdin.fileno(), b"\n")


def make(store: str) -> None:
    """A store with its tables."""
    with stepwell.open_store(store):
        pass


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process and a new store."""
    claims = []
    for where in ("nowhere", "thread", "process"):
        found = []
        for _ in range(repetitions):
            with folder() as path:
                fresh(make, path / "store.duckdb")
                found.append(fresh(loop, path / "store.duckdb", where))
        name = {"nowhere": "no fold", "thread": "in a thread", "process": "in a child"}
        longest, slow, tail, rate = (list(one) for one in zip(*found, strict=True))
        claims += [
            Claim(f"{name[where]}: longest call", longest, "ms"),
            Claim(f"{name[where]}: calls above 5 ms", slow, ""),
            Claim(f"{name[where]}: p99.9", tail, "µs"),
            Claim(f"{name[where]}: calls a second", rate, ""),
        ]
    return claims


if __name__ == "__main__":
    main(measure)
