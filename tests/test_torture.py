"""The rig of `bench/torture` finds nothing lost, and finds what is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

RIG = Path(__file__).parents[1] / "bench" / "torture" / "run"
SECONDS = os.environ.get("STEPWELL_TORTURE_SECONDS", "60")
SEED = os.environ.get("STEPWELL_TORTURE_SEED", "1")


def torture(*options: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, str(RIG), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


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
    assert [figures[name] for name in ("lost", "twice", "invented", "unseen")] == [0] * 4


def test_a_call_that_is_acknowledged_too_early_is_found() -> None:
    code, found = torture(
        "--seconds", "6", "--seed", "1", "--plant", "buffered", "--rate", "6"
    )

    assert code == 1
    assert found["figures"]["lost"] > 0


def test_a_journal_that_keeps_the_others_from_being_folded_is_found() -> None:
    code, found = torture("--seconds", "8", "--seed", "1", "--plant", "blocked")

    assert code == 1
    assert any(
        "fold" in trouble or "ended with" in trouble for trouble in found["troubles"]
    )
