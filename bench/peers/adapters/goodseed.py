"""GoodSeed with local storage; without hardware metrics and console capture."""

import os
from pathlib import Path

FOLDER = Path(os.environ["PEERS_FOLDER"])
os.environ.update(GOODSEED_HOME=str(FOLDER / "goodseed"), GOODSEED_STORAGE="local")

import goodseed as tool  # noqa: E402 (reads the environment)


class Adapter:
    """One SQLite file a run; a call is a transaction."""

    reads_with = ("goodseed.storage",)
    derived = ("summary", "leaderboard", "every")

    def __init__(self, folder):
        self._run = None

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        self._run = tool.Run(
            project="bench",
            run_id=name,
            storage="local",
            goodseed_home=str(FOLDER / "goodseed"),
            capture_hardware_metrics=False,
            capture_stdout=False,
            capture_stderr=False,
            capture_traceback=False,
            git_ref=False,
        )
        self._run.log_configs(config)
        return self._run.log_metrics

    def finish(self):
        """End the run."""
        self._run.close()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        from goodseed.storage import read_metrics

        found = read_metrics(_file(name), metric)
        return [one["step"] for one in found], [one["value"] for one in found]

    def summary(self, name):
        """The last value of each metric of a run."""
        from goodseed.storage import LocalStorage

        with LocalStorage(_file(name)) as storage:
            return {
                m: storage.get_last_metric_value(m)[1] for m in storage.get_metric_paths()
            }

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        from goodseed.storage import LocalStorage, read_configs

        rows = []
        for file in _files():
            with LocalStorage(file) as storage:
                value = storage.get_last_metric_value(metric)[1]
            rows.append((file.stem, value, read_configs(file)["lr"]))
        return sorted(rows, key=lambda row: row[1])[:10]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        found = [len(self.series(file.stem, metric)[0]) for file in _files()]
        return len(found), sum(found)

    def status(self, name):
        """What the tool says about the run's state."""
        from goodseed.storage import read_run_meta

        return read_run_meta(_file(name)).get("status", "none")


def _files():
    return sorted((FOLDER / "goodseed").rglob("*.sqlite"))


def _file(name):
    [file] = [file for file in _files() if file.stem == name]
    return file
