"""The blocks of the terminal view as lines: header, metrics, system."""

import math
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

from stepwell.viz.base.numbers import duration, short_step, short_value
from stepwell.viz.base.progress import Progress

from .cells import (
    BAD,
    BAD_BOLD,
    BOLD,
    DIM,
    GOOD,
    NAME,
    PLAIN,
    WARN,
    Line,
    fitted,
    progress_bar,
    right,
    sparkline,
)
from .view import Alarm, MetricRow, SystemItem, TerminalView

STATUS_STYLES = {
    "running": GOOD,
    "finished": BOLD,
    "interrupted": WARN,
    "failed": BAD_BOLD,
    "crashed": BAD_BOLD,
}
_LONGEST_NAME = 26
_MOST_TREND = 120
_STEADY = 0.0005  # a change below it is none
_HOT, _WARM = 0.95, 0.85
_SMALLEST, _LARGEST, _ONE_DIGIT = 0.01, 9999.5, 10


def header_lines(view: TerminalView, width: int) -> list[Line]:
    """How far and how fast the run is, and what a person should see."""
    progress = view.progress
    step = "no step yet" if progress.done is None else f"step {progress.done:,}"
    if progress.total:
        between = " of " if progress.done is None else " / "
        step += f"{between}{progress.total:,}"
    lines: list[Line] = []
    facts = _facts(view)
    share = progress.share
    if share is not None and view.has_bar:
        percent = right(f"{progress.percent}%", 5)
        room = width - len(step) - len(percent) - 2
        bar = progress_bar(share, max(room, 1))
        lines.append([Segment(step + "  ", BOLD), *bar, Segment(percent, BOLD)])
    else:
        facts.insert(
            0, ("", step + (f"  {progress.percent}%" if share is not None else ""))
        )
    line: Line = []
    used = 0
    for label, text in facts:
        gap = "   " if line else ""
        size = len(gap) + len(label) + len(text)
        if used + size > width:
            break
        used += size
        line += [Segment(gap), Segment(text, BOLD), Segment(label, DIM)]
    if line:
        lines.append(line)
    return lines + [_alarm(alarm, width) for alarm in view.alarms]


def _facts(view: TerminalView) -> list[tuple[str, str]]:
    """Unit and number of what stands in one line, the most important first."""
    progress = view.progress
    facts = [(" elapsed", duration(progress.elapsed))]
    if progress.remaining is not None:
        facts.append((" left", duration(progress.remaining)))
    if view.has_throughput:
        facts += throughput(progress)
    return facts


def throughput(progress: Progress) -> list[tuple[str, str]]:
    """Unit and number of each speed that is known."""
    speeds = (
        ("steps", progress.rate),
        ("samples", progress.samples),
        ("tokens", progress.tokens),
    )
    return [(f" {unit}/s", short_value(x, 3)) for unit, x in speeds if x is not None]


def _alarm(alarm: Alarm, width: int) -> Line:
    style = BAD_BOLD if alarm.is_severe else WARN
    return [Segment(fitted(f"▲ {alarm.text}", width), style)]


