"""livelossplot: live plots in a notebook or a script; it keeps nothing."""

import os
import random
import time

os.environ["MPLBACKEND"] = "agg"


def frames(_folder, length, count, new_steps, seconds):
    """Milliseconds of frames."""
    from livelossplot import PlotLosses
    from livelossplot.outputs import MatplotlibPlot
    from matplotlib import pyplot

    output = MatplotlibPlot(max_cols=1, after_plots=[], cell_size=(8, 5))
    losses = PlotLosses(
        groups={"Loss": ["loss", "val_loss"]}, outputs=[output], mode="script"
    )
    draw = random.Random(7)
    spent = []
    step = 0
    for number in range(count + 1):
        if sum(spent[1:]) > 1e3 * seconds:
            break
        for _ in range(new_steps if number else length):
            step += 1
            descent = 2.0 / (1 + 0.001 * step)
            losses.update(
                {
                    "loss": descent + draw.gauss(0.0, 0.05),
                    "val_loss": descent + draw.gauss(0.0, 0.05),
                }
            )
        begin = time.perf_counter()
        losses.send()
        pyplot.gcf().canvas.draw()
        spent.append(1e3 * (time.perf_counter() - begin))
        pyplot.close("all")
    return spent[1:]
