"""A training loop that holds many files open."""

import resource
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

Python = Callable[..., "subprocess.Popen[str]"]

HOLDS = """
import os, sys
import stepwell
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
run = stepwell.init(store=sys.argv[1])
run.log({"loss": 1.0})
run.finish()
with stepwell.open_store(sys.argv[1]) as store:
    print(store.run("last").status, store.summary("last")["loss"].count)
"""


def test_a_run_is_folded_where_more_than_a_thousand_files_are_open(
    store_path: Path, python: Python
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2048)), hard))
    try:
        process = python(HOLDS, store_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    printed, errors = process.communicate(timeout=60)

    assert errors == ""
    assert printed == "finished 1\n"
