"""The terminal view as a renderable: chooses what fits, and frames it."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from .blocks import STATUS_STYLES, header_lines, metric_lines, system_lines
from .cells import (
    BOLD,
    DIM,
    DONE,
    FRAME,
    Line,
    as_ascii,
    clean,
    filled,
    fitted,
    length,
)
from .chart import chart_lines
from .experts import load_height, load_lines
from .view import TerminalView

WIDEST = 200
_NARROWEST = 20
_SIDE_BY_SIDE = 100
_CHART_HEIGHT, _MOST_CHART = 8, 14
_FEW_ROWS = 5


@dataclass(frozen=True, slots=True)
class _Plan:
    """One way to show a view; the first that fits is taken.

    Attributes:
        is_boxed: Boxes around the blocks, or only a line above each.
        has_chart: Whether there is a chart.
        experts: The form of the experts' load; see `load_lines`.
        system: Lines for the system.
    """

    is_boxed: bool
    has_chart: bool
    experts: str
    system: int


_PLANS = (
    _Plan(True, True, "bars", 2),
    _Plan(True, True, "strip", 2),
    _Plan(True, False, "bars", 1),
    _Plan(False, True, "bars", 1),
    _Plan(False, False, "bars", 1),
    _Plan(False, False, "low", 1),
    _Plan(True, False, "strip", 1),
    _Plan(False, False, "strip", 1),
    _Plan(False, False, "line", 1),
    _Plan(False, False, "line", 0),
)


class TerminalPicture:
    """A view in at most so many lines, as wide as the console allows.

    Args:
        view: What to show.
        height: Most lines; None for all that there is to show.
        only_ascii: Whether the terminal has no more than ASCII.
    """

    def __init__(
        self, view: TerminalView, *, height: int | None = None, only_ascii: bool = False
    ) -> None:
        self.view = view
        self.height = height
        self.only_ascii = only_ascii

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[Segment]:
        for line in self.lines(options.max_width):
            if self.only_ascii:
                yield from (Segment(as_ascii(text), style) for text, style, _ in line)
            else:
                yield from line
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(_NARROWEST, min(options.max_width, WIDEST))

    def lines(self, columns: int) -> list[Line]:
        """The picture's lines, none longer than *columns* cells."""
        width = max(min(columns, WIDEST), _NARROWEST)
        height = self.height or 10_000
        composed = _Composition(self.view, width, height)
        return composed.lines()[:height]


