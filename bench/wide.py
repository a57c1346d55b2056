"""Runs of very many metrics and parameters, and stores with runs that were resumed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from _runs import log
from _timing import Claim, compiled, folder, fresh, in_turn, main, milliseconds

import stepwell

KEYS = 100_000
RUNS, POINTS = 200, 5000
MEAN = "select avg(value) from metrics where metric = 'loss'"
MEANS = "select run, mean from summary where metric = 'loss'"


def record_wide(store: str) -> None:
    """Two runs of 100,000 metrics, and two of as many parameters."""
    for name in ("first", "second"):
        metrics = {f"layer_{number}/norm": number / 7 for number in range(KEYS)}
        with stepwell.init(name=name, store=store) as run:
            for _ in range(3):
                run.log(metrics)
    for number, name in enumerate(("some", "others")):
        config = {f"layer_{key}/rate": key + number for key in range(KEYS)}
        stepwell.init(name=name, config=config, store=store).finish()


def record_many(store: str, resumed: int) -> None:
    """200 runs of 5,000 points, of which the first *resumed* went on from their middle."""
    pool = [{"loss": 1 / (1 + step)} for step in range(POINTS)]
    for number in range(RUNS):
        run = stepwell.init(id=f"run-{number}", name=f"run-{number}", store=store)
        log(run, POINTS, pool)
        run.finish()
    for number in range(resumed):
        run = stepwell.init(id=f"run-{number}", resume="must", store=store)
        for step in range(POINTS // 2, POINTS):
            run.log(pool[step], step=step)
        run.finish()


def command(store: str, *words: str) -> list[float]:
    """Seconds of a command of `stepwell`, the whole process, and its memory in MB."""
    start = [sys.executable, "-c", "from stepwell.cli import start; start()"]
    begin = time.perf_counter()
    with subprocess.Popen(
        [*start, "--store", store, *words], stdout=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        spent = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return [spent, used.ru_maxrss / 1024]


def compare(plain: str, resumed: str) -> list[float]:
    """How many times as long a store takes that has resumed runs, for each question."""
    with stepwell.open_store(plain) as one, stepwell.open_store(resumed) as other:
        stores = (one, other)
        for store in stores:
            ((count,),) = store.sql("select count(*) from metrics").fetchall()
            if count != RUNS * POINTS:
                raise ValueError(f"{count:,} points, not {RUNS * POINTS:,}")
        return [
            _times(*((lambda s=store: _summaries(s)) for store in stores)),
            _times(*((lambda s=store: s.summary("run-0")) for store in stores)),
            _times(*((lambda s=store: s.sql(MEANS).fetchall()) for store in stores)),
            _times(*((lambda s=store: s.sql(MEAN).fetchall()) for store in stores)),
        ]


def _summaries(store: stepwell.Store) -> None:
    for number in range(0, RUNS, RUNS // 40):  # of which a tenth went on, too
        store.summary(f"run-{number}")


def _times(first: Callable[[], object], second: Callable[[], object]) -> float:
    pairs = in_turn(9, lambda: milliseconds(first, 1), lambda: milliseconds(second, 1))
    plain, resumed = (median(one) for one in zip(*pairs, strict=True))
    return resumed / plain


def measure(repetitions: int) -> list[Claim]:
    """Three stores; each repetition asks them from fresh processes."""
    with folder() as path:
        wide, plain, resumed = (
            str(path / f"{name}.duckdb") for name in ("wide", "plain", "resumed")
        )
        fresh(record_wide, wide)
        fresh(record_many, plain, 0)
        fresh(record_many, resumed, RUNS // 10)
        with compiled():
            command(wide, "ls")
            shows = _columns(lambda: command(wide, "show", "first"), repetitions)
            metrics = _columns(
                lambda: command(wide, "compare", "first", "second"), repetitions
            )
            configs = _columns(
                lambda: command(wide, "compare", "some", "others"), repetitions
            )
        ratios = _columns(lambda: fresh(compare, plain, resumed), repetitions)
    return [
        Claim("show of 100,000 metrics", shows[0], "s", most=3),
        Claim("memory of it", shows[1], "MB", most=300),
        Claim("compare of 100,000 metrics", metrics[0], "s", most=5),
        Claim("memory of it", metrics[1], "MB"),
        Claim("compare of 100,000 parameters", configs[0], "s", most=5),
        Claim("memory of it", configs[1], "MB"),
        Claim("40 summaries, a tenth resumed ÷ none", ratios[0], "times", most=1.5),
        Claim("summary of a resumed run, the same", ratios[1], "times"),
        Claim("means of 200 runs, the same", ratios[2], "times", most=1.5),
        Claim("mean of 1M points, the same", ratios[3], "times", most=1.5),
    ]


def _columns(ask: Callable[[], list[float]], repetitions: int) -> list[list[float]]:
    return [list(one) for one in zip(*(ask() for _ in range(repetitions)), strict=True)]


if __name__ == "__main__":
    main(measure)
