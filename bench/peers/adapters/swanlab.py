"""SwanLab in its local mode, with the swanboard that shows it."""

import os
import sqlite3
from pathlib import Path

FOLDER = Path(os.environ["PEERS_FOLDER"])
os.environ.update(SWANLAB_MODE="local", SWANLAB_LOG_DIR=str(FOLDER / "swanlog"))

import swanlab as tool  # noqa: E402 (reads the environment)


class Adapter:
    """A folder a run: a log of records, and a JSON line a point for the board."""

    reads_with = ("swanboard.controller.utils.tag", "yaml")
    derived = ("summary", "leaderboard", "every")

    def __init__(self, folder):
        pass

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        tool.init(
            project="bench",
            name=name,
            config=config,
            mode="local",
            log_dir=str(FOLDER / "swanlog"),
        )

        def log(metrics, step):
            tool.log(metrics, step=step)

        return log

    def finish(self):
        """End the run."""
        tool.finish()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        found = _points(name, metric)
        return [int(one["index"]) for one in found], [one["data"] for one in found]

    def summary(self, name):
        """The last value of each metric of a run."""
        query = (
            "select t.name from tag t join experiment e on t.experiment_id = e.id"
            " where e.name = ?"
        )
        return {m: _points(name, m)[-1]["data"] for (m,) in _rows(query, name)}

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        import yaml

        rows = []
        for name, run_id in _rows("select name, run_id from experiment"):
            file = FOLDER / "swanlog" / run_id / "files" / "config.yaml"
            rate = yaml.safe_load(file.read_text())["lr"]["value"]
            rows.append((name, _points(name, metric)[-1]["data"], rate))
        return sorted(rows, key=lambda row: row[1])[:10]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        found = [
            len(_points(name, metric)) for (name,) in _rows("select name from experiment")
        ]
        return len(found), sum(found)

    def status(self, name):
        """What the tool says about the run's state."""
        [(status,)] = _rows("select status from experiment where name = ?", name)
        return {0: "running", 1: "finished", -1: "failed"}.get(status, str(status))


def _rows(query, *values):
    with sqlite3.connect(FOLDER / "swanlog" / "runs.swanlab") as connection:
        return connection.execute(query, values).fetchall()


def _points(name, metric):
    from swanboard.controller.utils.tag import get_tag_files, read_tag_data

    query = (
        "select e.run_id, t.folder from tag t join experiment e on t.experiment_id = e.id"
        " where e.name = ? and t.name = ?"
    )
    found = []
    for run_id, tag in _rows(query, name, metric):
        folder = FOLDER / "swanlog" / run_id / "logs" / tag
        for file in get_tag_files(str(folder)):
            found += read_tag_data(str(folder / file))
    return found
