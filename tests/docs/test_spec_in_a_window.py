"""The specification's quick start, word for word, with a window of Qt on a real screen."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Screen

HERE = Path(__file__).parents[1]


def test_the_quick_start_runs_with_a_window(display: "Screen", tmp_path: Path) -> None:
    # It ends at once: a busy window manager may come too late for its windows.
    assert any(shows_a_window(display, tmp_path / f"{turn}") for turn in range(5))


def shows_a_window(display: "Screen", folder: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider"]
    tests = ["tests/docs/test_spec.py", "-k", "a_block_runs and Quick", "--basetemp"]
    with display.opened() as titles:
        done = subprocess.run(
            [*command, *tests, str(folder)],
            cwd=HERE.parent,
            env=os.environ | {"MPLBACKEND": "qtagg"},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        shown = titles()
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    return any(title.endswith("Stepwell") for title in shown)
