"""Columns of text for a list that is to appear at once: Rich takes longer to load."""

import os
import sys
from collections.abc import Iterable, Sequence

import click

_GAP = "  "
_WIDTH_OF_FILES = 200  # where nobody watches; as wide as it needs to be
_WIDTH = 80  # of a terminal that does not tell

Cell = tuple[str, dict[str, str | bool]]
"""A text, and how it looks: arguments of `click.style`."""


def print_columns(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print rows below their headings; a line that is too long ends with `…`."""
    head: list[Cell] = [(heading, {"dim": True}) for heading in headings]
    lines = [[(_plain(text), look) for text, look in row] for row in (head, *rows)]
    widths = [max(_width(row[place][0]) for row in lines) for place in range(len(head))]
    room = _columns()
    for row in lines:
        click.echo(_line(row, widths, room), color=_color())


def _line(row: Sequence[Cell], widths: Sequence[int], room: int) -> str:
    parts = []
    for (text, look), width in zip(row, widths, strict=True):
        shown = _cut(text, room)
        parts.append(click.style(shown, **look) if look else shown)  # type: ignore[arg-type]
        parts.append(" " * min(width - _width(shown), room) + _GAP)
        room -= width + len(_GAP)
        if room <= 0:
            break
    return "".join(parts).rstrip()


def _cut(text: str, room: int) -> str:
    if _width(text) <= room:
        return text
    while text and _width(text) >= room:
        text = text[: max(room, 1) - 1] if text.isascii() else text[:-1]
    return f"{text}…"


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 (what is wide takes a table)

    return cell_len(text)


def _plain(text: str) -> str:
    """*text* without what would move the cursor, or worse."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text)


def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    if not sys.stdout.isatty():
        return _WIDTH_OF_FILES
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH


def _color() -> bool | None:
    """Whether texts have their looks; None where that depends on the output."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") in {"dumb", "unknown"}:
        return False
    return True if os.environ.get("FORCE_COLOR") else None