def metric_lines(rows: Sequence[MetricRow], width: int, most: int) -> list[Line]:
    """A head, and a line a metric; those beyond *most* lines are counted in the last."""
    if not rows:
        return [[Segment("no metrics yet", DIM)]]
    kept = rows if len(rows) + 1 <= most else rows[: max(most - 2, 0)]
    longest = max((len(row.name) for row in kept), default=6)
    name = min(max(longest, 6), _LONGEST_NAME, max(width // 3, 12))
    columns, trend = _columns(width - name)
    lines = [_head(name, columns, trend, rows)]
    lines += [_row(row, name, columns, trend) for row in kept]
    if len(kept) < len(rows):
        lines.append([Segment(f"… {len(rows) - len(kept)} more", DIM)])
    return lines


def _columns(room: int) -> tuple[tuple[str, ...], int]:
    """The columns that fit beside the name, and the width of the trend."""
    room -= 10  # the last value
    chosen = ["last"]
    trend = 0
    for column, size in (("trend", 12), ("change", 10), ("best", 10), ("at step", 10)):
        if room < size:
            break
        room -= size
        if column == "trend":
            trend = 9
        else:
            chosen.append(column)
    order = ("last", "best", "at step", "change")
    wide = min(trend + room, _MOST_TREND) if trend else 0
    return tuple(column for column in order if column in chosen), wide


_SIZES = {"last": 10, "best": 10, "at step": 10, "change": 10}


def _head(
    name: int, columns: tuple[str, ...], trend: int, rows: Sequence[MetricRow]
) -> Line:
    text = "metric".ljust(name) + "".join(right(c, _SIZES[c]) for c in columns)
    if trend:
        trail = max((row.trail for row in rows), key=lambda one: len(one.means))
        steps = min(len(trail.means), trend) * trail.width
        label = f"last {short_step(steps)} steps" if steps else "trend"
        text += "   " + (label if len(label) <= trend else "trend")
    return [Segment(text, DIM)]


def _row(row: MetricRow, name: int, columns: tuple[str, ...], trend: int) -> Line:
    is_bad = not math.isfinite(row.last)
    line: Line = [Segment(fitted(row.name, name), NAME)]
    for column in columns:
        text, style = _cell(row, column, is_bad=is_bad)
        line.append(Segment(right(text, _SIZES[column]), style))
    if trend:
        line += [Segment("   "), *sparkline(row.trail, trend)]
    return line


def _cell(row: MetricRow, column: str, *, is_bad: bool) -> tuple[str, Style]:
    if column == "last":
        return number(row.last), BAD_BOLD if is_bad else BOLD
    if column == "change":
        return _change(row)
    if row.best is None or row.best_step is None:
        return ("–", DIM) if column == "best" else ("", PLAIN)
    if column == "best":
        return number(row.best), GOOD if row.best == row.last else PLAIN
    return short_step(row.best_step), DIM


def _change(row: MetricRow) -> tuple[str, Style]:
    share = row.change
    if share is None:
        return "–", DIM
    size = abs(share)
    if size < _STEADY:
        return "0.0 %", DIM
    sign = "+" if share > 0 else "\N{MINUS SIGN}"
    percent = size * 100
    text = f"{percent:.1f} %" if percent < 1000 else f"×{share + 1:,.0f}"  # noqa: PLR2004
    if not text.startswith("×"):
        text = sign + text
    if row.better is None:
        return text, DIM
    return text, GOOD if (share < 0) == (row.better == "min") else BAD


def number(value: float) -> str:
    """A metric's value, in words where it is none."""
    if math.isinf(value):
        return "Inf" if value > 0 else "\N{MINUS SIGN}Inf"
    size = abs(value)
    if not _SMALLEST <= size < _LARGEST or (value.is_integer() and size >= _ONE_DIGIT):
        return short_value(value)
    digits = max(0, 3 - math.floor(math.log10(size)))
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def system_lines(items: Sequence[SystemItem], width: int, most: int = 2) -> list[Line]:
    """The measurements side by side, in at most *most* lines; the rest is left out."""
    lines: list[Line] = [[]]
    used = 0
    for item in items:
        size = len(item.label) + 1 + len(item.text)
        gap = 3 if lines[-1] else 0
        if lines[-1] and used + gap + size > width:
            if len(lines) == most:
                break
            lines.append([])
            used = gap = 0
        style = BOLD
        if item.load is not None and item.load >= _WARM:
            style = BAD_BOLD if item.load >= _HOT else WARN
        lines[-1] += [
            Segment(" " * gap + item.label + " ", DIM),
            Segment(fitted(item.text, min(len(item.text), width)), style),
        ]
        used += gap + size
    return lines if lines[0] else []
