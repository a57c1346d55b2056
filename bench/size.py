"""Bytes a point on disk after `finish()`: a million steps of one noisy metric."""

import time
from pathlib import Path

from _runs import log, noisy_calls
from _timing import Claim, folder, fresh, main

import stepwell

STEPS = 1_000_000


def record(store: str, pause: float) -> list[float]:
    """Record the run, with a pause a thousand calls.

    Returns:
        Bytes a point of the database, and how many journals are left.
    """
    run = stepwell.init(store=store)
    pool = noisy_calls(metrics=1)
    for _ in range(STEPS // 1000):
        log(run, 1000, pool)
        time.sleep(pause)
    run.finish(wait=True)
    left = list(Path(store + ".journal").glob("*.journal"))
    return [Path(store).stat().st_size / STEPS, float(len(left))]


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process and a new store."""
    claims = []
    for name, pause in (("flat out", 0.0), ("over 20 s", 0.02)):
        found = []
        for _ in range(repetitions):
            with folder() as path:
                found.append(fresh(record, path / "store.duckdb", pause))
        size, left = ([one[place] for one in found] for place in (0, 1))
        most = None if pause else 12
        claims.append(Claim(f"on disk, {name}", size, "bytes/point", most=most))
        claims.append(Claim(f"journals left, {name}", left, "", most=0))
    return claims


if __name__ == "__main__":
    main(measure, repetitions=3)
