"""Which of a process's interpreters this is."""

import sys
from importlib import import_module
from typing import Any

from .errors import ConfigurationError


def check_interpreter() -> None:
    """Refuse to record in a sub-interpreter, before anything is written.

    What a run depends on is the process's: signals, locks on files, the end of the program,
    DuckDB. Two interpreters of one process would not keep out of each other's way.

    Raises:
        ConfigurationError: This is one.
    """
    if _IS_SUB_INTERPRETER:
        raise ConfigurationError(
            "a run can't be recorded in a sub-interpreter; start a process or a thread,"
            " or record in the main interpreter"
        )


def _is_sub_interpreter() -> bool:
    # By version: to look for a module that is not there takes longer than to load this one.
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    try:
        interpreters: Any = import_module(name)
    except ImportError:
        return False
    return bool(interpreters.get_current() != interpreters.get_main())


# Asked once, on import: each interpreter imports this module for itself.
_IS_SUB_INTERPRETER = _is_sub_interpreter()
