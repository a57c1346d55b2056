"""How a kept figure looks: theme, size, sharpness and title."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepwell.store import ConfigurationError, shown
from stepwell.viz.base.theme import THEMES

_LEAST, _MOST = 1.5, 60.0
_DPI = (30, 1200)
_MOST_PIXELS = 20_000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class FigureStyle:
    """The style of a figure; what is None is as its plot has it.

    Attributes:
        theme: "light" or "dark".
        size: Width and height in inches.
        dpi: Pixels an inch, of a PNG.
        title: The title.
    """

    theme: str | None = None
    size: tuple[float, float] | None = None
    dpi: int | None = None
    title: str | None = None


STYLES = tuple(FigureStyle.__dataclass_fields__)
"""What a figure's style can say."""


def style_of(style: Mapping[str, Any], default_dpi: int) -> FigureStyle:
    """The style that a figure's spec tells, whose names are known.

    Raises:
        ConfigurationError: A value can't be used; the message says what could.
    """
    found = FigureStyle(
        _theme(style.get("theme")),
        _size(style.get("size")),
        _dpi(style.get("dpi")),
        _title(style.get("title")),
    )
    dpi = found.dpi or default_dpi
    if found.size and max(found.size) * dpi > _MOST_PIXELS:
        wide, high = found.size
        raise ConfigurationError(
            f"size {wide:g} x {high:g} at {dpi} dpi is more than {_MOST_PIXELS:,} pixels;"
            " make one of them smaller"
        )
    return found


def _theme(value: object) -> str | None:
    if value is None or (isinstance(value, str) and value in THEMES):
        return value
    raise ConfigurationError(
        f"theme must be one of {', '.join(THEMES)}, not {shown(value)}"
    )


def _size(value: object) -> tuple[float, float] | None:
    if value is None:
        return None
    if isinstance(value, (list, tuple)) and len(value) == 2:  # noqa: PLR2004
        wide, high = value
        if _is_between(wide, _LEAST, _MOST) and _is_between(high, _LEAST, _MOST):
            return float(wide), float(high)
    raise ConfigurationError(
        f"size must be a width and a height of {_LEAST:g} to {_MOST:g} inches,"
        f" not {shown(value)}"
    )


def _dpi(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and _is_between(value, *_DPI):
        return value
    raise ConfigurationError(
        f"dpi must be a whole number from {_DPI[0]} to {_DPI[1]}, not {shown(value)}"
    )


def _title(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and value.strip() and len(value) <= _LONGEST:
        return value
    raise ConfigurationError(
        f"title must be a text of 1 to {_LONGEST} letters, not {shown(value)}"
    )


def _is_between(value: object, low: float, high: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and low <= value <= high
