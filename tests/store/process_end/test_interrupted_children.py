"""Ctrl-C in a child that has just been forked ends no run of its parent's."""

from collections.abc import Callable
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]
Output = Callable[..., str]

INTERRUPTED = """
import os, signal, sys
import stepwell

run = stepwell.init(store=sys.argv[1])
run.log({"loss": 1.0})
parent = os.getpid()

def interrupt(frame, event, _):
    code = frame.f_code
    if event == "call" and code.co_name == sys.argv[2] and os.getpid() != parent:
        if "stepwell" in frame.f_globals["__name__"]:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)

sys.setprofile(interrupt)
for what in ("ends it", "records", "leaves"):
    if os.fork() == 0:
        if what == "ends it":
            run.finish()
        if what == "records":
            run.log({"loss": 0.75})
        sys.exit(3 if sys.getprofile() is None else 4)
sys.setprofile(None)
codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(3)]
print(codes, stepwell.open_store(sys.argv[1]).runs()[0].status, flush=True)
run.log({"loss": 0.5})
run.finish()
"""


@pytest.mark.parametrize("place", ["_leave_to_parent", "leave_to_parent", "forget_exit"])
def test_a_child_interrupted_within_the_hook_of_its_fork_ends_nothing(
    store_path: object, output: Output, rows: Rows, place: str
) -> None:
    printed = output(INTERRUPTED, store_path, place)

    assert printed == "[3, 3, 3] running\n"
    assert rows("select status, exit_message from runs") == [("finished", None)]
    assert rows("select count(*) from points") == [(3,)]