class _Composition:
    """What is shown of one view in one size."""

    def __init__(self, view: TerminalView, width: int, height: int) -> None:
        self.view = view
        self.width = width
        self.height = height
        self.chart_height = _CHART_HEIGHT
        self.header = header_lines(view, width - 4)  # of as many lines in a box or not

    def lines(self) -> list[Line]:
        plan, rows = self._plan()
        view, width = self.view, self.width
        edge = 4 if plan.is_boxed else 0
        blocks = [self._head(plan)]
        if view.rows is not None:
            table = metric_lines(view.rows, width - edge, rows)
            blocks.append(_framed("metrics", view.table_note, table, width, plan.is_boxed))
        blocks.append(self._middle(plan))
        if view.system and plan.system:
            lines = system_lines(view.system, width - edge, plan.system)
            blocks.append(_framed(view.system_title, "", lines, width, plan.is_boxed))
        return [line for block in blocks for line in block]

    def _plan(self) -> tuple[_Plan, int]:
        """The best plan that fits, and how many lines of metrics it has room for."""
        wanted = 0 if self.view.rows is None else max(len(self.view.rows), 1) + 1
        room = 0
        for least in dict.fromkeys((wanted, min(wanted, _FEW_ROWS))):
            for plan in _PLANS:
                room = self.height - self._rest(plan)
                if room >= least:
                    spare = min(room - least, _MOST_CHART - _CHART_HEIGHT)
                    self.chart_height += spare if plan.has_chart else 0
                    return plan, room
        return _PLANS[-1], max(room, 2)

    def _rest(self, plan: _Plan) -> int:
        """Lines of all but the metrics' own."""
        view = self.view
        edges = 2 if plan.is_boxed else 1
        lines = len(self.header) + edges
        if view.rows is not None:
            lines += edges
        lines += self._middle_height(plan)
        if view.system and plan.system:
            inner = self.width - (4 if plan.is_boxed else 0)
            lines += len(system_lines(view.system, inner, plan.system)) + edges
        return lines

    def _head(self, plan: _Plan) -> list[Line]:
        view = self.view
        status = f"● {view.status}"
        style = STATUS_STYLES.get(view.status, DIM)
        title = f"{view.title} · {view.run_id[-8:]}" if view.run_id else view.title
        lines = self.header if plan.is_boxed else header_lines(view, self.width)
        return _framed(title, status, lines, self.width, plan.is_boxed, (DONE, style))

    def _middle(self, plan: _Plan) -> list[Line]:
        view, boxed, width = self.view, plan.is_boxed, self.width
        chart = view.chart if plan.has_chart else None
        if chart is None and view.experts is None:
            return []
        if chart is None:
            return self._experts(plan, width)
        if view.experts is None or not self._is_split(plan):
            edge = 4 if boxed else 0
            lines = chart_lines(chart, width - edge, self.chart_height)
            drawn = _framed(chart.name, "", lines, width, boxed)
            return drawn if view.experts is None else drawn + self._experts(plan, width)
        left = width * 11 // 20
        experts = self._experts(plan, width - left - 1)
        edges = 2 if boxed else 1
        inner = left - (4 if boxed else 0)
        drawn = chart_lines(chart, inner, len(experts) - edges)
        box = _framed(chart.name, "", drawn, left, boxed)
        return [
            [*filled(a, left), Segment(" "), *b] for a, b in zip(box, experts, strict=True)
        ]

    def _is_split(self, plan: _Plan) -> bool:
        """Whether chart and experts stand side by side."""
        return (
            plan.has_chart
            and self.view.chart is not None
            and self.view.experts is not None
            and self.width >= _SIDE_BY_SIDE
            and plan.experts != "line"
        )

    def _experts(self, plan: _Plan, width: int) -> list[Line]:
        load = self.view.experts
        if load is None:
            return []
        inner = width - (4 if plan.is_boxed else 0)
        split = self._is_split(plan)
        lines = load_lines(load, plan.experts, inner, self.chart_height if split else 0)
        if split:
            lines[-1:-1] = [[] for _ in range(self.chart_height - len(lines))]
        note = f"entropy {load.entropy:.2f}/{load.most_entropy:.2f} bit"
        title = "experts (1.00× = even)"
        return _framed(title, note, lines, width, plan.is_boxed)

    def _middle_height(self, plan: _Plan) -> int:
        view = self.view
        edges = 2 if plan.is_boxed else 1
        edge = 4 if plan.is_boxed else 0
        has_chart = view.chart is not None and plan.has_chart
        if view.experts is None:
            return _CHART_HEIGHT + edges if has_chart else 0
        split = self._is_split(plan)
        width = self.width - self.width * 11 // 20 - 1 if split else self.width
        height = load_height(view.experts, plan.experts, width - edge)
        if split:
            return max(height, _CHART_HEIGHT) + edges
        return height + edges + (_CHART_HEIGHT + edges if has_chart else 0)


def _framed(  # noqa: PLR0913, PLR0917 (what stands in a frame, and how)
    title: str,
    note: str,
    lines: list[Line],
    width: int,
    is_boxed: bool,
    styles: tuple[Style, Style] = (FRAME, DIM),
) -> list[Line]:
    """*lines* below a line with a title and a note, or in a box."""
    frame, note_style = styles
    left, close = ("╭─ ", "─╮") if is_boxed else ("── ", "──")
    room = width - 5 - (len(note) + 3 if note else 0)
    text = clean(title)
    text = fitted(text, min(len(text), max(room - 2, 1)))
    top: Line = [Segment(left, frame), Segment(text, BOLD), Segment(" ")]
    tail: Line = [Segment(" "), Segment(note, note_style), Segment(" ")] if note else []
    tail.append(Segment(close, frame))
    fill = max(width - length(top) - length(tail), 0)
    top += [Segment("─" * fill, frame), *tail]
    if not is_boxed:
        return [top, *lines]
    inner = width - 4
    sides = Segment("│ ", frame), Segment(" │", frame)
    body = [[sides[0], *filled(line, inner), sides[1]] for line in lines]
    bottom = [Segment("╰" + "─" * (width - 2) + "╯", frame)]
    return [top, *body, bottom]
