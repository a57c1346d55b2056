"""A run as a row of a list, with what its metrics came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from .run_info import RunInfo


class RunOverview(NamedTuple):
    """A run as a list of runs shows it.

    Attributes:
        run: The run.
        points: Points recorded, of all metrics.
        last_step: The greatest step; None before the first point.
        last_time: When the newest point was recorded (UTC); None before the first.
        current: Each metric's value at its greatest step, in order of first appearance.
    """

    run: RunInfo
    points: int
    last_step: int | None
    last_time: datetime | None
    current: dict[str, float]
