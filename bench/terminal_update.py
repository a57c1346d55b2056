"""The price of `RichTrainerVisualizer.update` while its view is on, and of a rendering."""

import io
import math
import os
import pty
import random
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _timing import Claim, folder, fresh, main

CALLS = 20_000
SECONDS = 10.0
STEP = 0.001
TURN = 50


def on_a_terminal(path: str, task: str) -> Any:
    """Do a task of this file with a terminal of 120 by 40 as the standard output."""
    import fcntl  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    kept = os.dup(1)
    os.dup2(slave, 1)
    os.environ.update(TERM="xterm-256color", STEPWELL_STORE=str(Path(path) / "s.duckdb"))
    os.environ.pop("CI", None)
    command = ["sh", "-c", f"cat | wc -c > '{path}/drawn'"]  # who looks at the terminal
    reader = subprocess.Popen(command, stdin=master, stdout=subprocess.DEVNULL)
    try:
        tasks: dict[str, Callable[[], Any]] = {
            "calls": calls,
            "dual": dual_calls,
            "loop": loops,
        }
        result = tasks[task]()
    finally:
        os.dup2(kept, 1)
        os.close(slave)
        reader.wait()
    if int((Path(path) / "drawn").read_text()) < 1000:  # noqa: PLR2004
        raise RuntimeError("the view was not on")
    return result


def snapshots() -> list[Any]:
    """A thousand snapshots with 16 experts and 5 custom metrics."""
    from stepwell.rich_trainer_viz import TrainingSnapshot  # noqa: PLC0415

    draw = random.Random(7)
    return [
        TrainingSnapshot(
            step=step,
            train_loss=draw.random(),
            learning_rate=0.001,
            aux_loss=draw.random(),
            expert_utilization={number: draw.random() for number in range(16)},
            batch_size=32,
            sequence_length=512,
            gradient_norm=draw.random(),
            custom_metrics={f"custom_{number}": draw.random() for number in range(5)},
        )
        for step in range(1000)
    ]


def _visualizer() -> Any:
    from stepwell.rich_trainer_viz import RichTrainerVisualizer  # noqa: PLC0415

    visualizer = RichTrainerVisualizer()
    visualizer.start(total_steps=CALLS, description="bench")
    return visualizer


def calls() -> dict[str, float]:
    """Time each of 20,000 updates, some 200 µs apart, as beside a fast step."""
    visualizer, pool = _visualizer(), snapshots()
    spent = _time(visualizer.update, pool)
    visualizer.close()
    return spent


def dual_calls() -> dict[str, float]:
    """The same, where a plot's visualizer has said the losses before."""
    from stepwell.training_viz import create_moe_visualizer  # noqa: PLC0415

    plots = create_moe_visualizer()
    visualizer, pool = _visualizer(), snapshots()

    def before(snapshot: Any) -> None:
        plots.update_metrics({"train_loss": snapshot.train_loss}, step=snapshot.step)

    spent = _time(visualizer.update, pool, before)
    visualizer.close()
    plots.close()
    return spent


def _time(
    update: Callable[[Any], None], pool: list[Any], before: Callable[[Any], None] = bool
) -> dict[str, float]:
    spent: list[int] = []
    clock = time.perf_counter_ns
    for number in range(CALLS):
        snapshot = pool[number % len(pool)]
        snapshot.step = number
        before(snapshot)
        begin = clock()
        update(snapshot)
        end = clock()
        spent.append(end - begin)
        while clock() - end < 200_000:  # noqa: PLR2004 (a step's work)
            pass
    ordered = sorted(spent)
    places = {"median": 0.5, "p99": 0.99, "p99.9": 0.999}
    return {name: ordered[int(share * CALLS)] / 1e3 for name, share in places.items()}


