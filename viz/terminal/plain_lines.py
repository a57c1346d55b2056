"""Plain lines, for where nobody watches a terminal."""

from typing import TextIO

from stepwell.viz.base.numbers import duration, short_value
from stepwell.viz.base.print_lines import say
from stepwell.viz.terminal.render.view import NOTHING, TerminalView

_MOST_METRICS = 5
_SHARE_OF_RUN = 0.1  # a line at least so often, in a short run
_LEAST_SHARE = 0.01  # and no more often than that, in a long one


def plain_line(view: TerminalView) -> str:
    """How a run stands, in one line without control characters."""
    progress = view.progress
    parts = []
    if progress.done is not None:
        total = f"/{progress.total:,}" if progress.total else ""
        parts.append(f"step {progress.done:,}{total}")
    if progress.percent is not None:
        parts.append(f"{progress.percent}%")
    parts += [f"{name} {short_value(x)}" for name, x in view.newest[:_MOST_METRICS]]
    if view.experts is not None:
        parts.append(f"balance {view.experts.balance:.0%}")
    if view.has_throughput and progress.rate is not None:
        parts.append(f"{short_value(progress.rate, 3)} steps/s")
    if progress.remaining is not None:
        parts.append(f"{duration(progress.remaining)} left")
    elif view.status != "running":
        parts.insert(0, f"{view.status} after {duration(progress.elapsed)}:")
    parts += [f"! {alarm.text}" for alarm in view.alarms]
    # Such lines end in log files, which may have no other letters than ASCII's.
    return "  ".join(parts).replace("\N{MINUS SIGN}", "-").replace("∞", "inf")


class LineScreen:
    """Prints a line now and then.

    Args:
        seconds: Least time between two lines; in a short run, a tenth of the run.
        stream: Where to; `sys.stdout`, as it is then.

    Attributes:
        name: What stands before each line.
        is_closed: Whether the last line is printed.
    """

    period = 0.5

    def __init__(self, seconds: float, stream: TextIO | None = None) -> None:
        self._seconds = seconds
        self._stream = stream
        self._said: tuple[float, float] | None = None  # elapsed, share
        self._alarms: tuple[str, ...] = ()
        self.name = ""
        self.is_closed = False

    def show(self, view: TerminalView) -> None:
        """Print a line, if it is time."""
        if view.progress.done is not None and self._is_due(view):
            share = NOTHING if view.progress.share is None else view.progress.share
            self._said = (view.progress.elapsed, share)
            self._print(plain_line(view))

    def close(self, view: TerminalView) -> None:
        """Print the last line."""
        self.is_closed = True
        self._print(plain_line(view))

    def _is_due(self, view: TerminalView) -> bool:
        severe = tuple(alarm.text[:40] for alarm in view.alarms if alarm.is_severe)
        # The first alarm is said at once, and no other: one that came and went with each
        # value would fill the log.
        if severe and not self._alarms:
            self._alarms = severe
            return True
        if self._said is None:
            return True
        elapsed = view.progress.elapsed - self._said[0]
        share = (view.progress.share or 0.0) - self._said[1]
        if share >= _SHARE_OF_RUN:
            return True
        # Without a total the shares are NaN: every comparison is false, and by the `not`
        # the time alone decides.
        return elapsed >= self._seconds and not share < _LEAST_SHARE

    def _print(self, line: str) -> None:
        say(f"{self.name}: {line}" if self.name else line, self._stream)
