"""The process that a measurement runs in: one adapter, one part of a workload.

It runs in the tool's own environment, so it imports the standard library and the adapter.
Its last line of output is the mark below and a JSON object: figures, or `error`.
"""

import importlib.util
import json
import os
import statistics
import sys
import time

from _writing import ODD, burst, loop, nothing, odd, prepare, sweep, words, write, writer

MARK = "@@figures "


def odd_back(adapter):
    """What became of them."""
    found = {}
    for name in (*ODD, "back"):
        try:
            steps, values = adapter.series("run", name)
            found[name] = (
                sorted(map(float, steps)) if name == "back" else list(map(repr, values))
            )
        except Exception as error:  # noqa: BLE001
            found[name] = f"! {words(error)}"
    return {"found": found}


def settle(adapter):
    """Make what was written readable, for a tool that needs it."""
    begin = time.perf_counter()
    adapter.settle()
    return {"settle_ms": 1e3 * (time.perf_counter() - begin)}


def read(adapter, run="run"):
    """Read one metric back; nothing of the tool is warm but its modules."""
    begin = time.perf_counter()
    steps, _ = adapter.series(run, "loss")
    spent = time.perf_counter() - begin
    return {
        "read_ms": 1e3 * spent,
        "points": len(steps),
        "distinct": len(set(steps)),
        "last": int(max(steps, default=-1)),
    }


def read_each(adapter, runs):
    """How many points of a metric each run has."""
    found = {}
    for run in runs:
        try:
            found[run] = len(adapter.series(run, "loss")[0])
        except Exception as error:  # noqa: BLE001
            found[run] = words(error)
    return {"found": found}


def state(adapter):
    """What the tool says about the state of the run."""
    return {"status": str(adapter.status("run")) if hasattr(adapter, "status") else "–"}


def summary(adapter):
    """The summary of a run: the last value of each metric."""
    begin = time.perf_counter()
    found = adapter.summary("run")
    return {"summary_ms": 1e3 * (time.perf_counter() - begin), "knows": "loss" in found}


def leaderboard(adapter):
    """The ten best runs by the last loss, with their learning rate."""
    begin = time.perf_counter()
    found = adapter.leaderboard("loss")
    return {"leaderboard_ms": 1e3 * (time.perf_counter() - begin), "rows": len(found)}


def every(adapter):
    """The loss of every run."""
    begin = time.perf_counter()
    runs, points = adapter.every("loss")
    spent = time.perf_counter() - begin
    return {"every_ms": 1e3 * spent, "found_runs": runs, "found_points": points}


PARTS = {
    part.__name__: part
    for part in (
        *(write, loop, sweep, nothing, prepare, writer, burst, odd),
        *(odd_back, settle, read, read_each, state, summary, leaderboard, every),
    )
}


QUESTIONS = ("read", "read_each", "summary", "leaderboard", "every")


def _load(file):
    spec = importlib.util.spec_from_file_location("peer_adapter", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    """Run the part that the command line names."""
    file, part, given = sys.argv[1:4]
    sys.path.pop(0)  # this folder: its files are no modules of the tool's environment
    try:
        module = _load(file)
        if part == "frames":
            spent = module.frames(os.environ["PEERS_FOLDER"], **json.loads(given))
            found = {"frame_ms": statistics.median(spent)}
        else:
            adapter = module.Adapter(os.environ["PEERS_FOLDER"])
            if part in QUESTIONS:
                for name in adapter.reads_with:  # imports are not in the questions' times
                    importlib.import_module(name)
            found = PARTS[part](adapter, **json.loads(given))
            found["derived"] = list(adapter.derived)
    except BaseException as error:  # noqa: BLE001 (SystemExit too is an answer)
        found = {"error": words(error)}
    print("\n" + MARK + json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
