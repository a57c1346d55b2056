"""Questions about many runs: ranks, tables, curves, and what they cost in memory."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from _sweep_store import METRICS, make_store
from _timing import Claim, compiled, folder, fresh, main, memory, milliseconds

import stepwell
from stepwell.store import Selection, Store

LOSS = METRICS[0]


def make(store: str, runs: int, points: int, metrics: int) -> None:
    """A store of runs, made in bulk."""
    make_store(Path(store), runs, points, METRICS[:metrics])


def rank(store: str) -> list[float]:
    """Milliseconds for ranks and tables of all runs, and the most memory in MB."""
    with stepwell.open_store(store) as opened:
        return [
            milliseconds(lambda: opened.leaderboard(LOSS)),
            milliseconds(lambda: opened.leaderboard(LOSS, at="last")),
            milliseconds(lambda: opened.sweep_table(list(METRICS[:2]))),
            milliseconds(lambda: opened.group_by(LOSS, "lr")),
            milliseconds(lambda: opened.importance(LOSS)),
            memory()["peak"],
        ]


def overlay(store: str) -> list[float]:
    """Milliseconds for the curves of 200 runs, and the most memory in MB."""
    newest = Selection(limit=200)
    with stepwell.open_store(store) as opened:
        return [
            _curves(opened, newest, 1000),
            milliseconds(lambda: opened.curves(LOSS, runs=newest, x="elapsed")),
            memory()["peak"],
        ]


def long(store: str) -> list[float]:
    """Milliseconds for ten long curves, for a hundredth of them; memory in MB."""
    with stepwell.open_store(store) as opened:
        return [
            _curves(opened, None, 2000),
            milliseconds(
                lambda: opened.curves(LOSS, columns=2000, first=500_000, last=510_000)
            ),
            memory()["peak"],
        ]


def listing(store: str) -> float:
    """Milliseconds for the first page of `stepwell ls`, the whole process."""
    command = [sys.executable, "-c", "from stepwell.cli import start; start()"]
    begin = time.perf_counter()
    subprocess.run(
        [*command, "--store", store, "ls"], check=True, stdout=subprocess.DEVNULL
    )
    return 1000 * (time.perf_counter() - begin)


def _curves(store: Store, runs: Selection | None, columns: int) -> float:
    return milliseconds(lambda: store.curves(LOSS, runs=runs, columns=columns))


def measure(repetitions: int) -> list[Claim]:
    """Three stores; each repetition asks them from fresh processes."""
    with folder() as path:
        many, wide, deep = (
            str(path / f"{name}.duckdb") for name in ("many", "wide", "deep")
        )
        fresh(make, many, 10_000, 500, len(METRICS))
        fresh(make, wide, 1000, 20_000, 1)
        fresh(make, deep, 10, 1_000_000, 1)
        ranks = _columns(rank, many, repetitions)
        overlays = _columns(overlay, wide, repetitions)
        longs = _columns(long, deep, repetitions)
        with compiled():
            listing(many)
            listings = [listing(many) for _ in range(repetitions)]
    return [
        Claim("leaderboard of 10,000 runs", ranks[0], "ms", most=150),
        Claim("the same by last value", ranks[1], "ms", most=150),
        Claim("sweep table of 10,000 runs", ranks[2], "ms", most=150),
        Claim("groups of 10,000 runs", ranks[3], "ms"),
        Claim("importances of 10,000 runs", ranks[4], "ms"),
        Claim("memory of these", ranks[5], "MB", most=600),
        Claim("first page of stepwell ls, 10,000 runs", listings, "ms", most=300),
        Claim("200 runs x 20,000 points to 1,000 columns", overlays[0], "ms", most=400),
        Claim("the same by elapsed time", overlays[1], "ms"),
        Claim("memory of these", overlays[2], "MB", most=600),
        Claim("10 runs x 1M points to 2,000 columns", longs[0], "ms", most=600),
        Claim("a hundredth of them", longs[1], "ms", most=100),
        Claim("memory of these", longs[2], "MB", most=600),
    ]


def _columns(
    question: Callable[[str], list[float]], store: str, repetitions: int
) -> list[list[float]]:
    found = [fresh(question, store) for _ in range(repetitions)]
    return [list(one) for one in zip(*found, strict=True)]


if __name__ == "__main__":
    main(measure)
