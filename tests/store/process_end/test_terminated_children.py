"""Children that are terminated as soon as they are forked, before they have begun."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]
Output = Callable[..., str]

TERMINATED = """
import os, signal, sys

def terminate_where(moment):
    def terminate():
        if sys.argv[2] == moment:
            os.kill(os.getpid(), signal.SIGTERM)
    return terminate

os.register_at_fork(after_in_child=terminate_where("before ours"))
import stepwell

if sys.argv[3:]:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
run = stepwell.init(store=sys.argv[1])
os.register_at_fork(after_in_child=terminate_where("after ours"))
run.log({"loss": 1.0})
codes = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        while True:
            signal.pause()
    if sys.argv[2] == "at once":
        os.kill(child, signal.SIGTERM)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
status = stepwell.open_store(sys.argv[1]).runs()[0].status  # folds what was written
run.log({"loss": 0.5})
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
print(codes, status, len(blocked))
run.finish()
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["before ours"], -15),
        (["after ours"], -15),
        (["at once"], -15),
        (["before ours", "the program minds it"], 5),
    ],
)
def test_a_child_terminated_at_once_ends_and_its_parents_run_goes_on(
    store_path: Path, output: Output, rows: Rows, arguments: list[str], code: int
) -> None:
    printed = output(TERMINATED, store_path, *arguments)

    assert printed == f"{[code] * 3} running 0\n"
    assert rows("select status, exit_message from runs") == [("finished", None)]
    assert rows("select count(*) from points") == [(2,)]
