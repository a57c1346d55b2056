"""How much a loop of 10 ms steps slows down when a window shows each of its steps.

Needs Xvfb. The loop works for 10 ms a step, and its visualizer has three metrics in each
of four panels and `update_interval=1`. It runs without a view, with a window of Qt drawn in
the loop, and with a window in a process of its own, in turn.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from _timing import Claim, folder, fresh, main

from m.training_viz import (
    MetricConfig,
    PlotConfig,
    RealTimeTrainingVisualizer,
    TrainingVisualizerConfig,
)

STEPS = 1000
STEP = 0.01
METRICS = [f"part_{number}/loss" for number in range(12)]


def loop(path: str, window: str) -> float:
    """Seconds of the steps alone, once the window is open."""
    os.environ["STEPWELL_STORE"] = f"{path}/store.duckdb"
    config = TrainingVisualizerConfig(
        update_interval=1,
        window=window,
        plots=[PlotConfig(f"Part {number}", "loss") for number in range(4)],
        metrics=[MetricConfig(name, place // 3) for place, name in enumerate(METRICS)],
    )
    with RealTimeTrainingVisualizer(config) as visualizer:
        end = time.perf_counter() + 8
        while time.perf_counter() < end:
            _step(visualizer, 0)
        begin = time.perf_counter()
        for step in range(STEPS):
            _step(visualizer, step)
        return time.perf_counter() - begin


def _step(visualizer: RealTimeTrainingVisualizer, step: int) -> None:
    end = time.perf_counter() + STEP
    while time.perf_counter() < end:
        pass  # the training's own work
    values = {name: 1 / (step + place + 1) for place, name in enumerate(METRICS)}
    visualizer.update_metrics(values)


@contextmanager
def screen() -> Iterator[None]:
    """A screen without a monitor."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1100x24"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as said:
        os.environ["DISPLAY"] = f":{said.readline().strip()}"
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process for each way, one after the other."""
    os.environ.pop("MPLBACKEND", None)
    slower: dict[str, list[float]] = {"inline": [], "auto": []}
    with screen():
        for _ in range(repetitions):
            seconds = {}
            for window in ("none", *slower):
                with folder() as path:
                    seconds[window] = fresh(loop, path, window)
            for window, found in slower.items():
                found.append(100 * (seconds[window] / seconds["none"] - 1))
    return [
        Claim("10 ms steps slower, window in the loop", slower["inline"], "%", most=15),
        Claim("10 ms steps slower, window in its process", slower["auto"], "%", most=3),
    ]


if __name__ == "__main__":
    main(measure, repetitions=3)
