"""Warnings that name the line of the program which called into this package."""

import sys
import warnings

from .visible_text import visible

_OURS = {"stepwell", "m"}
_HERE = 2  # the stack level of who calls `warn_caller`


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn with the file and the line of the first caller that is not this package."""
    level = _HERE
    frame = sys._getframe(1)  # noqa: SLF001 (as the standard library's own warnings do)
    while frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        if frame.f_back is None:  # a thread of this package
            level = _HERE
            break
        frame = frame.f_back
        level += 1
    warnings.warn(visible(message), category, stacklevel=level)
