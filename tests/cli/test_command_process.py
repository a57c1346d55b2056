"""A command's process ends as any process does, only sooner."""

import subprocess
import sys
from pathlib import Path

import pytest

START = "from stepwell.cli import start; start()"


def process(code: str, *arguments: str, output: int | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE if output is None else output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout or "", done.stderr


def test_all_output_arrives_and_the_exit_code_is_the_commands() -> None:
    code, shown, errors = process(START, "--help")
    assert (code, errors) == (0, "")
    assert shown.startswith("Usage: ")
    assert "upgrade" in shown.splitlines()[-1]

    code, shown, errors = process(START, "ls", "--unknown")
    assert (code, shown, errors.count("\n")) == (2, "", 1)


def test_functions_for_the_exit_are_called_and_threads_are_waited_for() -> None:
    code = """
import atexit, sys, threading, time
from stepwell.cli.fast_start import light_process

def late():
    time.sleep(0.2)
    print("thread")

with light_process():
    threading.Thread(target=late).start()
    atexit.register(print, "at the exit")
    sys.exit(3)
"""
    assert process(code) == (3, "thread\nat the exit\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk that always is")
def test_output_that_cannot_be_written_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        returned, _, errors = process(START, "--help", output=full.fileno())

    assert returned != 0
    assert "No space left on device" in errors


def test_an_error_of_the_program_itself_shows_its_traceback() -> None:
    code = """
from stepwell.cli.fast_start import light_process
with light_process():
    raise RuntimeError("planted")
"""
    returned, _, errors = process(code)

    assert returned == 1
    assert errors.rstrip().endswith("RuntimeError: planted")
