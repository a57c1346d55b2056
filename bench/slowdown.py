"""How much a loop of 1 ms steps slows down when each step logs ten metrics."""

import time
from pathlib import Path

from _runs import noisy_calls, wait_for_helper
from _timing import Claim, folder, fresh, main

import stepwell

SECONDS = 10.0
STEP = 0.001


def _work(rounds: int) -> float:
    total = 0.0
    for number in range(rounds):
        total += number * 0.5
    return total


def _calibrate() -> int:
    rounds, best = 20_000, float("inf")
    for _ in range(200):
        begin = time.perf_counter()
        _work(rounds)
        best = min(best, time.perf_counter() - begin)
    return round(rounds * STEP / best)


def loops(path: str) -> list[float]:
    """The same steps without and with logging, in turn.

    Returns:
        How much slower, in percent: by the clock, and by this process's own time.
    """
    run = stepwell.init(store=Path(path) / "store.duckdb")
    pool, rounds = noisy_calls(), _calibrate()
    wait_for_helper(run)
    steps = int(SECONDS / STEP)
    spent = {False: [0.0, 0.0], True: [0.0, 0.0]}
    for logging in (False, True, True, False):
        begin, begin_own = time.perf_counter(), time.process_time()
        for step in range(steps // 2):
            _work(rounds)
            if logging:
                run.log(pool[step % len(pool)])
        spent[logging][0] += time.perf_counter() - begin
        spent[logging][1] += time.process_time() - begin_own
    run.finish()
    return [
        100 * (slow / fast - 1)
        for slow, fast in zip(spent[True], spent[False], strict=True)
    ]


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process: 10 s with logging, 10 s without."""
    found = []
    for _ in range(repetitions):
        with folder() as path:
            found.append(fresh(loops, path))
    return [
        Claim("1 ms steps slower, by the clock", [one[0] for one in found], "%", most=2),
        Claim("1 ms steps slower, own CPU time", [one[1] for one in found], "%"),
    ]


if __name__ == "__main__":
    main(measure)
