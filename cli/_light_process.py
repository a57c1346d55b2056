"""What makes the process of a command quick to start and to end.

None of it changes what a command does; a process that only lists runs spends a third of its
time on this otherwise.
"""

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

_OBJECTS = 20_000
"""New objects between two searches for garbage; importing makes tens of thousands."""

_METADATA = "importlib.metadata"


@contextmanager
def light_process() -> Iterator[None]:
    """Run a command's process within this, from its start to its `SystemExit`."""
    # DuckDB 1.5 loads pandas, where there is one, to look at a query's parameter: hundreds
    # of milliseconds, for what no command has any use for.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    gc.set_threshold(_OBJECTS, 20, 20)
    codes: list[int] = []
    atexit.register(_end_at_once, codes)
    try:
        yield
    except SystemExit as end:
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
                stream.flush()
        os._exit(codes[0])


def load_duckdb() -> None:
    """Load DuckDB without what it loads to look up its own version.

    `importlib.metadata` brings the packages for email and archives: a quarter of DuckDB's
    own time.
    """
    if "duckdb" in sys.modules or _METADATA in sys.modules:
        return
    stand_in: Any = ModuleType(_METADATA)
    stand_in.version = _version
    stand_in.__getattr__ = _other
    sys.modules[_METADATA] = stand_in
    try:
        import duckdb  # noqa: F401, PLC0415 (this is what is light)
    finally:
        if sys.modules.get(_METADATA) is stand_in:
            del sys.modules[_METADATA]


def _version(distribution: str) -> str:
    if distribution != "duckdb":
        return str(_other("version")(distribution))
    import _duckdb  # noqa: PLC0415 (loaded by now)

    return str(_duckdb.__version__)  # its package has the same


def _other(name: str) -> Any:
    """What else is asked of `importlib.metadata`, from the real one."""
    if name.startswith("__"):
        raise AttributeError(name)
    sys.modules.pop(_METADATA, None)
    return getattr(importlib.import_module(_METADATA), name)
