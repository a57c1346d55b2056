"""Which of a process's interpreters this is."""

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
    for name in ("_interpreters", "_xxsubinterpreters"):  # since 3.13, and before
        try:
            interpreters: Any = import_module(name)
        except ImportError:
            continue
        return bool(interpreters.get_current() != interpreters.get_main())
    return False


# Asked once, on import: each interpreter imports this module for itself.
_IS_SUB_INTERPRETER = _is_sub_interpreter()
