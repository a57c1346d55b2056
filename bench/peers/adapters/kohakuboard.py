"""KohakuBoard, local; without console capture. Its steps are its own counter."""

import os
from pathlib import Path

import kohakuboard.client as tool

FOLDER = Path(os.environ["PEERS_FOLDER"])


class Adapter:
    """A folder a run: a columnar file a metric, written by a process of its own."""

    reads_with = ("kohakuboard.utils.board_reader",)
    derived = ("leaderboard", "every")

    def __init__(self, folder):
        self._board = None

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        self._board = board = tool.Board(
            name=name,
            config=config,
            project="bench",
            base_dir=FOLDER / "boards",
            capture_output=False,
        )

        def log(metrics, step):
            board.log(**metrics)

        return log

    def finish(self):
        """End the run."""
        self._board.finish()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        found = _reader(name).get_scalar_data(metric)
        return found["steps"], found["values"]

    def summary(self, name):
        """What the tool calls a board's summary; it has no values."""
        return _reader(name).get_summary()

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        rows = []
        for name, reader in _readers().items():
            value = reader.get_scalar_data(metric)["values"][-1]
            rows.append((name, value, reader.get_metadata()["config"]["lr"]))
        return sorted(rows, key=lambda row: row[1])[:10]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        found = [len(one.get_scalar_data(metric)["steps"]) for one in _readers().values()]
        return len(found), sum(found)


def _readers():
    from kohakuboard.utils.board_reader import BoardReader

    folders = sorted(file.parent for file in (FOLDER / "boards").rglob("metadata.json"))
    readers = [BoardReader(folder) for folder in folders]
    return {reader.get_metadata()["name"]: reader for reader in readers}


def _reader(name):
    return _readers()[name]
