"""What one frame of the live figure costs, and how that grows with the run.

Four panels of three noisy lines, 12×8 inches at 100 dots an inch, on matplotlib's Agg
canvas; each frame brings 50 new steps. Beside it the usual way, which clears the axes and
plots all points again, and livelossplot where it is installed.
"""

import importlib.util
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from _timing import Claim, fresh, main
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from m.training_viz import MetricConfig, PlotConfig, TrainingVisualizerConfig
from stepwell.store import MetricSummary, News, RunInfo, Series
from stepwell.viz.live.figure import LiveFigure
from stepwell.viz.live.page import columns_of
from stepwell.viz.live.run_follower import Feed
from stepwell.viz.window.window import Window
from stepwell.viz.window.window_loop import FRAME_SECONDS, new_figure

METRICS = [f"part_{number}/loss" for number in range(12)]
NEW_STEPS = 50
FRAMES = 60
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Simulated:
    """Answers what is new in a run of noise, as a store does."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._random = np.random.default_rng(7)
        self._given = 0

    def noise(self, first: int, last: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """A descent with noise."""
        steps = np.arange(first, last)
        descent = 2.0 * np.exp(-steps / (0.3 * self.length)) + 0.5
        return descent * np.exp(self._random.normal(0.0, 0.1, last - first))

    def news(
        self, run: str, metrics: Sequence[str], known: Mapping[str, tuple[int, int]]
    ) -> News:
        """The points up to `length` that were not given yet."""
        first, self._given = self._given, self.length
        steps = np.arange(first, self.length)
        points = {}
        summary = {}
        for metric in metrics:
            if len(steps):
                points[metric] = steps, self.noise(first, self.length)
            summary[metric] = MetricSummary(
                0.6, 0.5, 3.0, 1.0, self.length, 0, 7, 0, self.length - 1
            )
        whole = frozenset(points if first == 0 else ())
        now = BEGIN + timedelta(seconds=self.length / 100)
        return News(run_info(), summary, points, whole, now)

    def series(self, run: RunInfo, metric: str) -> Series:
        """The points given so far, with the times that `news` says."""
        steps = np.arange(self.length)
        begin = np.datetime64(BEGIN.replace(tzinfo=None), "us")
        times = begin + (steps * 10_000).astype("timedelta64[us]")
        return Series(run.run_id, metric, steps, times, np.ones(self.length))


def run_info() -> RunInfo:
    """A run that goes on."""
    absent: dict[str, Any] = dict.fromkeys(RunInfo._fields)
    return RunInfo(
        **absent
        | {
            "run_id": "01920000-0000-7000-8000-000000000000",
            "name": "noise",
            "tags": (),
            "status": "running",
            "config": {},
            "created_at": BEGIN,
            "attempt": 1,
            "lost_calls": 0,
        }
    )


def config() -> TrainingVisualizerConfig:
    """Four panels of three lines."""
    return TrainingVisualizerConfig(
        plots=[PlotConfig(f"Part {number}", "loss") for number in range(4)],
        metrics=[MetricConfig(name, place // 3) for place, name in enumerate(METRICS)],
    )


def ours(length: int, window: bool = False) -> list[float]:
    """Milliseconds: frames with news, then one without."""
    store: Any = Simulated(length)
    figure = new_figure(config())
    shown = Window(figure, "qtagg", "bench") if window else None
    if shown is None:
        FigureCanvasAgg(figure)
    live = LiveFigure(figure, config(), Feed(store, "noise", METRICS, columns_of(config())))
    live.look()
    areas = live.frame()
    if shown is not None:
        shown.show()
        shown.update(areas)
        shown.pump(0.3)
    spent = []
    for _ in range(FRAMES):
        store.length += NEW_STEPS
        live.look()  # the store is no part of this measurement
        begin = time.perf_counter()
        areas = live.frame(FRAME_SECONDS)
        if shown is not None:
            shown.update(areas)
            shown.pump()
        spent.append(1e3 * (time.perf_counter() - begin))
    idle = []
    for _ in range(1000):
        begin = time.perf_counter()
        live.frame()
        idle.append(1e3 * (time.perf_counter() - begin))
    return [*spent, statistics.median(idle)]


def usual(length: int) -> list[float]:
    """Milliseconds of frames that clear the axes and plot every point again."""
    store = Simulated(length)
    figure = Figure(figsize=(12, 8), dpi=100)
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(2, 2).ravel()
    lines = [store.noise(0, length) for _ in METRICS]
    spent = []
    for _ in range(3 if length > 100_000 else 10):  # noqa: PLR2004
        begin = time.perf_counter()
        for place, axes in enumerate(panels):
            axes.clear()
            for number in range(3):
                axes.plot(lines[3 * place + number], label=METRICS[number])
            axes.set_title(f"Part {place}")
            axes.grid(visible=True)
            axes.legend(loc="upper right")
        canvas.draw()
        spent.append(1e3 * (time.perf_counter() - begin))
    return spent


def livelossplot(length: int) -> list[float]:
    """Milliseconds of livelossplot's frames of the same lines, drawn in full."""
    os.environ["MPLBACKEND"] = "agg"
    from livelossplot import PlotLosses  # noqa: PLC0415 (may be absent)
    from livelossplot.outputs import MatplotlibPlot  # noqa: PLC0415
    from matplotlib import pyplot  # noqa: PLC0415

    groups = {f"part {n}": METRICS[3 * n : 3 * n + 3] for n in range(4)}
    output = MatplotlibPlot(max_cols=2, after_plots=[], cell_size=(6, 4))
    losses = PlotLosses(groups=groups, outputs=[output], mode="script")
    store = Simulated(length)
    lines = [store.noise(0, length).tolist() for _ in METRICS]
    for step in range(length):
        losses.update({name: line[step] for name, line in zip(METRICS, lines, strict=True)})
    spent = []
    for _ in range(3):
        begin = time.perf_counter()
        losses.send()
        pyplot.gcf().canvas.draw()
        spent.append(1e3 * (time.perf_counter() - begin))
        pyplot.close("all")
    return spent


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process for each length, one after the other."""
    lengths = (1_000, 100_000, 10_000_000)
    rounds: list[dict[Any, list[float]]] = []
    for _ in range(repetitions):
        found: dict[Any, list[float]] = {n: fresh(ours, n) for n in lengths}
        found |= {("usual", n): fresh(usual, n) for n in (1_000, 1_000_000)}
        found["million"] = fresh(ours, 1_000_000)
        rounds.append(found)
    middle = statistics.median
    claims = []
    for length in lengths:
        frames = [one[length][:-1] for one in rounds]
        name = f"frame of {length:,} points a line"
        claims += [
            Claim(f"{name}, median", [middle(one) for one in frames], "ms", most=40),
            Claim(f"{name}, p95", [_p95(one) for one in frames], "ms", most=200),
        ]
    spans = [[middle(one[n][:-1]) for n in lengths] for one in rounds]
    thousand = [middle(o[("usual", 1000)]) / middle(o[1000][:-1]) for o in rounds]
    million = [middle(o[("usual", 10**6)]) / middle(o["million"][:-1]) for o in rounds]
    claims += [
        Claim("slowest length ÷ fastest", [max(s) / min(s) for s in spans], "", most=1.3),
        Claim("clear and plot ÷ ours, 1,000 points", thousand, "", least=8),
        Claim("clear and plot ÷ ours, 1M points", million, "", least=100),
        Claim("frame without news", [o[1000][-1] for o in rounds], "ms", most=0.1),
    ]
    if os.environ.get("DISPLAY"):
        frames = [fresh(ours, 100_000, True)[:-1] for _ in range(repetitions)]
        name = "frame in a Qt window, 100,000 points"
        claims.append(Claim(name, [middle(one) for one in frames], "ms", most=50))
    if importlib.util.find_spec("livelossplot"):
        ratios = [middle(fresh(livelossplot, 1000)) / middle(o[1000][:-1]) for o in rounds]
        claims.append(Claim("livelossplot ÷ ours, 1,000 points", ratios, ""))
    return claims


def _p95(frames: list[float]) -> float:
    return sorted(frames)[int(0.95 * len(frames))]


if __name__ == "__main__":
    main(measure, repetitions=3)
