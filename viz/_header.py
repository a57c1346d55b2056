"""The head of the figure: which run it is, and how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from stepwell.store import better_side

from ._config import TrainingVisualizerConfig
from ._meaning import is_validation, readable
from ._numbers import duration, short_step, short_value

if TYPE_CHECKING:
    from stepwell.store import MetricSummary, RunInfo

_RECENT_SHARE = 0.2
_ID_LENGTH = 8  # the end of an id is its random part, and names a run as well
_STEP_NAMES = ("total_steps", "max_steps")


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the panels.

    Attributes:
        name: Name of the run.
        title: Title of the figure.
        run_id: The end of the run's id.
        status: Status of the run.
        moment: When a run that goes on was so far, for a picture that stays; else empty.
        facts: Step, rate, elapsed time and best value, each a short text.
        progress: Share of the steps done, 0.0 to 1.0, where their number is known.
    """

    name: str
    title: str
    run_id: str
    status: str
    facts: tuple[str, ...]
    progress: float | None = None
    moment: str = ""

    @property
    def standing(self) -> str:
        """The status in capitals, and when it was so."""
        status = self.status.upper()
        return f"{status} AT {self.moment}" if self.moment else status


def header_of(
    config: TrainingVisualizerConfig,
    info: "RunInfo",
    summary: Mapping[str, "MetricSummary"],
    clock: Sequence[tuple[int, float]],
    *,
    stays: bool = False,
) -> Header:
    """The header of a figure.

    Args:
        config: The figure's configuration.
        info: The run.
        summary: The run's metrics.
        clock: Pairs of a step and the seconds since the run's start, in order.
        stays: Whether it is that of a picture, which does not change with the run.
    """
    step = max((one.last_step or 0 for one in summary.values()), default=None)
    total = total_steps(info.config)
    facts = []
    if step is not None:
        facts.append(f"step {step:,}" + (f" / {total:,}" if total else ""))
    if rate := _rate(clock):
        facts.append(f"{short_value(rate, 3)} steps/s")
    if seconds := _elapsed(info, clock):
        facts.append(f"elapsed {duration(seconds)}")
    if rate and total and step is not None and info.status == "running":
        facts.append(f"ETA {duration(max(0, total - 1 - step) / rate)}")
    if best := _best(summary):
        facts.append(best)
    progress = None
    if total and step is not None:
        progress = min(1.0, (step + 1) / total)
    return Header(
        name=info.name,
        title=config.title,
        run_id=info.run_id[-_ID_LENGTH:],
        status=info.status,
        facts=tuple(facts),
        progress=progress,
        moment=_moment(info, clock) if stays and info.status == "running" else "",
    )


def total_steps(config: Mapping[str, object]) -> int | None:
    """How many steps a run with *config* will take, where that says so."""
    for name in _STEP_NAMES:
        total = config.get(name)
        if isinstance(total, int) and total > 0:
            return total
    return None


def _moment(info: "RunInfo", clock: Sequence[tuple[int, float]]) -> str:
    """When the newest point was recorded: what an unchanged store always says."""
    newest = info.created_at + timedelta(seconds=clock[-1][1] if clock else 0.0)
    return newest.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _elapsed(info: "RunInfo", clock: Sequence[tuple[int, float]]) -> float | None:
    if info.finished_at is not None:
        return (info.finished_at - info.created_at).total_seconds()
    return clock[-1][1] if clock else None


def _rate(clock: Sequence[tuple[int, float]]) -> float | None:
    """Steps a second over the newest part of the run."""
    if not clock:
        return None
    last_step, last_time = clock[-1]
    since = last_time - _RECENT_SHARE * (last_time - clock[0][1])
    step, time = next((pair for pair in clock if pair[1] >= since), clock[0])
    if last_step <= step or last_time <= time:
        step, time = clock[0]
    if last_step <= step or last_time - time < 1e-3:  # noqa: PLR2004 too short to tell
        return None
    return (last_step - step) / (last_time - time)


def _best(summary: Mapping[str, "MetricSummary"]) -> str | None:
    """The best value of the first validation metric that has a better side."""
    for name, one in summary.items():
        side = better_side(name)
        if not is_validation(name) or side is None:
            continue
        value, step = (one.min, one.min_step) if side == "min" else (one.max, one.max_step)
        if step is not None:
            shown = f"best {readable(name)} {short_value(value)}"
            return f"{shown} @ {short_step(step)}"
    return None
