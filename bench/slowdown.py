"""How much a loop of 1 ms steps slows down when each step logs ten metrics."""

import time
from pathlib import Path
from statistics import median

from _runs import noisy_calls, wait_for_helper
from _timing import Claim, folder, fresh, main, processor_time

import stepwell

SECONDS = 10.0
STEP = 0.001
TURN = 50


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
    """The same steps without and with logging, in turns of 50 steps.

    Returns:
        How much slower the loop itself is, in percent: the median of the turns; and the
        helper's share of a processor meanwhile, in percent.
    """
    run = stepwell.init(store=Path(path) / "store.duckdb")
    pool, rounds = noisy_calls(), _calibrate()
    helper = wait_for_helper(run)
    before, began = processor_time(helper), time.perf_counter()
    ratios = []
    while time.perf_counter() - began < 2 * SECONDS:
        spent = {False: 0.0, True: 0.0}
        for logging in (False, True, True, False):
            begin = time.perf_counter()
            for step in range(TURN):
                _work(rounds)
                if logging:
                    run.log(pool[step])
            spent[logging] += time.perf_counter() - begin
        ratios.append(spent[True] / spent[False])
    # Half of the steps were logged: what the helper did was for half of the time.
    helping = 2 * (processor_time(helper) - before) / (time.perf_counter() - began)
    run.finish()
    return [100 * (median(ratios) - 1), 100 * helping]


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process: 10 s with logging, 10 s without."""
    found = []
    for _ in range(repetitions):
        with folder() as path:
            found.append(fresh(loops, path))
    loop, helper = (list(one) for one in zip(*found, strict=True))
    both = [a + b for a, b in zip(loop, helper, strict=True)]
    return [
        Claim("1 ms steps slower, the loop itself", loop, "%", most=2),
        Claim("the helper's share of a processor", helper, "%"),
        Claim("1 ms steps slower, if they share one", both, "%"),
    ]


if __name__ == "__main__":
    main(measure)
