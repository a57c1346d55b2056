"""What a helper is asked by the process that it folds for: its parent."""

import contextlib
import os
import select
import time

from .handle import AWAITED


class FoldRequests:
    """The requests over standard input, and the answers over standard output.

    A line in, a number, asks for a fold, with a sign behind it where somebody waits for it;
    the same number out says that it is done, its negative that it failed.

    Args:
        parent: Process id of the parent, which may have ended already.

    Attributes:
        parent: The same.
        is_over: Whether the parent has ended, or lets this process go.
        is_awaited: Whether somebody waits for the answer that is due.
    """

    def __init__(self, parent: int) -> None:
        self.parent = parent
        self.is_over = False
        self.is_awaited = False
        self._received = b""
        self._due = b""
        self._answers = _own_output()

    @property
    def are_due(self) -> bool:
        """Whether an answer is."""
        return bool(self._due)

    def receive(self, seconds: float, alarm: int | None = None) -> bool:
        """Wait for requests, or for *alarm*, a descriptor that something can be read from.

        Returns:
            Whether there is a new request, or it is known now that none will come.
        """
        if self.is_over:
            # The end of a pipe is always ready to be read: `select` would return at once,
            # and the loop of whoever asks would take a whole core.
            time.sleep(seconds)
            return False
        wanted = [0] if alarm is None else [0, alarm]
        ready, _, _ = select.select(wanted, [], [], seconds)
        data = os.read(0, 4096) if 0 in ready else b""
        self.is_over = (0 in ready and not data) or os.getppid() != self.parent
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            # The last one alone: a fold that begins after it takes in what all before it
            # meant.
            self._due = line.rstrip(AWAITED)
            self.is_awaited |= line.endswith(AWAITED)
        return bool(lines) or self.is_over

    def answer(self, *, is_done: bool) -> None:
        """Say how what was asked for has gone; nothing where nothing was."""
        if self._due:
            sign = b"" if is_done else b"-"
            with contextlib.suppress(OSError):
                os.write(self._answers, sign + self._due + b"\n")
        self._due, self.is_awaited = b"", False


def _own_output() -> int:
    """Standard output for the answers alone; what a library prints goes nowhere."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers
