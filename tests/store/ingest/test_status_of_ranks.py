"""A run ends as badly as the worst of its ranks, whichever came first."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store
from stepwell.store.ingest.rank_ends import RankEnd, end_of_ranks

Output = Callable[..., str]

# Each rank is a process of its own; they take turns as the launcher says by its lines.
LAUNCHER = """
import json, os, subprocess, sys

RANK = '''
import os, signal, sys
import stepwell
run = stepwell.init(id=sys.argv[2], resume="allow", store=sys.argv[1])
run.log({"loss": 1.0})
print("begun", flush=True)
how = sys.stdin.readline().strip()
if how == "failed":
    raise RuntimeError("out of memory")
if how == "interrupted":
    os.kill(os.getpid(), signal.SIGTERM)
if how == "crashed":
    os.kill(os.getpid(), signal.SIGKILL)
if how == "child failed":
    import multiprocessing
    def fail():
        run.log({"loss": 2.0})
        raise RuntimeError("a child")
    child = multiprocessing.get_context("fork").Process(target=fail)
    child.start()
    child.join()
'''
store, stories = sys.argv[1], json.loads(sys.argv[2])
pipe = subprocess.PIPE
ranks = {}
for name, story in stories.items():
    for rank in dict.fromkeys(rank for rank, _ in story):
        one = ranks[name, rank] = subprocess.Popen(
            [sys.executable, "-c", RANK, store, name], env=os.environ | {"RANK": str(rank)},
            stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        assert one.stdout.readline() == "begun\\n"
for name, story in stories.items():
    for rank, how in sorted(story, key=lambda turn: turn[1].endswith("later")):
        ranks[name, rank].communicate(how.removesuffix(" later") + "\\n")
"""
GONE = "the process ended without a word"
STORIES: dict[str, tuple[list[tuple[int, str]], tuple[str, str | None]]] = {
    # The ranks in the order in which they come, and how they end.
    "all went well": ([(0, "finished"), (1, "finished")], ("finished", None)),
    "another failed": (
        [(0, "finished later"), (1, "failed"), (2, "finished")],
        ("failed", "rank 1: RuntimeError: out of memory"),
    ),
    "another failed in the end": (
        [(0, "finished"), (1, "failed later")],
        ("failed", "rank 1: RuntimeError: out of memory"),
    ),
    "rank 0 came late": (
        [(1, "finished later"), (0, "failed")],
        ("failed", "rank 0: RuntimeError: out of memory"),
    ),
    "the rest was terminated": (
        [(0, "interrupted later"), (1, "failed")],
        ("failed", "rank 1: RuntimeError: out of memory"),
    ),
    "another was terminated": (
        [(0, "finished"), (1, "interrupted later")],
        ("interrupted", "rank 1: SIGTERM"),
    ),
    "another was killed": (
        [(0, "interrupted later"), (1, "crashed")],
        ("crashed", f"rank 1: {GONE}"),
    ),
    "the first failed by itself": (
        [(0, "failed"), (1, "crashed later")],
        ("failed", "RuntimeError: out of memory"),
    ),
    "a rank's child failed": (
        [(0, "finished later"), (1, "child failed")],
        ("finished", None),
    ),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all stories are recorded."""
    return tmp_path_factory.mktemp("ranks") / "runs.duckdb"


def test_a_run_ends_as_the_worst_of_its_ranks(told: Path, output: Output) -> None:
    stories = {name: story for name, (story, _) in STORIES.items()}

    output(LAUNCHER, told, json.dumps(stories))

    found = {run.name: (run.status, run.exit_message) for run in Store(told).runs()}
    assert found == {name: end for name, (_, end) in STORIES.items()}


@pytest.mark.parametrize("message", ["", "out of time", None])
def test_the_row_tells_what_the_last_attempt_said_even_if_that_is_nothing(
    message: str | None,
) -> None:
    began = RankEnd("one", 0, 1, 1, True, "crashed", GONE, None)
    last = RankEnd("two", 0, 2, 2, True, "interrupted", message, None)

    stands = end_of_ranks(("crashed", GONE, None), [began, last])

    assert stands == ("interrupted", message, None)
