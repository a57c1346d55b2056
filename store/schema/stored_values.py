"""Values of a database that may be anybody's, as what our code can hold.

Ours are always so. A column of a file has room for more: years that Python's times lack,
JSON of any depth and form, lists with holes. None of it may end a command.
"""

import json
from datetime import UTC, datetime
from typing import Any

BEGIN = datetime.fromtimestamp(0, UTC)
"""The time of what has none."""

_FIRST, _LAST = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001 (as columns are)
"""A day within what Python has, so that every time zone can show them."""

_DEEPEST = 100  # levels; ours have fewer


def stored_time(value: Any) -> datetime | None:
    """A time of a column, without a zone; the nearest that Python has.

    DuckDB gives those that Python lacks as text: years from 10000 on, and before 1.
    """
    if isinstance(value, str):
        return _FIRST if "(BC)" in value else _LAST
    return None if value is None else min(max(value, _FIRST), _LAST)


def stored_moment(value: Any) -> datetime | None:
    """A time of a column in UTC; see `stored_time`."""
    found = stored_time(value)
    return None if found is None else found.replace(tzinfo=UTC)


def stored_json(text: str) -> Any:
    """The value of a JSON column.

    Raises:
        ValueError: If it is nested too deeply, or has what Python has no room for.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    # There are no more levels than brackets, so nearly all values need no further look.
    if text.count("{") + text.count("[") > _DEEPEST and _is_deep(value):
        raise ValueError("it is nested too deeply")
    return value


def stored_object(text: str | None) -> dict[str, Any]:
    """An object of a JSON column, or one that says that it is none."""
    try:
        value = stored_json(text) if text else {}
    except ValueError as error:
        return {"unreadable": str(error)}
    return value if isinstance(value, dict) else {"unreadable": f"{value!r:.80}"}


def stored_layout(text: str | None) -> dict[str, Any] | None:
    """The layout in a JSON column; None where it is none."""
    try:
        value = stored_json(text) if text else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def stored_texts(values: list[str | None] | None) -> tuple[str, ...]:
    """The texts of a list's column; it may have holes."""
    return tuple(value for value in values or () if value is not None)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
