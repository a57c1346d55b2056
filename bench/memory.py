"""Memory of a process that logs, and of its helper, above Python's own."""

import subprocess
import sys
import time

from _runs import noisy_calls, wait_for_helper
from _timing import Claim, folder, fresh, main, memory

import stepwell

METRICS = 10
LENGTHS = (1_000_000, 10_000_000)


def _bare() -> float:
    code = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    return int(subprocess.check_output([sys.executable, "-c", code])) / 1024


def record(store: str, points: int, pause: float) -> list[float]:
    """Log a run, with a pause a thousand calls.

    Returns:
        Peak memory in MB: of this process, and of its helper.
    """
    pool = noisy_calls()
    run = stepwell.init(store=store)
    helper = wait_for_helper(run)
    own = helpers = 0.0
    for _ in range(points // METRICS // len(pool)):
        for values in pool:
            run.log(values)
        time.sleep(pause)
        own, helpers = memory()["peak"], memory(helper)["peak"]
    time.sleep(2.0)
    own, helpers = max(own, memory()["peak"]), max(helpers, memory(helper)["peak"])
    run.finish()
    return [own, helpers]


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process and a new store."""
    python = min(_bare() for _ in range(3))
    claims = []
    for pace, pause in (("flat out", 0.0), ("1M points/s", 0.005)):
        for points in LENGTHS:
            found = []
            for _ in range(repetitions):
                with folder() as path:
                    found.append(fresh(record, path / "store.duckdb", points, pause))
            own, helpers = ([one[place] - python for one in found] for place in (0, 1))
            both = [a + b for a, b in zip(own, helpers, strict=True)]
            name = f"{points // 1_000_000}M points, {pace}"
            claims += [
                Claim(f"peak memory, {name}: training process", own, "MB"),
                Claim(f"peak memory, {name}: helper", helpers, "MB"),
                Claim(f"peak memory, {name}: both", both, "MB", most=120),
            ]
    return claims


if __name__ == "__main__":
    main(measure, repetitions=3)
