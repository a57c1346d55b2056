"""Two hundred runs of 20,000 points drawn over each other, from the store to a PNG."""

import resource
import time
from pathlib import Path

from _sweep_store import make_store
from _timing import Claim, folder, fresh, main

import stepwell
from stepwell.store import FigureSpec
from stepwell.viz import redraw

METRIC = "train/loss"
RUNS, POINTS = 200, 20_000
_MEGABYTE = 1024


def make(path: str) -> None:
    """A store of many long runs."""
    make_store(Path(path), RUNS, POINTS).close()


def draw(store: str, picture: str) -> list[float]:
    """Seconds for the picture of all runs and that of groups; and the megabytes."""
    with stepwell.open_store(store) as opened:
        spent = []
        for options in ({}, {"group_by": "lr", "smooth": "ema:0.9"}):
            spec = FigureSpec("curves", options={"metric": METRIC} | options)
            begin = time.perf_counter()
            redraw(opened, spec, picture)
            spent.append(time.perf_counter() - begin)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE
    return [*spent, most]


def measure(repetitions: int) -> list[Claim]:
    """One store; each repetition draws it in a fresh process, imports included."""
    with folder() as path:
        store, picture = path / "store.duckdb", path / "runs.png"
        fresh(make, store)
        found = [fresh(draw, store, picture) for _ in range(repetitions)]
    every, grouped, memory = (list(one) for one in zip(*found, strict=True))
    return [
        Claim("200 runs × 20k points as PNG", every, "s", most=2),
        Claim("the same in smoothed groups", grouped, "s", most=2),
        Claim("memory of both", memory, "MB", most=600),
    ]


if __name__ == "__main__":
    main(measure)
