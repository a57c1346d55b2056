"""The rig of `bench/torture` finds nothing lost, and finds what is lost."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RIG = Path(__file__).parents[2] / "bench" / "torture" / "run"
SECONDS = os.environ.get("STEPWELL_TORTURE_SECONDS", "30")
SEED = os.environ.get("STEPWELL_TORTURE_SEED", "1")


def torture(*options: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, str(RIG), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_nothing_is_lost_twice_or_invented() -> None:
    code, found = torture("--seconds", SECONDS, "--seed", SEED)

    assert found["troubles"] == []
    assert code == 0
    figures = found["figures"]
    assert figures["calls acknowledged"] > 0
    assert figures["points, with those of copies"] > figures["calls acknowledged"]
    assert figures["kills"] > 0
    assert figures["kills of a fold"] > 0
    assert figures["strangers in a folder"] > 0
    assert figures["kills between a finish() and its fold"] > 0
    assert [figures[name] for name in ("lost", "twice", "invented", "unseen")] == [0] * 4


def planted(bug: str, *mix: str) -> dict[str, Any]:
    """What is found of a bug; on a busy machine it takes longer to come about."""
    for seconds in ("3", "8", "40"):
        options = ("--seconds", seconds, "--seed", "1", "--rate", "6")
        code, found = torture("--plant", bug, *options, *mix)
        if code:
            return found
    pytest.fail(f"{bug} was not found")


@pytest.mark.slow
def test_a_call_that_is_acknowledged_too_early_is_found() -> None:
    mix = ("--only", *["plain"] * 4, "--faults", "kill")

    assert planted("buffered", *mix)["figures"]["lost"] > 0


@pytest.mark.slow
def test_times_that_run_back_are_found() -> None:
    mix = ("--only", *["clock"] * 4, "--faults", "kill")
    troubles = planted("backwards", *mix)["troubles"]

    assert any("times that run back" in trouble for trouble in troubles)


@pytest.mark.slow
def test_a_journal_that_keeps_the_others_from_being_folded_is_found() -> None:
    troubles = planted("blocked", "--only", "view", "--faults", "stranger")["troubles"]

    # Of which stranger's journal it is depends on which one came first.
    raised = "KeyError: 'time'|TypeError: 'int' object|ValueError: invalid literal"
    found = re.compile(rf"view-\d+ ended with 1: ({raised})")
    assert any(found.match(trouble) for trouble in troubles), troubles


PLANTING = """
import sys
from pathlib import Path
from torture._plants import PLANTS, plant
from torture._setting import Setting

for bug in PLANTS:
    plant(Setting(Path(), 0, 0.0, bug))
print(*PLANTS)
"""


def of_the_rig(program: str, *arguments: str) -> str:
    path = os.pathsep.join([str(RIG.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_what_each_bug_is_planted_in_is_there() -> None:
    assert "watermark removal" in of_the_rig(PLANTING)


IN_DANGER = """
import sys
from pathlib import Path
from torture._faults import calls_behind
import stepwell

run = stepwell.init(name="plain-7", store=sys.argv[1])
writer = run._writer
if "called" in sys.argv:
    run.log({"plain-7/a": 0.0}, step=0)
writer.change_files()
if "again" in sys.argv:
    run.log({"plain-7/a": 1.0}, step=1)
path = writer.journal.path
folded = path.read_bytes()
writer.finish("finished", None)
data = path.read_bytes()
print(sorted(calls_behind(data, len(folded)).items()), len(data) > len(folded))
"""


@pytest.mark.parametrize(
    ("calls", "number"),
    [((), 2**61), (("called",), 2**61), (("called", "again"), 2), (("again",), 2)],
)
def test_damage_to_an_end_alone_is_known(
    tmp_path: Path, calls: tuple[str, ...], number: int
) -> None:
    said = of_the_rig(IN_DANGER, str(tmp_path / "s.duckdb"), *calls)

    assert said == f"[('plain-7', {number})] True\n"
