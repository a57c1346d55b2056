"""MLflow, on its SQLite backend, in the process (no server)."""

import os
from pathlib import Path

FOLDER = Path(os.environ["PEERS_FOLDER"])
os.environ.update(
    MLFLOW_TRACKING_URI=f"sqlite:///{FOLDER}/mlflow.db",
    MLFLOW_DISABLE_TELEMETRY="true",
    DO_NOT_TRACK="true",
    GIT_PYTHON_REFRESH="quiet",
)

import mlflow as tool  # noqa: E402 (reads the environment)


class Adapter:
    """One SQLite file; a call is a transaction."""

    reads_with = ("mlflow.store.tracking.sqlalchemy_store",)
    derived = ("every",)

    def __init__(self, folder):
        tool.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        tool.set_experiment("bench")
        tool.start_run(run_name=name)
        tool.log_params(config)
        return tool.log_metrics

    def finish(self):
        """End the run."""
        tool.end_run()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        found = tool.MlflowClient().get_metric_history(_run(name).info.run_id, metric)
        return [one.step for one in found], [one.value for one in found]

    def summary(self, name):
        """The last value of each metric of a run."""
        return _run(name).data.metrics

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        found = tool.search_runs(
            experiment_names=["bench"],
            order_by=[f"metrics.{metric} ASC"],
            max_results=10,
            output_format="list",
        )
        return [
            (r.info.run_name, r.data.metrics[metric], r.data.params["lr"]) for r in found
        ]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        client = tool.MlflowClient()
        runs = tool.search_runs(experiment_names=["bench"], output_format="list")
        found = [len(client.get_metric_history(run.info.run_id, metric)) for run in runs]
        return len(found), sum(found)

    def status(self, name):
        """What the tool says about the run's state."""
        return _run(name).info.status


def _run(name):
    [run] = tool.search_runs(
        experiment_names=["bench"],
        filter_string=f"run_name = '{name}'",
        output_format="list",
    )
    return run
