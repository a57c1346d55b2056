"""What a visualizer costs the loop without a screen, and its memory as a run grows."""

import os
import statistics
import time
from typing import Any

from _runs import noisy_calls
from _timing import Claim, folder, fresh, main, memory
from live_frame import METRICS, Simulated, config
from matplotlib.backends.backend_agg import FigureCanvasAgg

import stepwell
from m.training_viz import create_loss_visualizer
from stepwell.viz.live.figure import LiveFigure
from stepwell.viz.live.page import columns_of
from stepwell.viz.live.run_follower import Feed
from stepwell.viz.window.window_loop import FRAME_SECONDS, new_figure

FEW, MANY = 10_000, 5_000_000
CALLS, TURNS = 2_000, 40


def calls(store: str) -> list[float]:
    """Median microseconds of `log`, and of `update_metrics`, in short turns."""
    pool = noisy_calls(CALLS)
    visualizer = create_loss_visualizer()  # before the other, which it would join
    first: list[float] = []
    second: list[float] = []
    plain = stepwell.init(store=store)
    for _ in range(TURNS):
        first += _turn(plain.log, pool)
        second += _turn(visualizer.update_metrics, pool)
    visualizer.close()
    plain.finish()
    return [statistics.median(first), statistics.median(second)]


def _turn(record: Any, pool: list[dict[str, float]]) -> list[float]:
    spent = []
    for values in pool:
        begin = time.perf_counter_ns()
        record(values)
        spent.append((time.perf_counter_ns() - begin) / 1e3)
    return spent


def loop(store: str) -> float:
    """Megabytes that the training process gains from 10,000 updates to five million."""
    os.environ["STEPWELL_STORE"] = store
    visualizer = create_loss_visualizer()
    few = 0.0
    for number in range(MANY):
        visualizer.update_metrics({"train_loss": number * 0.5, "val_loss": number * 0.25})
        if number == FEW:
            few = memory(os.getpid())["now"]
    return memory(os.getpid())["now"] - few


def figure() -> float:
    """Megabytes that a live figure of twelve lines gains over the same."""
    store: Any = Simulated(FEW)
    canvas = new_figure(config())
    FigureCanvasAgg(canvas)
    live = LiveFigure(canvas, config(), Feed(store, "noise", METRICS, columns_of(config())))
    for _ in range(20):
        store.length += 50
        live.look()
        live.frame(FRAME_SECONDS)
    few = memory(os.getpid())["now"]
    while store.length < MANY:
        store.length += 20_000
        live.look()
        live.frame(FRAME_SECONDS)
    return memory(os.getpid())["now"] - few


def measure(repetitions: int) -> list[Claim]:
    """Each figure comes from a fresh process."""
    os.environ.pop("DISPLAY", None)
    more, grown, drawn = [], [], []
    for _ in range(repetitions):
        with folder() as path:
            os.environ["STEPWELL_STORE"] = str(path / "store.duckdb")
            logged, updated = fresh(calls, path / "store.duckdb")
            more.append(updated - logged)
        with folder() as path:
            grown.append(fresh(loop, path / "store.duckdb"))
        drawn.append(fresh(figure))
    return [
        Claim("update_metrics above log, median", more, "µs", most=1),
        Claim("memory of the loop, 10k to 5M updates", grown, "MB", most=20),
        Claim("memory of a live figure, 10k to 5M steps", drawn, "MB", most=20),
    ]


if __name__ == "__main__":
    main(measure, repetitions=3)
