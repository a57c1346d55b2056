"""The head of the figure: which run it is, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stepwell.store import better_side
from stepwell.viz.base.metric_names import is_validation, readable
from stepwell.viz.base.numbers import duration, short_step, short_value
from stepwell.viz.base.progress import Progress
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig

if TYPE_CHECKING:
    from stepwell.store import MetricSummary, RunInfo

_ID_LENGTH = 8  # the end of an id is its random part, and names a run as well


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the panels.

    Attributes:
        name: Name of the run.
        title: Title of the figure.
        run_id: The end of the run's id.
        status: Status of the run.
        moment: When a run that goes on was so far, for a picture that stays; else empty.
        facts: Step, rate, elapsed time, time left and best value, each a short text.
        progress: How far and how fast the run is.
    """

    name: str
    title: str
    run_id: str
    status: str
    facts: tuple[str, ...]
    progress: Progress
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
    progress: Progress,
    newest: datetime | None = None,
) -> Header:
    """The header of a figure.

    Args:
        config: The figure's configuration.
        info: The run.
        summary: The run's metrics.
        progress: How far and how fast the run is.
        newest: When its newest point was recorded, for a picture, which does not change
            with the run; None for a figure that follows it.
    """
    facts = []
    if progress.done is not None:
        total = f" / {progress.total:,}" if progress.total else ""
        facts.append(f"step {progress.done:,}{total}")
    if progress.rate is not None:
        facts.append(f"{short_value(progress.rate, 3)} steps/s")
    if progress.done is not None and progress.elapsed:
        facts.append(f"elapsed {duration(progress.elapsed)}")
    if progress.remaining is not None:
        facts.append(f"{duration(progress.remaining)} left")
    if best := _best(summary):
        facts.append(best)
    moment = newest.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if newest else ""
    return Header(
        name=info.name,
        title=config.title,
        run_id=info.run_id[-_ID_LENGTH:],
        status=info.status,
        facts=tuple(facts),
        progress=progress,
        moment=moment if info.status == "running" else "",
    )


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
