"""Columns of text for a list that is to appear at once: Rich takes longer to load."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice

from stepwell.store import visible

from .output import Cell, echo_lines, say_styled

_GAP = "  "
_WIDTH_OF_FILES = 200  # where nobody watches; as wide as it needs to be
_WIDTH = 80  # of a terminal that does not tell

_WIDEST_OF_MANY = 60  # a longer text pushes those behind it, in its own line alone
_LINES_AT_A_TIME = 2000

MANY = 1000
"""Rows from which on a table is printed by `print_many`."""

WIDEST_NAME = 40
"""Cells of a name in a list; a longer one would push the other columns away."""


def print_columns(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print rows below their headings; a line that is too long ends with `…`."""
    head: list[Cell] = [(heading, {"dim": True}) for heading in headings]
    lines = [[(visible(text), look) for text, look in row] for row in (head, *rows)]
    widths = [max(width_of(row[place][0]) for row in lines) for place in range(len(head))]
    room = _columns()
    for row in lines:
        say_styled(_line(row, widths, room), color=_color())


def print_many(
    headings: Sequence[str], rows: Callable[[], Iterable[Sequence[str]]], *, left: int = 1
) -> None:
    """Print a table of so many rows that Rich would take minutes for it.

    Args:
        headings: The columns' headings.
        rows: Gives the rows; asked twice, so that not all are kept.
        left: How many columns are aligned at the left; the others are at the right.
    """
    widths = list(map(len, headings))
    for row in rows():
        # Most cells are short ASCII: only what could be wider is measured.
        for place, text in enumerate(row):
            if len(text) > widths[place] or not text.isascii():
                widths[place] = max(widths[place], width_of(visible(text)))
    widths = [min(width, _WIDEST_OF_MANY) for width in widths]
    lines = chain([headings], rows())
    while block := list(islice(lines, _LINES_AT_A_TIME)):
        echo_lines(_padded(row, widths, left) for row in block)


def _padded(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = []
    for place, (text, width) in enumerate(zip(row, widths, strict=True)):
        blanks = " " * (width - width_of(visible(text)))
        cells.append(text + blanks if place < left else blanks + text)
    return _GAP.join(cells).rstrip()


def shortened(text: str, widest: int = WIDEST_NAME) -> str:
    """*text* in at most *widest* cells of a terminal, its middle left out for a `…`."""
    if width_of(text) <= widest:
        return text
    head, tail = text[:widest], text[-widest:]
    while width_of(head) > (widest - 1) // 2:
        head = head[:-1]
    while width_of(tail) > widest - 1 - width_of(head):
        tail = tail[1:]
    return f"{head}…{tail}"


def width_of(text: str) -> int:
    """Cells of a terminal that *text* takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 (what is wide takes a table)

    return cell_len(text)


def _line(row: Sequence[Cell], widths: Sequence[int], room: int) -> list[Cell]:
    cells: list[Cell] = []
    for (text, look), width in zip(row, widths, strict=True):
        shown = _cut(text, room)
        cells.append((shown, look))
        cells.append((" " * min(width - width_of(shown), room) + _GAP, {}))
        room -= width + len(_GAP)
        if room <= 0:
            break
    return cells


def _cut(text: str, room: int) -> str:
    if width_of(text) <= room:
        return text
    text = text[: max(room, 1) - 1]
    while text and width_of(text) >= room:
        text = text[:-1]
    return f"{text}…"


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
