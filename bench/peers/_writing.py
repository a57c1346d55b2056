"""The parts of the workloads that write, in the process that a measurement runs in.

They import the standard library alone, as they run in the environment of each tool.
"""

import math
import mmap
import random
import statistics
import struct
import time
from pathlib import Path

COUNTER = struct.Struct("<q")  # the ledger: how many calls have returned
POINTS_A_CALL = 10


def calls(metrics=POINTS_A_CALL, count=1000):
    """Values of calls, to be gone through again and again."""
    draw = random.Random(7)
    names = ["loss", *(f"train/metric_{number}" for number in range(1, metrics))]
    return [{name: draw.gauss(0.0, 1.0) for name in names} for _ in range(count)]


def memory():
    """The most resident memory that this process ever had, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def write(adapter, most, seconds):
    """One run of calls of ten metrics, flat out; each call is timed."""
    pool = calls()
    spent = []
    clock = time.perf_counter
    opened = clock()
    log = adapter.open("run", {"lr": 0.1})
    log(pool[0], 0)
    began = clock()
    end = began + seconds
    for step in range(1, most):
        values = pool[step % 1000]
        before = clock()
        log(values, step)
        after = clock()
        spent.append(after - before)
        if after > end:
            break
    returned = clock()
    adapter.finish()
    finished = clock()
    spent.sort()
    count = len(spent)
    return {
        "calls": count + 1,
        "start_ms": 1e3 * (began - opened),
        "median_us": 1e6 * statistics.median(spent),
        "p99_us": 1e6 * spent[int(0.99 * count)],
        "p999_us": 1e6 * spent[int(0.999 * count)],
        "max_ms": 1e3 * spent[-1],
        "finish_s": finished - returned,
        "rate": POINTS_A_CALL * count / (finished - began),
        "seconds": finished - began,
        "memory_mb": memory(),
    }


def _work(rounds):
    total = 0.0
    for number in range(rounds):
        total += number * 0.5
    return total


def _rounds_of_a_millisecond():
    rounds, best = 20_000, math.inf
    for _ in range(200):
        begin = time.perf_counter()
        _work(rounds)
        best = min(best, time.perf_counter() - begin)
    return round(rounds * 1e-3 / best)


def _steps(rounds, most, seconds, log=None, first=0):
    """Steps of about one millisecond, with or without logging.

    Returns:
        The mean milliseconds of a step; and how many there were.
    """
    pool = calls()
    begin = time.perf_counter()
    done = 0
    while done < most and time.perf_counter() - begin < seconds:
        _work(rounds)
        if log is not None:
            log(pool[done % 1000], first + done)
        done += 1
    return 1e3 * (time.perf_counter() - begin) / done, done


def loop(adapter, most, seconds, groups=24):
    """How much slower a loop of steps of 1 ms becomes.

    Turns without, with, with and without logging are a group, in which a machine that
    becomes faster or slower hits both alike; the median of the groups is what counts.
    """
    rounds = _rounds_of_a_millisecond()
    log = adapter.open("run", {"lr": 0.1})
    log(calls()[0], 0)
    time.sleep(1.0)  # what runs in the background has begun
    most, seconds = max(1, most // (2 * groups)), seconds / (2 * groups)
    step, ratios = 1, []
    for _ in range(groups):
        spent = {None: 0.0, log: 0.0}
        for logging in (None, log, log, None):
            each, done = _steps(rounds, most, seconds, logging, step)
            spent[logging] += each
            step += done if logging else 0
        ratios.append(spent[log] / spent[None])
    adapter.finish()
    return {"slower_percent": 100 * (statistics.median(ratios) - 1)}


def sweep(adapter, runs, steps, seconds):
    """Many runs of five metrics, one after the other.

    The second run says how long the others take: what would take longer than *seconds*
    is cut, first the steps of each run, then the runs.
    """
    pool = calls(metrics=5)
    begin = time.perf_counter()
    end = begin + seconds

    def record(number, steps):
        log = adapter.open(f"run{number}", {"lr": 0.001 * (number + 1)})
        opened = time.perf_counter()
        for step in range(steps):
            log(pool[(number + step) % 1000], step)
            if time.perf_counter() > end:
                break
        returned = time.perf_counter()
        adapter.finish()
        return opened, returned, time.perf_counter()

    record(0, min(steps, 20))  # what only the first costs is no measure of the others
    started = time.perf_counter()
    opened, returned, finished = record(1, min(steps, 20))
    fixed = opened - started + finished - returned
    each = (returned - opened) / min(steps, 20)
    affordable = max(0.0, (end - finished) / runs - fixed) / each
    steps = max(min(steps, 5), min(steps, int(affordable)))
    done = 2
    while done < runs and time.perf_counter() < end:
        record(done, steps)
        done += 1
    seconds = time.perf_counter() - begin
    return {
        "runs": done,
        "steps": steps,
        "seconds": seconds,
        "rate": 5 * steps * done / seconds,
        "run_ms": 1e3 * seconds / done,
    }


def nothing(_adapter):
    """What is loaded without any work."""
    return {}


def prepare(adapter):
    """A run of one call, so that the store is there."""
    adapter.open("first", {"lr": 0.1})({"loss": 1.0}, 0)
    adapter.finish()
    return {}


def writer(adapter, number, go, most, seconds):
    """One of several writers at once: its own run, from the moment that *go* exists."""
    pool = calls()
    while not Path(go).exists():
        time.sleep(0.002)
    log = adapter.open(f"writer{number}", {"lr": 0.1})
    end = time.monotonic() + seconds
    done = 0
    while done < most and time.monotonic() < end:
        log(pool[done % 1000], done)
        done += 1
    adapter.finish()
    return {"calls": done}


def burst(adapter, ledger):
    """Log until killed; after each call that returned, count it in the ledger."""
    pool = calls()
    with Path(ledger).open("r+b") as file:
        counter = mmap.mmap(file.fileno(), COUNTER.size)
    log = adapter.open("run", {"lr": 0.1})
    step = 0
    while True:
        log(pool[step % 1000], step)
        step += 1
        COUNTER.pack_into(counter, 0, step)


ODD = {
    "nan": math.nan,
    "inf": math.inf,
    "minus_inf": -math.inf,
    "huge": 1.7e308,
    "tiny": 5e-324,
    "exact": 2**53,
    "large": 2**70,
    "true": True,
    "none": None,
}


def odd(adapter):
    """Log values that tools treat differently, each in a call of its own."""
    refused = {}
    log = adapter.open("run", {"lr": 0.1})
    log({"loss": 1.0}, 0)
    for step, (name, value) in enumerate(ODD.items(), 1):
        try:
            log({name: value}, step)
        except Exception as error:  # noqa: BLE001 (its words are the finding)
            refused[name] = words(error)
    for step in (110, 105, 120):
        try:
            log({"back": float(step)}, step)
        except Exception as error:  # noqa: BLE001
            refused["back"] = words(error)
    adapter.finish()
    return {"refused": refused}


def words(error):
    """The last line of an error, as its tool put it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:240]
