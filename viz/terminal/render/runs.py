"""Several runs below one another, a line each."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.segment import Segment

from stepwell.viz.base.numbers import duration, short_value

from .blocks import STATUS_STYLES, number
from .cells import (
    BAD_BOLD,
    BOLD,
    DIM,
    NAME,
    PLAIN,
    Line,
    fitted,
    progress_bar,
    right,
    sparkline,
)
from .view import MetricRow, TerminalView

_WIDEST = 200
_LONGEST_NAME = 28


class RunsPicture:
    """A table of runs: status, progress, speed, and the first loss.

    Args:
        views: The runs.
        height: Most lines; None for all.
    """

    def __init__(self, views: Sequence[TerminalView], *, height: int | None = None) -> None:
        self.views = views
        self.height = height

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[Segment]:
        for line in self.lines(options.max_width):
            yield from line
            yield Segment.line()

    def lines(self, columns: int) -> list[Line]:
        """The table's lines; runs that find no room are counted."""
        width = min(columns, _WIDEST)
        name = min(
            max((len(view.run_name) for view in self.views), default=3), _LONGEST_NAME
        )
        most = len(self.views)
        if self.height is not None and most + 1 > self.height:
            most = max(self.height - 2, 1)
        room = width - name - 36
        bar = max(min(room - 24, 24), 0)
        trend = max(room - bar - 22, 0)
        head = "run".ljust(name) + "  status       " + "step".rjust(9)
        head += "  " + " " * (bar + 6) + _time_heading(self.views).rjust(7)
        head += " " + right(_metric_heading(self.views), 10)
        lines: list[Line] = [[Segment(head[:width], DIM)]]
        lines += [_row(view, name, bar, trend) for view in self.views[:most]]
        if most < len(self.views):
            lines.append([Segment(f"… {len(self.views) - most} more", DIM)])
        return lines


def _time_heading(views: Sequence[TerminalView]) -> str:
    """What the times are: those left of runs that go on, those that the others took."""
    are_going = {view.status == "running" for view in views}
    if len(are_going) > 1:
        return "time"
    return "left" if are_going == {True} else "took"


def _metric_heading(views: Sequence[TerminalView]) -> str:
    """The metric that the runs show, where it is the same of all."""
    shown = {row.name for view in views if (row := _main_metric(view)) is not None}
    return shown.pop() if len(shown) == 1 else "loss"


def _main_metric(view: TerminalView) -> MetricRow | None:
    return view.chart or (view.rows[0] if view.rows else None)


def _row(view: TerminalView, name: int, bar: int, trend: int) -> Line:
    progress = view.progress
    loss = _main_metric(view)
    done = "–" if progress.done is None else f"{progress.done:,}"
    line: Line = [
        Segment(fitted(view.run_name, name), NAME),
        Segment(f"  {view.status:<12} ", STATUS_STYLES.get(view.status, PLAIN)),
        Segment(right(done, 9) + "  ", BOLD),
    ]
    share = progress.share
    line += progress_bar(share, bar) if share is not None else [Segment(" " * bar)]
    percent = "" if share is None else f"{progress.percent}%"
    left = progress.remaining if view.status == "running" else progress.elapsed
    time = "" if left is None else duration(left).replace(" ", "")
    line.append(Segment(right(percent, 6) + right(time, 7), DIM))
    return line + _loss(loss, trend)


def _loss(loss: MetricRow | None, trend: int) -> Line:
    if loss is None:
        return []
    is_bad = loss.last != loss.last
    value = number(loss.last) if is_bad else short_value(loss.last)
    line: Line = [Segment(right(value, 11) + "  ", BAD_BOLD if is_bad else BOLD)]
    return line + sparkline(loss.trail, trend) if trend >= 4 else line  # noqa: PLR2004
