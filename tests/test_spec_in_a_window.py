"""The specification's quick start, word for word, with a window of Qt on a real screen."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Screen

HERE = Path(__file__).parent


def test_the_quick_start_runs_with_a_window(display: "Screen", tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider"]
    tests = ["tests/test_spec.py", "-k", "a_block_runs and Quick", "--basetemp"]
    process = subprocess.Popen(
        [*command, *tests, str(tmp_path / "blocks")],
        cwd=HERE.parent,
        env=os.environ | {"MPLBACKEND": "qtagg"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    display.await_window()
    printed, _ = process.communicate(timeout=200)
    assert process.returncode == 0, printed
    assert "2 passed" in printed
