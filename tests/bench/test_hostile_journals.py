"""Journals of hostile values fold, and the store answers as a model in plain Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

RIG = Path(__file__).parents[2] / "bench" / "hostile" / "run"
JOURNALS = os.environ.get("STEPWELL_HOSTILE_JOURNALS", "400")
SEED = os.environ.get("STEPWELL_HOSTILE_SEED", "1")


def hostile(*options: str) -> tuple[int, str]:
    command = [sys.executable, str(RIG), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_hostile_journals_answer_like_the_model() -> None:
    code, said = hostile("--journals", JOURNALS, "--seed", SEED)

    assert code == 0, said
    found = re.search(r"(\d+) journals, .* (\d+) strangers: 0 errors, 0 differences", said)
    assert found, said
    assert int(found[1]) >= int(JOURNALS)
    assert int(found[2]) > 0


def test_a_rank_that_crashed_counts_in_a_merged_store_where_others_are_silent() -> None:
    # Two that a fold in the midst of a merge forgot, one of an earlier attempt.
    for seed, case in ((101, 93), (102, 150), (101, 3212)):
        code, said = hostile("--seed", str(seed), "--only", str(case))
        assert code == 0, said


def test_a_store_that_was_made_wrong_is_found() -> None:
    code, said = hostile("--journals", "60", "--spoils")

    assert code == 0, said
    assert len(re.findall(r"^\w+: [1-9]\d* differences$", said, re.MULTILINE)) >= 9, said
