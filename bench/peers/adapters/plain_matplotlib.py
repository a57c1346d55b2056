"""The usual way with matplotlib alone: clear the axes, plot every point, draw."""

import random
import time


def frames(_folder, length, count, new_steps, seconds):
    """Milliseconds of frames."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    draw = random.Random(7)
    steps, losses, others = [], [], []
    spent = []
    for number in range(count + 1):
        if sum(spent[1:]) > 1e3 * seconds:
            break
        for _ in range(new_steps if number else length):
            steps.append(len(steps))
            losses.append(2.0 / (1 + 0.001 * len(steps)) + draw.gauss(0.0, 0.05))
            others.append(2.1 / (1 + 0.001 * len(steps)) + draw.gauss(0.0, 0.05))
        begin = time.perf_counter()
        axes.clear()
        axes.plot(steps, losses, label="loss")
        axes.plot(steps, others, label="val_loss")
        axes.set_title("Loss")
        axes.grid(visible=True)
        axes.legend(loc="upper right")
        canvas.draw()
        spent.append(1e3 * (time.perf_counter() - begin))
    return spent[1:]
