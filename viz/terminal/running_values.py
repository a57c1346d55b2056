"""What the live view knows of its run: running values, never the history."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from stepwell.store import better_side
from stepwell.viz.base.expert_metrics import FEWEST_EXPERTS, is_expert
from stepwell.viz.base.metric_names import is_loss
from stepwell.viz.base.progress import (
    NO_PAST,
    Past,
    Progress,
    StepTimes,
    steps_done,
    throughput,
    total_steps,
)
from stepwell.viz.terminal.render.view import Alarm, ExpertLoad, MetricRow

from .experts import expert_load
from .metric_trail import RunningTrail, Scale

Entry = tuple[int, Mapping[str, float]]
"""A step, and the metrics said at it."""

_STALLED_STEPS = 10
_MOST_TRAILS = 256
_NOT_IN_TABLE = frozenset({"batch_size", "sequence_length"})
_FIRST = ("train_loss", "val_loss", "aux_loss", "learning_rate", "gradient_norm")


class _Metric:
    """The running values of one metric."""

    def __init__(self, name: str, trail: RunningTrail | None) -> None:
        self.name = name
        self.better = better_side(name)
        self.last = math.nan
        self.best: float | None = None
        self.best_step: int | None = None
        self.broken = 0
        self.broken_step: int | None = None
        self.trail = trail
        self.is_new = False
        self._at_table: float | None = None
        self._change: float | None = None

    def take(self, steps: Sequence[int], values: Sequence[float]) -> None:
        self.last = float(values[-1])
        self.is_new = True
        if self.trail is not None:
            self.trail.take(steps, values)
        if not math.isfinite(sum(values)):
            kept = [
                pair for pair in zip(steps, values, strict=True) if math.isfinite(pair[1])
            ]
            lost = len(values) - len(kept)
            if lost and not self.broken:
                odd = (i for i, value in enumerate(values) if not math.isfinite(value))
                self.broken_step = steps[next(odd)]
            self.broken += lost
            steps, values = [p[0] for p in kept], [p[1] for p in kept]
        if self.better is not None and values:
            best = min(values) if self.better == "min" else max(values)
            known = self.best
            if known is None or (best < known if self.better == "min" else best > known):
                self.best, self.best_step = best, steps[values.index(best)]

    def row(self) -> MetricRow:
        if self.is_new:
            self.is_new = False
            self._change = change(self._at_table, self.last)
            self._at_table = self.last
        trail = self.trail.value() if self.trail is not None else MetricRow("", 0).trail
        return MetricRow(
            self.name,
            self.last,
            self.best,
            self.best_step,
            self._change,
            self.better,
            trail,
        )


class Tally:
    """Running values of a run, from which a view is made at any moment.

    Args:
        now: Seconds, on the clock of all other calls.
        table_interval: Updates between two states of the table.
        past: What the run had done before.
    """

    def __init__(self, now: float, table_interval: int = 25, past: Past = NO_PAST) -> None:
        self.updates = 0
        self._began = now - past.seconds
        self._heard = self._looked = now
        self._table_interval = table_interval
        self._metrics: dict[str, _Metric] = {}
        self._experts: dict[str, float] = {}
        self._scale = Scale()
        self._steps: tuple[int, int] | None = None
        self._past = past
        self._times = StepTimes(past.times)
        self._table: tuple[MetricRow, ...] = ()
        self._table_step: int | None = None

    def take(self, entries: Sequence[Entry], now: float) -> None:
        """Take in what was said since the last call."""
        if entries:
            self._take(entries, now)
        self._looked = now

    def _take(self, entries: Sequence[Entry], now: float) -> None:
        interval = self._table_interval
        behind = (self.updates + len(entries)) % interval
        # Split where a table is due, so that it shows the values of that very update,
        # however many came between two looks.
        cut = max(len(entries) - behind, 0)
        if cut:
            self._absorb(entries[:cut], now)
            self._make_table()
        if cut < len(entries):
            self._absorb(entries[cut:], now)
            if not self._table:
                self._make_table()

    def _absorb(self, entries: Sequence[Entry], now: float) -> None:
        self.updates += len(entries)
        # Updates with the same names in a row are taken in by column, with one call a
        # metric instead of one a value.
        for names, group in groupby(entries, key=lambda entry: tuple(entry[1])):
            same = list(group)
            steps = list(map(itemgetter(0), same))
            low, high = min(steps), max(steps)
            if self._steps is None:
                # Else all of them would have come at once, and the first rate be far too
                # high.
                if high > steps[0]:  # they came since the look before
                    self._times.add(self._looked - self._began, steps[0])
                self._steps = (steps[0], high)
            self._steps = (min(self._steps[0], low), max(self._steps[1], high))
            self._widen(steps[0], high)
            columns = zip(*(said.values() for _, said in same), strict=True)
            for name, values in zip(names, columns, strict=False):
                if is_expert(name):
                    self._experts[name] = values[-1]
                    if self._has_experts:
                        continue
                self._metric(name).take(steps, values)
        self._heard = now
        if self._steps is not None:
            self._times.add(now - self._began, self._steps[1])

    @property
    def _has_experts(self) -> bool:
        """Whether there are several; a lone one is a metric like others."""
        return len(self._experts) >= FEWEST_EXPERTS

    def _widen(self, first: int, last: int) -> None:
        trails = [metric.trail for metric in self._metrics.values() if metric.trail]
        for _ in range(self._scale.cover(first, last)):
            for trail in trails:
                trail.halve()

    def _metric(self, name: str) -> _Metric:
        metric = self._metrics.get(name)
        if metric is None:
            has_trail = len(self._metrics) < _MOST_TRAILS
            trail = RunningTrail(self._scale) if has_trail else None
            metric = self._metrics[name] = _Metric(name, trail)
        return metric

    def _make_table(self) -> None:
        shown = [m for m in self._plain() if m.name not in _NOT_IN_TABLE]
        shown.sort(key=_order)
        self._table = tuple(metric.row() for metric in shown)
        self._table_step = self._steps[1] if self._steps else None

    def _plain(self) -> Iterable[_Metric]:
        """The metrics that are no experts."""
        hidden = self._experts if self._has_experts else {}
        return (one for name, one in self._metrics.items() if name not in hidden)

    def finish_table(self) -> None:
        """Make the table anew: the run has ended."""
        if any(metric.is_new for metric in self._metrics.values()):
            self._make_table()

    @property
    def table(self) -> tuple[MetricRow, ...]:
        """The table as of its last update."""
        return self._table

    @property
    def table_note(self) -> str:
        """When the table was made."""
        if self._table_step is None:
            return ""
        return f"step {self._table_step:,} · every {self._table_interval:,}"

    @property
    def newest(self) -> dict[str, float]:
        """The newest value of each metric but the experts, in the table's order."""
        return {m.name: m.last for m in sorted(self._plain(), key=_order)}

    @property
    def last_step(self) -> int | None:
        """The greatest step so far."""
        return self._steps[1] if self._steps else None

    def experts(self) -> ExpertLoad | None:
        """How the load is spread now."""
        return expert_load(self._experts) if self._experts else None

    def progress(
        self, now: float, config: Mapping[str, object], *, is_running: bool = True
    ) -> Progress:
        """How far and how fast the run is, whose configuration may say how far it goes."""
        past = self._past
        first, last = self._steps or (past.first_step, past.last_step)
        if first is not None and past.first_step is not None:
            first = min(first, past.first_step)
        sizes = (self._metrics.get(name) for name in ("batch_size", "sequence_length"))
        rate = self._times.rate
        return Progress(
            steps_done(first, last),
            total_steps(config),
            now - self._began,
            rate,
            *throughput(rate, *(one.last if one else None for one in sizes)),
            is_running=is_running,
        )

    def alarms(self, now: float, stall_seconds: float) -> tuple[Alarm, ...]:
        """What a person should see."""
        found = list(
            broken_alarms(
                (m.name, m.broken, m.broken_step, m.last) for m in self._plain() if m.broken
            )
        )
        silent = now - self._heard
        usual = 1 / rate if (rate := self._times.rate) else 0.0
        if silent > max(stall_seconds, _STALLED_STEPS * usual):
            found.append(Alarm(f"stalled: no update for {silent:.0f} s", is_severe=False))
        return tuple(found)


def broken_alarms(
    metrics: Iterable[tuple[str, int, int | None, float]],
) -> Iterable[Alarm]:
    """Alarms for metrics with points that are NaN or infinite, losses first.

    Args:
        metrics: Name, how many such points, the step of the first, and the newest value.
    """
    for name, count, step, last in sorted(metrics, key=lambda one: not is_loss(one[0])):
        where = "" if step is None else f" since step {step:,}"
        if math.isfinite(last):
            text = f"{name} had {count:,} NaN or Inf"
            text += "" if step is None else f", first at step {step:,}"
        else:
            text = f"{name} is {'NaN' if math.isnan(last) else 'infinite'}{where}"
            text += f" ({count:,} such points)" if count > 1 else ""
        yield Alarm(text, is_severe=not math.isfinite(last) or is_loss(name))


def change(before: float | None, after: float) -> float | None:
    """The change as a share of the value before; None where that has no meaning."""
    if before is None or not math.isfinite(before) or not math.isfinite(after):
        return None
    if before == 0:
        return 0.0 if after == 0 else None
    return (after - before) / abs(before)


def _order(metric: _Metric) -> int:
    return _FIRST.index(metric.name) if metric.name in _FIRST else len(_FIRST)
