"""Numbers and times that callers give, told from what they are mistaken for."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from stepwell.store.base.errors import ConfigurationError

from .metrics import shown

_LONGEST = 1e6  # seconds; the system's clocks take no infinite wait


def as_path(value: Any, argument: str) -> Path:
    """A path of a file or a folder.

    Raises:
        ConfigurationError: If *value* is none, or the system takes no such path.
    """
    with suppress(TypeError, UnicodeEncodeError):
        path = Path(value)
        if b"\0" not in os.fsencode(path):
            return path
    raise ConfigurationError(f"{argument} must be a path, not {shown(value)}")


def check_count(value: Any, argument: str, least: int = 1) -> None:
    """Refuse what is no whole number from *least* on.

    Raises:
        ConfigurationError: If *value* is no `int` (numpy's are ones), or is below.
    """
    is_whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not is_whole or value < least:
        kind = "" if is_whole else ", a whole number"
        raise ConfigurationError(
            f"{argument} must be {least} or more{kind}, not {shown(value)}"
        )


def as_seconds(value: Any, argument: str = "seconds", *, above: bool = False) -> float:
    """A wait in seconds, of which an endless one becomes a long one.

    Args:
        value: What the caller gave.
        argument: How the caller knows it.
        above: Whether it has to be above 0, and not only 0 or more.

    Raises:
        ConfigurationError: If it is no such number.
    """
    try:
        seconds = float("nan" if isinstance(value, (str, bytes, bool)) else value)
    except (TypeError, ValueError, OverflowError):
        seconds = float("nan")
    if not (seconds > 0 or (seconds == 0 and not above)):
        least = "above 0" if above else "0 or more"
        raise ConfigurationError(
            f"{argument} must be {least}, a number of seconds, not {shown(value)}"
        )
    return min(seconds, _LONGEST)
