"""Trackio, on its local SQLite file; without system metrics."""

import os
from pathlib import Path

FOLDER = Path(os.environ["PEERS_FOLDER"])
os.environ.update(
    TRACKIO_DIR=str(FOLDER / "trackio"),
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
)

import trackio as tool  # noqa: E402 (reads the environment)

PROJECT = "bench"


class Adapter:
    """One SQLite file a project; the values of a call are a JSON text."""

    reads_with = ("trackio.sqlite_storage",)
    derived = ("leaderboard", "every")

    def __init__(self, folder):
        self._folder = folder

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        run = tool.init(
            PROJECT,
            name=name,
            config=config,
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        return run.log

    def finish(self):
        """End the run."""
        tool.finish()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        found = _storage().get_metric_values(PROJECT, name, metric)
        return [one["step"] for one in found], [one["value"] for one in found]

    def summary(self, name):
        """The last value of each metric of a run."""
        found = _storage().get_logs(PROJECT, name)
        return {} if not found else dict(found[-1])

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        found = _storage().query_project(
            PROJECT,
            "select run_name, json_extract(metrics, '$.loss') as value, max(step)"
            " from metrics group by run_name order by value limit 10",
        )["rows"]
        names = {run.name: run for run in tool.Api().runs(PROJECT)}
        return [
            (r["run_name"], r["value"], (names[r["run_name"]].config or {}).get("lr"))
            for r in found
        ]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        found = [len(self.series(r.name, metric)[0]) for r in tool.Api().runs(PROJECT)]
        return len(found), sum(found)


def _storage():
    from trackio.sqlite_storage import SQLiteStorage

    return SQLiteStorage
