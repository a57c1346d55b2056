"""Loading DuckDB quickly, in a process that does nothing else for long."""

import importlib
import sys
from types import ModuleType
from typing import Any

_METADATA = "importlib.metadata"


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
        # The real one may be in its place, if something else of it was asked for; and
        # nobody may be given the stand-in later on.
        if sys.modules.get(_METADATA) is stand_in:
            del sys.modules[_METADATA]


def _version(distribution: str) -> str:
    if distribution != "duckdb":
        return str(_other("version")(distribution))
    import _duckdb  # noqa: PLC0415 (loaded by now)

    return str(_duckdb.__version__)  # its package has the same


def _other(name: str) -> Any:
    """What else is asked of `importlib.metadata`, from the real one."""
    # The import system itself asks modules for such names: no reason to load the real one.
    if name.startswith("__"):
        raise AttributeError(name)
    # Else the import would give the stand-in again.
    sys.modules.pop(_METADATA, None)
    return getattr(importlib.import_module(_METADATA), name)
