"""Aim, on its local repository; without system metrics and terminal capture."""

import os
from pathlib import Path

FOLDER = Path(os.environ["PEERS_FOLDER"])
os.environ.update(AIM_UI_TELEMETRY_ENABLED="0", __AIM_TELEMETRY_ENABLED__="0")

import aim as tool  # noqa: E402 (reads the environment)
from aim.sdk.types import QueryReportMode  # noqa: E402

SILENT = QueryReportMode.DISABLED


class Adapter:
    """A RocksDB folder a run, and a SQLite file of the runs."""

    reads_with = ()
    derived = ("leaderboard",)

    def __init__(self, folder):
        self._run = None

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        self._run = run = tool.Run(
            repo=str(FOLDER),
            experiment="bench",
            system_tracking_interval=None,
            capture_terminal_logs=False,
        )
        run.name = name
        run["lr"] = config["lr"]

        def log(metrics, step):
            run.track(metrics, step=step)

        return log

    def finish(self):
        """End the run."""
        self._run.close()

    def settle(self):
        """Make closed runs readable: what a running `aim up` does in the background."""
        from aim.cli.cli import cli_entry_point

        given = ["storage", "--repo", str(FOLDER), "reindex", "-y"]
        cli_entry_point(args=given, standalone_mode=False)

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        found = tool.Repo(str(FOLDER)).query_metrics(
            f"run.name == '{name}' and metric.name == '{metric}'", report_mode=SILENT
        )
        for run in found.iter_runs():
            for one in run:
                steps, [values] = one.data.view("val").items_list()
                return steps, values
        return [], []

    def summary(self, name):
        """The last value of each metric of a run."""
        found = tool.Repo(str(FOLDER)).query_runs(
            f"run.name == '{name}'", report_mode=SILENT
        )
        for run in found.iter_runs():
            return _last(run.run)
        return {}

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        found = tool.Repo(str(FOLDER)).query_runs("", report_mode=SILENT)
        runs = [run.run for run in found.iter_runs()]
        rows = [(run.name, _last(run)[metric], run["lr"]) for run in runs]
        return sorted(rows, key=lambda row: row[1])[:10]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        found = tool.Repo(str(FOLDER)).query_metrics(
            f"metric.name == '{metric}'", report_mode=SILENT
        )
        lengths = [
            len(one.data.view("val").items_list()[0])
            for run in found.iter_runs()
            for one in run
        ]
        return len(lengths), sum(lengths)

    def status(self, name):
        """What the tool says about the run's state."""
        found = tool.Repo(str(FOLDER)).query_runs(
            f"run.name == '{name}'", report_mode=SILENT
        )
        for run in found.iter_runs():
            return "active" if run.run.active else "finished"
        return "no such run"


def _last(run):
    found = run.collect_sequence_info(("metric",))["metric"]
    return {one["name"]: one["values"]["last"] for one in found}
