"""The price of a call: `run.log` of ten metrics, flat out, while a helper folds."""

import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

from _runs import noisy_calls, wait_for_helper
from _timing import Claim, folder, fresh, main

import stepwell

CALLS = 200_000
TURN = 10_000


def calls(path: str) -> dict[str, float]:
    """Time each of 200,000 calls, and as many bare writes of the same bytes in turn."""
    run = stepwell.init(store=Path(path) / "store.duckdb")
    pool = noisy_calls()
    wait_for_helper(run)
    bare = os.open(Path(path) / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    logged: list[int] = []
    written: list[int] = []
    for _ in range(CALLS // TURN):
        logged.extend(_log(run, pool))
        written.extend(_write(bare, pool))
    run.finish()
    return _spread("log", logged) | _spread("bare", written)


def _log(run: stepwell.Run, pool: list[dict[str, float]]) -> list[int]:
    spent: list[int] = []
    clock, log = time.perf_counter_ns, run.log
    for _ in range(TURN // len(pool)):
        for values in pool:
            begin = clock()
            log(values)
            spent.append(clock() - begin)
    return spent


def _write(file: int, pool: list[dict[str, float]]) -> list[int]:
    spent: list[int] = []
    clock = time.perf_counter_ns
    pack, checksum = struct.Struct("<IB3xIqq10d").pack, struct.Struct("<I").pack
    crc32, write, now = zlib.crc32, os.write, time.time_ns
    for _ in range(TURN // len(pool)):
        for step, values in enumerate(pool):
            begin = clock()
            body = pack(112, 4, 0, step, now(), *values.values())
            write(file, body + checksum(crc32(body)))
            spent.append(clock() - begin)
    return spent


def _spread(name: str, spent: list[int]) -> dict[str, float]:
    ordered = sorted(spent)
    places = {"median": 0.5, "p99": 0.99, "p99.9": 0.999}
    found = {f"{name} {k}": ordered[int(v * len(ordered))] / 1e3 for k, v in places.items()}
    slow = sum(1 for nanoseconds in spent if nanoseconds > 5_000_000)  # noqa: PLR2004
    return found | {f"{name} max": ordered[-1] / 1e3, f"{name} slow": float(slow)}


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process and a new store."""
    found: list[dict[str, Any]] = []
    for _ in range(repetitions):
        with folder() as path:
            found.append(fresh(calls, path))

    def claim(name: str, field: str, most: float | None = None) -> Claim:
        return Claim(name, [one[field] for one in found], "µs", most=most)

    ratio = [one["log median"] / one["bare median"] for one in found]
    return [
        claim("call: median", "log median", 5),
        claim("call: p99", "log p99", 30),
        claim("call: p99.9", "log p99.9"),
        claim("call: longest of 200,000", "log max", 5000),
        Claim("call: above 5 ms", [one["log slow"] for one in found], "calls"),
        claim("bare pack, CRC and write: median", "bare median"),
        claim("bare pack, CRC and write: p99", "bare p99"),
        claim("bare pack, CRC and write: longest", "bare max"),
        Claim("call against bare, medians", ratio, "times", most=1.75),
    ]


if __name__ == "__main__":
    main(measure)
