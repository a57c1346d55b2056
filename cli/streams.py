"""The streams of a command: any may be closed, full, or short of letters."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

_FAILED = 2
"""The exit code of a command whose output cannot be written."""


@contextmanager
def usable_streams() -> Iterator[None]:
    """Run a command within this, from its start to its `SystemExit`.

    A stream that is closed leads nowhere, a letter that its encoding lacks is escaped, and
    output that cannot be written ends the command with one line. A reader that has seen
    enough, such as `head`, is no error.
    """
    _fill_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name with letters that the terminal lacks must not end a listing in a
            # traceback.
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        except SystemExit:
            # Here, where a full disk or a closed pipe can still choose the exit code; at
            # its end the interpreter would say it in lines of its own and exit with 120.
            sys.stdout.flush()
            raise
    except BrokenPipeError:
        _give_up(sys.stdout)
        raise SystemExit(0) from None
    except OSError as error:
        _give_up(sys.stdout)
        with suppress(OSError):
            sys.stderr.write(f"Error: the output can't be written: {error.strerror}\n")
            sys.stderr.flush()
        # The line above may be what stderr can't take, being the same full disk.
        _give_up(sys.stderr)
        raise SystemExit(_FAILED) from None


def _fill_closed() -> None:
    """Let each standard descriptor that is closed lead nowhere.

    Else the next file that is opened gets its number: a database, and what is printed goes
    into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which it is
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _give_up(stream: TextIO) -> None:
    """Let what a stream still holds lead nowhere, or the interpreter would say so again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
