"""Stepwell."""

from pathlib import Path

import stepwell as tool


class Adapter:
    """One DuckDB file and its journals."""

    reads_with = (
        "duckdb",
        "numpy",
        "stepwell.store.open",
        "stepwell.store.store",
        "stepwell.store.queries.series",
        "stepwell.store.sweeps.leaderboard",
        "stepwell.store.user_sql.run_query",
    )
    derived = ()

    def __init__(self, folder):
        self._store = Path(folder) / "stepwell.duckdb"
        self._run = None

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        self._run = tool.init(store=self._store, name=name, config=config)
        return self._run.log

    def finish(self):
        """End the run."""
        self._run.finish()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        with tool.open_store(self._store) as store:
            found = store.series(name, metric)
        return found.steps.tolist(), found.values.tolist()

    def summary(self, name):
        """The last value of each metric of a run."""
        with tool.open_store(self._store) as store:
            return {m: one.current for m, one in store.summary(name).items()}

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        with tool.open_store(self._store) as store:
            best = store.leaderboard(metric, at="last", limit=10)
            found = {run.run_id: run for run in store.runs(tuple(best.run_id))}
        rates = [found[run].config["lr"] for run in best.run_id]
        return list(zip(best.run.tolist(), best.value.tolist(), rates, strict=True))

    def every(self, _metric):
        """The loss of every run: how many runs and how many points."""
        with tool.open_store(self._store) as store:
            found = store.sql(
                "select run, step, value from metrics where metric = 'loss'"
                " order by run, step"
            ).fetchall()
        return len({run for run, _, _ in found}), len(found)

    def status(self, name):
        """What the tool says about the run's state."""
        with tool.open_store(self._store) as store:
            return store.run(name).status


def frames(folder, length, count, new_steps, seconds):
    """Milliseconds of frames of the live figure that is drawn inside the loop.

    A frame reads from the store what is new and draws it; logging is not in it.
    """
    import time

    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from m.training_viz import MetricConfig, PlotConfig, TrainingVisualizerConfig
    from stepwell.viz.window.window_loop import make_live, new_figure

    config = TrainingVisualizerConfig(
        plots=[PlotConfig("Loss", "loss")],
        metrics=[MetricConfig("loss", 0), MetricConfig("val_loss", 0)],
        figure_size=(8, 5),
    )
    run = tool.init(store=Path(folder) / "stepwell.duckdb", name="live")
    noise = _noise(length + count * new_steps)
    for step in range(length):
        run.log({"loss": noise[step], "val_loss": noise[-step]}, step)
    with tool.open_store(run.location) as store:
        figure = new_figure(config)
        FigureCanvasAgg(figure)
        live = make_live(store, run.id, config, figure)
        live.look()
        live.frame()
        spent = []
        for number in range(count):
            if sum(spent) > 1e3 * seconds:
                break
            first = length + number * new_steps
            for step in range(first, first + new_steps):
                run.log({"loss": noise[step], "val_loss": noise[-step]}, step)
            begin = time.perf_counter()
            live.look()
            live.frame()
            spent.append(1e3 * (time.perf_counter() - begin))
    run.finish()
    return spent


def _noise(length):
    import random

    draw = random.Random(7)
    return [2.0 / (1 + 0.001 * step) + draw.gauss(0.0, 0.05) for step in range(length)]
