"""Printing lines beside a program's own output."""

from typing import TextIO

from stepwell.store import visible


def say(line: str, stream: TextIO | None = None) -> None:
    """Print one line, with escapes for what nobody would see.

    Args:
        line: The line.
        stream: Where to; the standard output when absent.
    """
    shown = visible(line)
    try:
        print(shown, file=stream, flush=True)
    except UnicodeEncodeError:
        # An ASCII or Latin-1 stream: a plain line is better than the end of a training.
        print(shown.encode("ascii", "replace").decode(), file=stream, flush=True)


def say_encoded(text: str) -> None:
    """Print what an `Encoder` made, which has the terminal's own sequences."""
    print(text, flush=True)
