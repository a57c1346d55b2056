"""What the terminal view shows, and what a training loop tells it at a step."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stepwell.store import ConfigurationError, shown

from .validation import check_whole_number

DISPLAYS = ("auto", "lines", "none")
MOST_FRAMES = 8.0
"""Renderings a second, at most."""


@dataclass(slots=True)
class VisualizationConfig:
    """What the terminal view shows, and how often.

    Attributes:
        show_progress_bar: Whether there is a bar beside the step.
        show_tables: Whether there is a table of the metrics.
        table_update_interval: Updates between two states of that table; its column
            "change" compares the two.
        show_expert_utilization: Whether the load of each expert is shown.
        show_throughput: Whether steps, samples and tokens a second are shown.
        show_system_metrics: Whether processor, memory and GPU are shown.
        show_chart: Whether the first loss has a chart, where there is room.
        refresh_per_second: Renderings a second, at most 8.
        line_seconds: Where there is no terminal: least seconds between two lines.
        stall_seconds: Seconds without an update after which the run counts as stalled.
        display: "auto"; "lines" for plain lines everywhere; "none" only records.
    """

    show_progress_bar: bool = True
    show_tables: bool = True
    table_update_interval: int = 25
    show_expert_utilization: bool = True
    show_throughput: bool = True
    show_system_metrics: bool = True
    show_chart: bool = True
    refresh_per_second: float = 4.0
    line_seconds: float = 30.0
    stall_seconds: float = 60.0
    display: str = "auto"


@dataclass(slots=True)
class TrainingSnapshot:
    """One step of a training loop; None is an absent value.

    Attributes:
        step: The training step; None is the step after the last.
        train_loss: Loss on the training data.
        val_loss: Loss on data held out.
        learning_rate: The learning rate.
        aux_loss: A further loss, such as that of a router.
        expert_utilization: The load of each expert, by number or name, in any unit; or
            a list of loads.
        batch_size: Samples in a step.
        sequence_length: Tokens in a sample.
        gpu_memory_mb: Memory used on the GPU, in MB.
        gradient_norm: Norm of the gradient.
        custom_metrics: Further metrics, by name.
    """

    step: int | None = None
    train_loss: float | None = None
    val_loss: float | None = None
    learning_rate: float | None = None
    aux_loss: float | None = None
    expert_utilization: Mapping[Any, float] | Sequence[float] | None = field(
        default_factory=dict
    )
    batch_size: int | None = None
    sequence_length: int | None = None
    gpu_memory_mb: float | None = None
    gradient_norm: float | None = None
    custom_metrics: Mapping[str, Any] | None = field(default_factory=dict)


def check_config(config: VisualizationConfig) -> None:
    """Check that *config* can be used.

    Raises:
        ConfigurationError: A value can't be; the message names it.
    """
    check_whole_number("table_update_interval", config.table_update_interval)
    if config.display not in DISPLAYS:
        choices = ", ".join(map(repr, DISPLAYS))
        raise ConfigurationError(
            f"display must be one of {choices}, not {shown(config.display)}"
        )
    for name in ("refresh_per_second", "line_seconds", "stall_seconds"):
        value = getattr(config, name)
        if not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ConfigurationError(f"{name} must be a number above 0, not {shown(value)}")
