"""The load of the experts as lines: labelled bars, or one cell an expert."""

from rich.segment import Segment
from rich.style import Style

from ._terminal_cells import BAD_BOLD, BOLD, DIM, GOOD, WARN, Line, bar, fitted, level
from ._terminal_value import ExpertLoad

_NARROWEST = 18
_LOW, _HIGH = 0.5, 2.0
_ENOUGH, _POOR = 0.95, 0.8
_FULL_CELL = 2.0  # the share that fills a cell of the strip


def bars_height(load: ExpertLoad, width: int) -> int:
    """How many lines `bar_lines` makes."""
    return -(-len(load.shares) // _columns(load, width)) + 1


def strip_height(load: ExpertLoad, width: int) -> int:
    """How many lines `strip_lines` makes."""
    return -(-len(load.shares) // _strip_columns(load, width)) + 1


def bar_lines(load: ExpertLoad, width: int) -> list[Line]:
    """A bar an expert, downwards and then to the right, and the balance below."""
    columns = _columns(load, width)
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
    return [*lines, balance_line(load, width)]


def strip_lines(load: ExpertLoad, width: int) -> list[Line]:
    """A cell an expert, as high as its share, in rows; and the balance below."""
    columns = _strip_columns(load, width)
    label = max(map(len, load.labels))
    lines: list[Line] = []
    for start in range(0, len(load.shares), columns):
        line: Line = [Segment(fitted(load.labels[start], label) + " ", DIM)]
        for place in range(start, min(start + columns, len(load.shares))):
            style = _style(load, place)
            dead = place in load.dead
            cell = "×" if dead else level(load.shares[place] / _FULL_CELL) or "▁"
            if line[-1].style is style and len(line) > 1:
                line[-1] = Segment(line[-1].text + cell, style)
            else:
                line.append(Segment(cell, style))
        lines.append(line)
    return [*lines, balance_line(load, width)]


def balance_line(load: ExpertLoad, width: int) -> Line:
    """The balance at a glance: entropy, most and least used, dead experts."""
    balance = load.balance
    style = GOOD if balance >= _ENOUGH else WARN if balance >= _POOR else BAD_BOLD
    most, least = load.most_used, load.least_used
    parts: list[list[tuple[str, Style]]] = [
        [("balance ", DIM), (f"{balance:.0%}", style)],
        [("entropy ", DIM), (f"{load.entropy:.2f}/{load.most_entropy:.2f} bit", BOLD)],
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


def _columns(load: ExpertLoad, width: int) -> int:
    label = max(map(len, load.labels))
    narrowest = max(_NARROWEST, label + 13)
    most = max(1, width // narrowest)
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