def loops() -> list[float]:
    """Steps of 1 ms with the view on.

    Returns:
        In percent of the loop's time: what the updates cost it, as the median of turns of
        50 steps with and without; and what the view's own thread computes meanwhile.
    """
    rounds, pool = _calibrate(), snapshots()
    visualizer = _visualizer()
    number, ratios = 0, []
    began = time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        spent = {False: 0.0, True: 0.0}
        for updating in (False, True, True, False):
            begin = time.thread_time()
            for _ in range(TURN):
                _work(rounds)
                if updating:
                    pool[number % 1000].step = number
                    visualizer.update(pool[number % 1000])
                    number += 1
            spent[updating] += time.thread_time() - begin
        ratios.append(spent[True] / spent[False])
    (thread,) = (t for t in threading.enumerate() if t.name == "stepwell-terminal")
    clock = time.pthread_getcpuclockid(thread.ident or 0)
    before, began = time.clock_gettime(clock), time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        _work(rounds)
        pool[number % 1000].step = number
        visualizer.update(pool[number % 1000])
        number += 1
    share = (time.clock_gettime(clock) - before) / (time.perf_counter() - began)
    visualizer.close()
    return [100 * (sorted(ratios)[len(ratios) // 2] - 1), 100 * share]


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


def renderings(columns: int, rows: int, experts: int) -> float:
    """Milliseconds of one rendering, from the view's value to the terminal's bytes."""
    from rich.console import Console  # noqa: PLC0415

    from stepwell.viz.config.terminal_config import VisualizationConfig  # noqa: PLC0415
    from stepwell.viz.terminal.live_display import Display, Subject  # noqa: PLC0415
    from stepwell.viz.terminal.screens import Encoder  # noqa: PLC0415

    class Nowhere:
        period = 1e6
        show = close = staticmethod(bool)

    display = Display(
        Subject("bench", "bench", "0", 20000), VisualizationConfig(), Nowhere()
    )
    draw = random.Random(7)
    for step in range(12_840):
        metrics = {f"metric_{n}": draw.random() for n in range(9)}
        metrics["train_loss"] = math.exp(-step / 2500) + draw.random() * 0.05
        metrics |= {f"expert_{n}": draw.random() for n in range(experts)}
        display.say(step, metrics)
        if step % 100 == 0:
            display.tick()
    display.tick()
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system="truecolor", _environ={}
    )
    encoder = Encoder(console, only_ascii=False, encoding="utf-8")
    spent = []
    for _ in range(300):
        begin = time.thread_time()
        encoder.frame(display.view(), columns, rows - 2)
        spent.append(time.thread_time() - begin)
    return sorted(spent)[len(spent) // 2] * 1e3


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process and a new store."""
    found: dict[str, list[Any]] = {"calls": [], "dual": [], "loop": []}
    for _ in range(repetitions):
        for task, results in found.items():
            with folder() as path:
                results.append(fresh(on_a_terminal, path, task))
    drawn = [fresh(renderings, 120, 40, 16) for _ in range(repetitions)]
    wide = [fresh(renderings, 200, 50, 128) for _ in range(repetitions)]

    def claim(task: str, field: str, most: float | None = None) -> Claim:
        values = [one[field] for one in found[task]]
        kind = "of two front ends" if task == "dual" else "alone"
        return Claim(f"update, {kind}: {field}", values, "µs", most=most)

    updates, view = (list(one) for one in zip(*found["loop"], strict=True))
    both = [a + b for a, b in zip(updates, view, strict=True)]
    return [
        claim("calls", "median", 25),
        claim("calls", "p99"),
        claim("calls", "p99.9"),
        claim("dual", "median"),
        claim("dual", "p99"),
        Claim("1 ms steps slower, by the updates", updates, "%"),
        Claim("1 ms steps slower, by the view's thread", view, "%"),
        Claim("1 ms steps slower, together", both, "%", most=3),
        Claim("one rendering, 120 x 40, 16 experts", drawn, "ms", most=2),
        Claim("one rendering, 200 x 50, 128 experts", wide, "ms"),
    ]


if __name__ == "__main__":
    main(measure, repetitions=3)
