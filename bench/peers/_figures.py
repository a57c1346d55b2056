"""What is compared: which figure is better, and how a number is shown."""

from collections.abc import Callable
from dataclasses import dataclass

from _results import Outcome


def _scale(one: Outcome) -> str:
    runs, steps = one.latest("runs"), one.latest("steps")
    return f" ({runs:.0f} × {steps:.0f})" if runs and not one.least("is_whole") else ""


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of a table.

    Attributes:
        workload: Which workload gives it.
        name: Name of the figure.
        title: Head of the column.
        unit: Its unit.
        better: `low` or `high`; empty where neither is better.
        phrase: What it is, for a sentence.
        part: The part of the workload that it comes from.
        is_of_all: It can be compared only where all points or runs were written.
        is_text: It is no number, but what the tool said last.
        note: What stands behind the figure.
    """

    workload: str
    name: str
    title: str
    unit: str = ""
    better: str = "low"
    phrase: str = ""
    part: str = ""
    is_of_all: bool = False
    is_text: bool = False
    note: Callable[[Outcome], str] | None = None


_LENGTHS = {
    1_000: "1k points",
    100_000: "100k points",
    1_000_000: "1M points",
    100: "100 points",
}

MEASURES = (
    Measure("start", "import_ms", "import", "ms", phrase="import"),
    Measure("start", "megabytes", "installed", "MB", phrase="installed size"),
    Measure("start", "packages", "packages", phrase="number of installed packages"),
    Measure("call", "median_us", "median", "µs", phrase="median call"),
    Measure("call", "p99_us", "p99", "µs", phrase="p99 of a call"),
    Measure("call", "p999_us", "p99.9", "µs", phrase="p99.9 of a call"),
    Measure("call", "max_ms", "max", "ms", phrase="slowest call"),
    Measure("call", "start_ms", "start", "ms", phrase="start of a run"),
    Measure("call", "finish_s", "finish", "s", phrase="end of a run"),
    Measure("call", "rate", "to durable", "points/s", "high", "points a second to durable"),
    Measure("call", "lost", "not there", "calls", ""),
    Measure("loop", "slower_percent", "slower", "%", phrase="slowdown of a 1 ms loop"),
    Measure("million", "seconds", "written", "s", phrase="writing", is_of_all=True),
    Measure("million", "written_points", "points", better=""),
    Measure("million", "bytes_a_point", "disk", "bytes/point", phrase="bytes a point"),
    Measure("million", "memory_mb", "memory", "MB", phrase="memory", is_of_all=True),
    Measure(
        "million",
        "read_ms",
        "read a metric",
        "ms",
        phrase="reading a metric",
        part="read",
        is_of_all=True,
    ),
    Measure(
        "million",
        "summary_ms",
        "summary",
        "ms",
        phrase="the summary",
        part="summary",
        is_of_all=True,
    ),
    Measure(
        "sweep",
        "seconds",
        "written",
        "s",
        phrase="writing the sweep",
        is_of_all=True,
        note=_scale,
    ),
    Measure("sweep", "run_ms", "a run", "ms", phrase="a run of the sweep", is_of_all=True),
    Measure(
        "sweep",
        "leaderboard_ms",
        "leaderboard",
        "ms",
        phrase="the leaderboard",
        part="leaderboard",
        is_of_all=True,
    ),
    Measure(
        "sweep",
        "every_ms",
        "a metric of all",
        "ms",
        phrase="a metric of all runs",
        part="every",
        is_of_all=True,
    ),
    Measure("writers", "seconds", "time", "s", phrase="eight writers", is_of_all=True),
    Measure(
        "writers", "rate", "rate", "points/s", "high", "points a second of the writers"
    ),
    Measure("writers", "calls", "acknowledged", "calls", ""),
    Measure("writers", "lost", "lost", "calls", ""),
    Measure("writers", "failed", "failed", "writers", ""),
    Measure("kill", "acknowledged", "acknowledged", "calls", ""),
    Measure("kill", "lost", "lost", "calls", "low", "calls lost to a kill", "read"),
    Measure("kill", "twice", "twice", "calls", "", "", "read"),
    Measure("kill", "invented", "invented", "calls", "", "", "read"),
    Measure("kill", "orphans", "processes left", better=""),
    Measure("kill", "status", "state it shows", better="", part="state", is_text=True),
    *(
        Measure("frame", f"frame_{length}", title, "ms", phrase=f"a frame of {title}")
        for length, title in _LENGTHS.items()
    ),
)


def plain(value: float) -> str:
    """A number as people write it: three digits that count, or whole thousands."""
    if abs(value) >= 1000:  # noqa: PLR2004
        return f"{value:,.0f}"
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.2g}"  # noqa: PLR2004


def counts(measure: Measure, one: Outcome) -> bool:
    """Whether a tool's figure can be compared with the others'."""
    if one.cell(measure.name) is None or one.failures:
        return False
    return not measure.is_of_all or bool(one.least("is_whole"))


def is_best(measure: Measure, one: Outcome, others: list[Outcome]) -> bool:
    """Whether no tool has a better median."""
    rivals = [other.cell(measure.name) for other in others if counts(measure, other)]
    mine = one.cell(measure.name)
    if not measure.better or mine is None or not counts(measure, one) or len(rivals) < 2:  # noqa: PLR2004
        return False
    middles = [cell.middle for cell in rivals if cell is not None]
    return mine.middle == (min(middles) if measure.better == "low" else max(middles))
