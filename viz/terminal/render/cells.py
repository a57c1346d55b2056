"""The smallest pieces of the terminal view: fitted texts, bars, sparklines, lines."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from stepwell.store import visible

from .view import Trail

Line = list[Segment]

PLAIN = Style.null()
BOLD = Style.parse("bold")
DIM = Style.parse("bright_black")
FRAME = Style.parse("bright_black")
NAME = Style.parse("cyan")
GOOD = Style.parse("green")
BAD = Style.parse("red")
BAD_BOLD = Style.parse("bold red")
WARN = Style.parse("yellow")
TREND = Style.parse("bright_blue")
CURVE = Style.parse("yellow")
DONE = Style.parse("bright_blue")

_SPARKS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_TO_ASCII = str.maketrans(
    "╭╮╰╯─│━×·…–\N{MINUS SIGN}●▲▁▂▃▄▅▆▇█▏▎▍▌▋▊▉°",
    "++++-|=x-.--*!_.,-=+*#   |### ",
) | (dict.fromkeys(range(0x2801, 0x2900), "*") | {0x2800: " "})


def as_ascii(text: str) -> str:
    """*text* for a terminal that has only ASCII; as many characters as before."""
    return text.translate(_TO_ASCII)


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """*text* on one line, with escapes for the characters that move the cursor."""
    return visible(text)


@lru_cache(maxsize=4096)
def fitted(text: str, width: int) -> str:
    """*text* in exactly *width* cells: padded, or cut with an ellipsis."""
    text = clean(text)
    size = cell_len(text)
    if size <= width:
        return text + " " * (width - size)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def right(text: str, width: int) -> str:
    """*text* at the right of *width* cells."""
    size = cell_len(text)
    return " " * (width - size) + text if size <= width else fitted(text, width)


def length(line: Iterable[Segment]) -> int:
    """How many cells *line* takes."""
    return sum(cell_len(segment.text) for segment in line)


def filled(line: Line, width: int) -> Line:
    """*line* in exactly *width* cells."""
    room = width - length(line)
    if room >= 0:
        return [*line, Segment(" " * room)] if room else line
    kept: Line = []
    left = width
    for segment in line:
        size = cell_len(segment.text)
        if size >= left:
            kept.append(Segment(fitted(segment.text, left), segment.style))
            break
        kept.append(segment)
        left -= size
    return kept


def bar(share: float, width: int, style: Style) -> Line:
    """A bar of *share* of *width* cells, in eighths of a cell."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    whole, part = divmod(eighths, 8)
    text = "█" * whole + (_EIGHTHS[part] if part else "")
    return [Segment(text.ljust(width), style)]


def progress_bar(share: float, width: int) -> Line:
    """A thin bar: what is done, and what is not."""
    done = round(share * width)
    line = [Segment("━" * done, DONE)] if done else []
    return [*line, Segment("─" * (width - done), FRAME)] if done < width else line


def level(share: float) -> str:
    """One cell, filled from below to *share*."""
    return _SPARKS[min(int(share * 8), 7)] if share > 0 else " "


def sparkline(trail: Trail, width: int) -> Line:
    """The newest *width* buckets, one a cell; a broken one is a red cross."""
    count = len(trail.means)
    start = max(0, count - width)
    held = _held(trail.means, start)
    known = [value for value in held if value == value]  # noqa: PLR0124 (not NaN)
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    span = high - low
    scale = 7.999 / span if 0 < span < math.inf else 0.0
    shift = 0.0 if scale else 3.0
    texts = [
        " " if value != value else _SPARKS[int((value - low) * scale + shift)]  # noqa: PLR0124
        for value in held
    ]
    cells = "".join(texts)
    broken = sorted(place - start for place in trail.broken if place >= start)
    if not broken:
        return [Segment(cells.ljust(width), TREND)]
    line: Line = []
    begin = 0
    for place in broken:
        line += [Segment(cells[begin:place], TREND), Segment("×", BAD_BOLD)]
        begin = place + 1
    line.append(Segment(cells[begin:].ljust(width - begin), TREND))
    return [segment for segment in line if segment.text]


def _held(values: Sequence[float], start: int) -> list[float]:
    """The values from *start* on; where there is none, the one before."""
    held = math.nan
    if start:
        held = next((v for v in reversed(values[:start]) if v == v), held)  # noqa: PLR0124
    found = []
    for value in values[start:]:
        if value == value:  # noqa: PLR0124 (not NaN)
            held = value
        found.append(held)
    return found
