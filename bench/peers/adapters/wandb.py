"""Weights & Biases, offline; read with its own `wandb leet inspect`."""

import json
import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ["PEERS_FOLDER"])
os.environ.update(
    WANDB_MODE="offline",
    WANDB_SILENT="true",
    WANDB_DIR=str(FOLDER),
    WANDB_ERROR_REPORTING="false",
)

import wandb as tool  # noqa: E402 (reads the environment)


class Adapter:
    """A folder a run, with a log of protobuf records."""

    reads_with = ()
    derived = ("series", "leaderboard", "every")

    def __init__(self, folder):
        self._run = None

    def open(self, name, config):
        """Start a run; gives the function that records a call."""
        self._run = tool.init(
            project="bench",
            id=name,
            name=name,
            config=config,
            dir=str(FOLDER),
            mode="offline",
            settings=tool.Settings(
                x_disable_stats=True, x_disable_meta=True, console="off", disable_git=True
            ),
        )
        return self._run.log

    def finish(self):
        """End the run."""
        self._run.finish()

    def series(self, name, metric):
        """Steps and values of one metric of one run."""
        steps, values = [], []
        quoted = f'"{metric}":'
        for line in _inspect(name, "--json").splitlines():
            if '"type":"history"' in line and quoted in line:
                record = json.loads(line)["history"]
                steps.append(int(record["item"]["_step"]))
                values.append(record["item"][metric])
        return steps, values

    def summary(self, name):
        """The last value of each metric of a run."""
        return _summary(name)["summary"]

    def leaderboard(self, metric):
        """The ten runs of least last loss: name, value and learning rate."""
        found = [(name, _summary(name)) for name in _names()]
        rows = [(name, one["summary"][metric], one["config"]["lr"]) for name, one in found]
        return sorted(rows, key=lambda row: row[1])[:10]

    def every(self, metric):
        """The loss of every run: how many runs and how many points."""
        found = [len(self.series(name, metric)[0]) for name in _names()]
        return len(found), sum(found)

    def status(self, name):
        """What the tool says about the run's state."""
        return _summary(name)["state"]


def _names():
    return sorted(file.stem.removeprefix("run-") for file in FOLDER.rglob("run-*.wandb"))


def _summary(name):
    return json.loads(_inspect(name, "--summary", "--json"))


def _inspect(name, *options):
    [file] = FOLDER.rglob(f"run-{name}.wandb")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", *options, str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or done.stdout.strip())
    return done.stdout
