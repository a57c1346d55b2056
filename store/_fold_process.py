"""The program of the helper process: folds when asked, and once more at the end."""

import contextlib
import os
import select
import sys

from ._errors import StepwellError
from ._fold import fold
from ._lease import lease_of
from ._location import resolve

_PARENT_SECONDS = 1.0  # how often it looks whether its parent still lives


def main(database: str) -> None:
    """Serve the parent over standard input and output until it ends.

    A line in asks for a fold; the same line out says that it is done. What a fold could
    not do stays in the journals, for the next one.
    """
    with contextlib.suppress(OSError):
        os.nice(5)
    parent = os.getppid()
    lease = lease_of(resolve(database))
    received = b""
    while True:
        ready, _, _ = select.select([0], [], [], _PARENT_SECONDS)
        data = os.read(0, 4096) if ready else b""
        if (ready and not data) or os.getppid() != parent:
            break
        *lines, received = (received + data).split(b"\n")
        if lines:
            with contextlib.suppress(StepwellError, OSError):
                fold(lease)
            with contextlib.suppress(OSError):
                os.write(1, lines[-1] + b"\n")
    with contextlib.suppress(StepwellError, OSError):
        fold(lease)
    sys.exit(0)
