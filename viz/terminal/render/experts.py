"""The load of the experts as lines: labelled bars, or one cell an expert."""

from rich.segment import Segment
from rich.style import Style

from .cells import BAD_BOLD, BOLD, DIM, GOOD, WARN, Line, bar, fitted, level
from .view import ExpertLoad

_NARROWEST = 18
_LOW, _HIGH = 0.5, 2.0
_ENOUGH, _POOR = 0.95, 0.8
_TALLEST = 4
_FULL_CELL = 2.0  # the share that fills a cell of the strip


def load_lines(load: ExpertLoad, form: str, width: int, height: int = 0) -> list[Line]:
    """The load in one of three forms, and the balance below.

    Args:
        load: The load.
        form: "bars", "low" (bars in as few lines as can be), "strip" or "line".
        width: Cells of a line.
        height: Lines that a strip may fill.
    """
    if form == "line":
        return [_balance_line(load, width)]
    make = {"bars": _bar_lines, "low": _low_lines}.get(form)
    lines = make(load, width) if make else _strip_lines(load, width, height - 1)
    return [*lines, _balance_line(load, width)]


def load_height(load: ExpertLoad, form: str, width: int) -> int:
    """How many lines `load_lines` makes."""
    if form == "line":
        return 1
    columns = (
        _strip_columns(load, width)
        if form == "strip"
        else _columns(load, width, is_low=form == "low")
    )
    return -(-len(load.shares) // columns) + 1


def _low_lines(load: ExpertLoad, width: int) -> list[Line]:
    return _bar_lines(load, width, is_low=True)


def _bar_lines(load: ExpertLoad, width: int, *, is_low: bool = False) -> list[Line]:
    """A bar an expert, downwards and then to the right."""
    columns = _columns(load, width, is_low=is_low)
    rows = -(-len(load.shares) // columns)
    size = width // columns
    label = max(map(len, load.labels))
    room = size - label - 9
    most = max(load.shares)
    lines: list[Line] = []
    for row in range(rows):
        line: Line = []
        for place in range(row, len(load.shares), rows):
            share = load.shares[place]
            style = _style(load, place)
            text = "dead" if place in load.dead else f"{share:.2f}×"
            line += [
                Segment(fitted(load.labels[place], label) + " ", DIM),
                *bar(share / most, room, style),
                Segment(text.rjust(6) + "  ", DIM if style is GOOD else style),
            ]
        lines.append(line)
    return lines


def _strip_lines(load: ExpertLoad, width: int, height: int) -> list[Line]:
    """A column an expert, as high as its share, in bands one below the other."""
    columns = _strip_columns(load, width)
    count = len(load.shares)
    bands = -(-count // columns)
    tall = min(max(height // bands, 1), _TALLEST)
    label = max(map(len, load.labels))
    lines: list[Line] = []
    for start in range(0, count, columns):
        for row in reversed(range(tall)):
            text = load.labels[start] if row == 0 else ""
            line: Line = [Segment(fitted(text, label) + " ", DIM)]
            for place in range(start, min(start + columns, count)):
                style = _style(load, place)
                cell = level(load.shares[place] / _FULL_CELL * tall - row)
                if row == 0:
                    cell = "×" if place in load.dead else cell if cell != " " else "▁"
                if line[-1].style is style and len(line) > 1:
                    line[-1] = Segment(line[-1].text + cell, style)
                else:
                    line.append(Segment(cell, style))
            lines.append(line)
    return lines


def _balance_line(load: ExpertLoad, width: int) -> Line:
    """The balance at a glance: entropy, most and least used, dead experts."""
    balance = load.balance
    style = GOOD if balance >= _ENOUGH else WARN if balance >= _POOR else BAD_BOLD
    most, least = load.most_used, load.least_used
    parts: list[list[tuple[str, Style]]] = [
        [("balance ", DIM), (f"{balance:.0%}", style)],
        [("most ", DIM), (f"{load.labels[most]} {load.shares[most]:.2f}×", BOLD)],
        [("least ", DIM), (f"{load.labels[least]} {load.shares[least]:.2f}×", BOLD)],
    ]
    if load.dead:
        names = " ".join(load.labels[place] for place in load.dead[:8])
        more = f" +{len(load.dead) - 8}" if len(load.dead) > 8 else ""  # noqa: PLR2004
        parts.insert(1, [(f"{len(load.dead)} dead ", BAD_BOLD), (names + more, BAD_BOLD)])
    line: Line = []
    used = 0
    for part in parts:
        gap = 3 if line else 0
        size = sum(len(text) for text, _ in part) + gap
        if used + size > width:
            continue
        used += size
        line += [Segment(" " * gap), *(Segment(text, look) for text, look in part)]
    return line


def _columns(load: ExpertLoad, width: int, *, is_low: bool) -> int:
    label = max(map(len, load.labels))
    narrowest = max(_NARROWEST, label + 13)
    most = max(1, min(width // narrowest, len(load.shares)))
    if is_low:
        return most
    wanted = -(-len(load.shares) // 8)  # eight in a column, where there is room
    return min(most, max(wanted, 2 if len(load.shares) > 1 else 1))


def _strip_columns(load: ExpertLoad, width: int) -> int:
    room = max(1, width - max(map(len, load.labels)) - 1)
    for columns in (128, 64, 32, 16, 8):
        if columns <= room:
            return columns
    return room


def _style(load: ExpertLoad, place: int) -> Style:
    share = load.shares[place]
    if place in load.dead:
        return BAD_BOLD
    return GOOD if _LOW <= share <= _HIGH else WARN
