"""TensorBoard's event files, written by tensorboardX, read by tensorboard."""

import os
from pathlib import Path

import tensorboardX as tool  # noqa: N813 (its name)

FOLDER = Path(os.environ["PEERS_FOLDER"])


class Adapter:
    """A folder a run, with an event file."""

    reads_with = ("tensorboard.backend.event_processing.event_accumulator",)
    derived = ("summary", "leaderboard", "every")

    def __init__(self, folder):
        self._writer = None

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        self._writer = tool.SummaryWriter(logdir=str(FOLDER / name))
        self._writer.add_text("lr", str(config["lr"]))
        add = self._writer.add_scalar

        def log(metrics, step):
            for metric, value in metrics.items():
                add(metric, value, step)

        return log

    def finish(self):
        """End the run."""
        self._writer.close()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        found = _events(name).Scalars(metric)
        return [one.step for one in found], [one.value for one in found]

    def summary(self, name):
        """The last value of each metric of a run."""
        events = _events(name)
        return {m: events.Scalars(m)[-1].value for m in events.Tags()["scalars"]}

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        rows = []
        for name in _names():
            events = _events(name)
            [text] = events.Tensors("lr/text_summary")[0].tensor_proto.string_val
            rows.append((name, events.Scalars(metric)[-1].value, float(text)))
        return sorted(rows, key=lambda row: row[1])[:10]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        found = [len(self.series(name, metric)[0]) for name in _names()]
        return len(found), sum(found)


def _names():
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def _events(name):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(FOLDER / name), size_guidance={"scalars": 0})
    events.Reload()
    return events
