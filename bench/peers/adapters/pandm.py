"""pandm, local only."""

import os
from pathlib import Path

FOLDER = Path(os.environ["PEERS_FOLDER"])
os.environ.update(PANDM_NO_SYNC="1")

import pandm as tool  # noqa: E402 (reads the environment)


class Adapter:
    """One SQLite file."""

    reads_with = ("pandm.storage",)
    derived = ("leaderboard",)

    def __init__(self, folder):
        self._run = None

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        self._run = tool.init(
            project="bench",
            name=name,
            id=name,
            config=config,
            directory=str(FOLDER / "pandm"),
            remote=False,
        )
        return self._run.log

    def finish(self):
        """End the run."""
        self._run.finish()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        found = _store().metric_series(name, metric, after_step=-1)
        return found["steps"], found["values"]

    def summary(self, name):
        """The last value of each metric of a run."""
        return {m: one["last"] for m, one in _store().get_run(name)["stats"].items()}

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        runs = [run for run in _store().list_runs("bench") if metric in run["stats"]]
        rows = [(r["name"], r["stats"][metric]["last"], r["config"]["lr"]) for r in runs]
        return sorted(rows, key=lambda row: row[1])[:10]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        store = _store()
        found = [
            len(store.metric_series(run["id"], metric, after_step=-1)["steps"])
            for run in store.list_runs("bench")
        ]
        return len(found), sum(found)

    def status(self, name):
        """What the tool says about the run's state."""
        return _store().get_run(name)["status"]


def _store():
    from pandm.storage import LocalStore

    return LocalStore(FOLDER / "pandm")
