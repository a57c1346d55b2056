"""The course of one metric as a chart of braille dots."""

import math

from rich.segment import Segment

from ._numbers import short_value
from ._terminal_cells import BAD_BOLD, CURVE, DIM, Line, right
from ._terminal_value import MetricRow, Trail

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
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
    bright, dim = _canvas(trail, columns, scale)
    ends = (short_value(scale.high), short_value(scale.low))
    lines: list[Line] = []
    for place in range(rows):
        end = ends[0] if place == 0 else ends[1] if place == rows - 1 else ""
        line: Line = [Segment(right(end, _GUTTER) + " ", DIM)]
        for column in range(columns):
            dots, shade = bright[place][column], dim[place][column]
            style = CURVE if dots else DIM
            line.append(Segment(chr(0x2800 | dots | shade), style))
        lines.append(_joined(line))
    lines.append(_axis(trail, columns, is_log=scale.is_log))
    return lines


class _Scale:
    """From values to dots, counted from the top; logarithmic for a wide range."""

    def __init__(self, low: float, high: float, dots: int) -> None:
        self.low, self.high = low, high
        self.is_log = low > 0 and high / low > _LOG_RATIO
        self._from = math.log(low) if self.is_log else low
        span = (math.log(high) if self.is_log else high) - self._from
        self._factor = (dots - 1) / span if 0 < span < math.inf else 0.0
        self._dots = dots

    def __call__(self, value: float) -> int:
        place = (math.log(value) if self.is_log else value) - self._from
        return self._dots - 1 - round(place * self._factor)


def _canvas(
    trail: Trail, columns: int, scale: _Scale
) -> tuple[list[list[int]], list[list[int]]]:
    rows = scale(scale.low) // 4 + 1
    bright = [[0] * columns for _ in range(rows)]
    dim = [[0] * columns for _ in range(rows)]
    count = len(trail.means)
    factor = (columns * 2 - 1) / max(count - 1, 1)
    before: tuple[int, int] | None = None
    for place, mean in enumerate(trail.means):
        if not math.isfinite(mean):
            continue
        x, y = round(place * factor), scale(mean)
        for dot in range(scale(trail.highs[place]), scale(trail.lows[place]) + 1):
            dim[dot // 4][x // 2] |= _DOTS[x % 2][dot % 4]
        bright[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
        if before is not None:
            _connect(bright, before, (x, y))
        before = (x, y)
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


def _joined(line: Line) -> Line:
    """Neighbours of one style as one segment."""
    found: Line = []
    texts: list[str] = []
    style = line[0].style
    for segment in line:
        if segment.style is not style:
            found.append(Segment("".join(texts), style))
            texts, style = [], segment.style
        texts.append(segment.text)
    return [*found, Segment("".join(texts), style)]
