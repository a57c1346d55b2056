"""The course of one metric as a chart of braille dots."""

import math
from collections.abc import Sequence

from rich.segment import Segment

from stepwell.viz.base.numbers import short_value

from .cells import BAD_BOLD, CURVE, DIM, Line, right
from .view import MetricRow, Trail

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_SPANS = tuple(  # the dots of one side of a cell, from one to another
    tuple(tuple(sum(side[first : last + 1]) for last in range(4)) for first in range(4))
    for side in _DOTS
)
_LOG_RATIO = 20.0
_GUTTER = 8


def chart_lines(row: MetricRow, width: int, height: int) -> list[Line]:
    """The whole course of a metric, of *height* lines: the mean bright, extremes dim."""
    trail = row.trail
    finite = [v for v in (*trail.lows, *trail.highs) if math.isfinite(v)]
    rows, columns = height - 1, width - _GUTTER - 1
    if not finite or rows < 1 or columns < 2:  # noqa: PLR2004 (dots side by side)
        return [[Segment("no points yet", DIM)]] + [[] for _ in range(height - 1)]
    scale = _Scale(min(finite), max(finite), rows * 4)
    bright, dim = _canvas(trail, columns, rows, scale)
    lines: list[Line] = []
    for place in range(rows):
        end = {0: scale.high, rows - 1: scale.low}.get(place)
        label = "" if end is None else short_value(end)
        line: Line = [Segment(right(label, _GUTTER) + " ", DIM)]
        lines.append(line + _dots(bright[place], dim[place]))
    lines.append(_axis(trail, columns, is_log=scale.is_log))
    return lines


def _dots(bright: list[int], dim: list[int]) -> Line:
    """A line of dots, where a cell with a part of the mean is bright."""
    line: Line = []
    text, style = "", DIM
    for mean, shade in zip(bright, dim, strict=True):
        dots = mean | shade
        if not dots:
            text += " "
            continue
        # A cell has one colour, so a part of the mean makes the whole of it bright.
        look = CURVE if mean else DIM
        if look is not style:
            line.append(Segment(text, style))
            text, style = "", look
        text += chr(0x2800 | dots)
    return [*line, Segment(text, style)]


class _Scale:
    """From values to dots, counted from the top; logarithmic for a wide range."""

    def __init__(self, low: float, high: float, dots: int) -> None:
        self.low, self.high = low, high
        self.is_log = low > 0 and high / low > _LOG_RATIO
        self._from = math.log(low) if self.is_log else low
        span = (math.log(high) if self.is_log else high) - self._from
        self._factor = (dots - 1) / span if 0 < span < math.inf else 0.0
        self._dots = dots

    def places(self, values: Sequence[float]) -> list[int | None]:
        """The dot of each value; None where it is NaN."""
        start, factor, bottom = self._from, self._factor, self._dots - 1
        if self.is_log:
            values = [math.log(value) if value > 0 else value for value in values]
        return [
            bottom - round((value - start) * factor) if value == value else None  # noqa: PLR0124
            for value in values
        ]


def _canvas(
    trail: Trail, columns: int, rows: int, scale: _Scale
) -> tuple[list[list[int]], list[list[int]]]:
    bright = [[0] * columns for _ in range(rows)]
    dim = [[0] * columns for _ in range(rows)]
    factor = (columns * 2 - 1) / max(len(trail.means) - 1, 1)
    means, lows, highs = map(scale.places, (trail.means, trail.lows, trail.highs))
    extremes: dict[int, tuple[int, int]] = {}
    before: tuple[int, int] | None = None
    for place, (y, low, high) in enumerate(zip(means, lows, highs, strict=True)):
        if y is None or low is None or high is None:
            continue
        x = round(place * factor)
        known = extremes.get(x)
        extremes[x] = (
            (high, low) if known is None else (min(high, known[0]), max(low, known[1]))
        )
        bright[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
        if before is not None and (abs(x - before[0]) > 1 or abs(y - before[1]) > 1):
            _connect(bright, before, (x, y))
        before = (x, y)
    for x, (high, low) in extremes.items():
        for cell in range(high // 4, low // 4 + 1):
            first, last = max(high - cell * 4, 0), min(low - cell * 4, 3)
            dim[cell][x // 2] |= _SPANS[x % 2][first][last]
    return bright, dim


def _connect(canvas: list[list[int]], start: tuple[int, int], end: tuple[int, int]) -> None:
    (x0, y0), (x1, y1) = start, end
    count = max(abs(x1 - x0), abs(y1 - y0))
    for part in range(1, count):
        x, y = x0 + (x1 - x0) * part // count, y0 + (y1 - y0) * part // count
        canvas[y // 4][x // 2] |= _DOTS[x % 2][y % 4]


def _axis(trail: Trail, columns: int, *, is_log: bool) -> Line:
    first, last = f"{trail.first_step:,}", f"{trail.last_step:,}"
    middle = "logarithmic" if is_log else ""
    if trail.broken:
        middle = f"× {len(trail.broken)} with NaN or Inf"
    room = columns - len(first) - len(last)
    if room < len(middle) + 2:
        middle = ""
    style = BAD_BOLD if trail.broken else DIM
    return [
        Segment(" " * (_GUTTER + 1) + first, DIM),
        Segment(middle.center(max(room, 1)), style),
        Segment(last, DIM),
    ]
