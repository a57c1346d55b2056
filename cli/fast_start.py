"""What makes the process of a command quick to start and to end.

None of it changes what a command does; a process that only lists runs spends a third of its
time on this otherwise.
"""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_OBJECTS = 20_000
"""New objects between two searches for garbage; importing makes tens of thousands."""


@contextmanager
def light_process() -> Iterator[None]:
    """Run a command's process within this, from its start to its `SystemExit`."""
    # DuckDB 1.5 loads pandas, where there is one, to look at a query's parameter: hundreds
    # of milliseconds, for what no command has any use for.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    gc.set_threshold(_OBJECTS, 20, 20)
    codes: list[int] = []
    # Exit functions run in reverse, so this one runs after all that a command registers
    # later. Those that were registered before are not reached.
    atexit.register(_end_at_once, codes)
    try:
        yield
    except SystemExit as end:
        # A text as exit code is printed by the interpreter, which then has to end it.
        if end.code is None or isinstance(end.code, int):
            codes.append(end.code or 0)
        raise


def _end_at_once(codes: list[int]) -> None:
    """End without taking all objects apart.

    Threads have been joined by now, and what the command registered for the exit has been
    called. Output that cannot be written is left to the interpreter, which says so.
    """
    if not codes:
        return  # by an error that the interpreter shows
    with suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                # `os._exit` flushes nothing.
                stream.flush()
        os._exit(codes[0])
