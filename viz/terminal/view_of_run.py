"""A run of any process as the terminal shows it: prepared from the store alone."""

import math
from typing import TYPE_CHECKING

from stepwell.store import RunningReduction, better_side
from stepwell.viz.base.expert_metrics import split_experts
from stepwell.viz.base.metric_names import is_loss
from stepwell.viz.base.stored_progress import StoredProgress
from stepwell.viz.terminal.render.view import (
    NOTHING,
    Alarm,
    MetricRow,
    SystemItem,
    TerminalView,
    Trail,
)

from .experts import expert_load
from .metric_trail import MOST_BUCKETS
from .running_values import broken_alarms, change

if TYPE_CHECKING:
    from stepwell.store import MetricSummary, News, ReducedSeries, RunInfo, Store

_TABLE_SECONDS = 2.0
_STALL_SECONDS = 60.0
_MOST_TRAILS = 64
_NOT_IN_TABLE = frozenset({"batch_size", "sequence_length"})
_LINE_METRICS = 8


class RunFollower:
    """Keeps a view of one run up to date, by what is new in the store.

    Args:
        store: Where the run is.
        run_id: The run.
    """

    def __init__(self, store: "Store", run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._names: list[str] = []
        self._known: dict[str, tuple[int, int]] = {}
        self._reductions: dict[str, RunningReduction] = {}
        self._trails: dict[str, Trail] = {}
        self._scale = (0, 1)
        self._news: News | None = None
        self._progress = StoredProgress(store)
        self._table: dict[str, tuple[float, float | None]] = {}  # value, change
        self._table_at = -1e9

    @property
    def info(self) -> "RunInfo | None":
        """The run as it was at the last look; None before the first."""
        return None if self._news is None else self._news.run

    def look(self, now: float) -> None:
        """Take in what is new.

        Args:
            now: Seconds, on any clock.

        Raises:
            StepwellError: If the store can't be read just now.
        """
        if self._news is None:
            self._follow(self._store.summary(self._run_id))
        news = self._store.news(self._run_id, self._names, self._known)
        self._news = news
        for name, (steps, values) in news.points.items():
            if name in news.whole or name not in self._reductions:
                self._reductions[name] = RunningReduction(name, MOST_BUCKETS // 2)
            self._reductions[name].extend(steps, values)
            self._known[name] = (news.summary[name].count, int(steps[-1]))
        self._follow(news.summary)
        self._make_trails(set(news.points))
        self._progress.take(news)
        if now - self._table_at >= _TABLE_SECONDS:
            self._table_at = now
            self._table = {
                name: (one.current, self._change(name, one.current))
                for name, one in news.summary.items()
            }

    def _follow(self, summary: "dict[str, MetricSummary]") -> None:
        plain, _ = split_experts(summary)
        self._names = [name for name in plain if name not in _NOT_IN_TABLE][:_MOST_TRAILS]

    def _change(self, name: str, value: float) -> float | None:
        before = self._table.get(name)
        if before is None:
            return None
        return before[1] if before[0] == value else change(before[0], value)

    def _make_trails(self, changed: set[str]) -> None:
        extent = self._extent()
        if extent is None:
            return
        width = 1
        while (extent[1] - extent[0]) // width >= MOST_BUCKETS:
            width *= 2
        # All trails share their buckets; a new width or origin makes each of them anew.
        if (extent[0], width) != self._scale:
            self._scale = (extent[0], width)
            changed = set(self._reductions)
        for name in changed:
            series = self._reductions[name].series()
            self._trails[name] = trail_of(series, extent[0], width)

    def _extent(self) -> tuple[int, int] | None:
        ends = [one.extent for one in self._reductions.values()]
        if not ends:
            return None
        return min(first for first, _ in ends), max(last for _, last in ends)

    def view(self) -> TerminalView:
        """The run as of the last look."""
        news = self._news
        if news is None:
            return TerminalView("", "", self._run_id)
        summary, run = news.summary, news.run
        plain, experts = split_experts(summary)
        rows = tuple(
            self._row(name, summary[name]) for name in plain if name not in _NOT_IN_TABLE
        )
        losses = [row for row in rows if is_loss(row.name)]
        return TerminalView(
            run.name if run.project is None else f"{run.project} · {run.name}",
            run.name,
            run.run_id,
            run.status,
            self._progress.progress(),
            rows,
            tuple((row.name, row.last) for row in rows[:_LINE_METRICS]),
            "",
            expert_load({name: summary[name].current for name in experts}),
            losses[0] if losses else None,
            _facts(run),
            self._alarms(news),
            system_title="run",
        )

    def _row(self, name: str, one: "MetricSummary") -> MetricRow:
        better = better_side(name)
        best, step = (one.max, one.max_step) if better == "max" else (one.min, one.min_step)
        known = better is not None and step is not None
        return MetricRow(
            name,
            one.current,
            best if known else None,
            step if known else None,
            self._table.get(name, (0.0, None))[1],
            better,
            self._trails.get(name, Trail()),
        )

    def _alarms(self, news: "News") -> tuple[Alarm, ...]:
        run = news.run
        found = list(
            broken_alarms(
                (name, one.non_finite, self._first_broken(name), one.current)
                for name, one in news.summary.items()
                if one.non_finite
            )
        )
        if run.exit_message and run.status != "finished":
            found.insert(0, Alarm(f"{run.status}: {run.exit_message}"))
        if run.lost_calls:
            found.append(
                Alarm(f"{run.lost_calls:,} calls were lost: the disk refused them")
            )
        if run.status == "running" and news.last_time is not None:
            seconds = run.duration_seconds - (self._progress.newest or 0.0)
            if seconds > _STALL_SECONDS:
                found.append(Alarm(f"stalled: no update for {seconds:.0f} s", False))
        return tuple(found)

    def _first_broken(self, name: str) -> int | None:
        reduction = self._reductions.get(name)
        if reduction is None:
            return None
        steps = reduction.series().non_finite_steps
        return int(steps[0]) if len(steps) else None


def trail_of(series: "ReducedSeries", origin: int, width: int) -> Trail:
    """A reduced series in buckets of *width* steps, the first at *origin*."""
    count = (int(series.last_step[-1]) - origin) // width + 1
    sums, counts = [0.0] * count, [0] * count
    lows, highs = [math.inf] * count, [-math.inf] * count
    columns = (series.first_step, series.mean, series.minimum, series.maximum)
    finite = series.count - series.non_finite
    for step, mean, low, high, points in zip(
        *(column.tolist() for column in columns), finite.tolist(), strict=True
    ):
        place = (step - origin) // width
        if points and place >= 0:
            # A bucket of the store may hold many points, which count by their number.
            sums[place] += mean * points
            counts[place] += points
            lows[place] = min(lows[place], low)
            highs[place] = max(highs[place], high)
    known = [bool(points) for points in counts]
    return Trail(
        origin,
        int(series.last_step[-1]),
        width,
        tuple(
            total / points if points else NOTHING
            for total, points in zip(sums, counts, strict=True)
        ),
        tuple(x if is_known else NOTHING for x, is_known in zip(lows, known, strict=True)),
        tuple(x if is_known else NOTHING for x, is_known in zip(highs, known, strict=True)),
        frozenset((int(step) - origin) // width for step in series.non_finite_steps),
    )


def _facts(run: "RunInfo") -> tuple[SystemItem, ...]:
    started = run.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    facts = (("host", run.host), ("process", run.pid), ("started", started))
    items = [SystemItem(label, str(value)) for label, value in facts if value]
    if run.group_name:
        items.insert(0, SystemItem("group", run.group_name))
    return tuple(items)
