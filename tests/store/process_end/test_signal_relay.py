"""A signal to end reaches the main thread, whichever thread the system gave it to."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store

PROGRAM = """
import asyncio, os, signal, sys, threading, time
import stepwell

def train():
    with stepwell.start_run(name="held") as run:
        run.log({"loss": 1.0})
        while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            time.sleep(0.01)  # the main thread minds it soon
        if how == "fork" and os.fork() == 0:
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            time.sleep(30)
        if how == "fork":
            os.wait()  # its own signal has ended it
        else:
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            time.sleep(30)  # the main thread ends the process meanwhile

async def serve():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, print)
    thread.start()
    await asyncio.to_thread(thread.join)

how = sys.argv[1]
thread = threading.Thread(target=train)
if how == "loop":
    asyncio.run(serve())
elif how == "begun here":
    stepwell.init(name="main's")
    thread.start()
    thread.join()
else:
    thread.start()
    thread.join()
"""


@pytest.mark.parametrize(
    ("how", "code", "ends"),
    [
        ("join", -signal.SIGTERM, {"held": "interrupted"}),
        ("begun here", -signal.SIGTERM, {"held": "interrupted", "main's": "interrupted"}),
        ("loop", -signal.SIGTERM, {"held": "interrupted"}),
        ("fork", 0, {"held": "finished"}),
    ],
)
def test_a_signal_that_another_thread_got_ends_the_process(
    store_path: Path, how: str, code: int, ends: dict[str, str]
) -> None:
    program = PROGRAM.replace("start_run(", f"start_run(store={str(store_path)!r}, ")
    program = program.replace("init(", f"init(store={str(store_path)!r}, ")
    done = subprocess.run(
        [sys.executable, "-c", program, how],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert (done.returncode, done.stderr) == (code, "")
    assert {run.name: run.status for run in Store(store_path).runs()} == ends


OWN = """
import os, signal, sys, time
import stepwell

run = stepwell.init(store=sys.argv[1])
calls = []
signal.signal(signal.SIGTERM, lambda *_: calls.append(1))
for _ in range(20):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)  # another thread may send it anew
print(len(calls))
"""


def test_a_handler_of_the_program_is_called_once_a_signal(
    store_path: Path, output: Callable[..., str]
) -> None:
    assert output(OWN, store_path) == "20\n"
