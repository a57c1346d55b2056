"""A metric's summary as a plain value, without the arrays of its points."""

from __future__ import annotations

from typing import NamedTuple


class MetricSummary(NamedTuple):
    """What one metric of one run came to.

    Attributes:
        current: Value at the greatest step; may be NaN or infinite.
        min: Least finite value; NaN where there is none.
        max: Greatest finite value; NaN where there is none.
        mean: Mean of the finite values; NaN where there is none.
        count: Points recorded, the non-finite ones included.
        non_finite: How many of them are NaN or infinite.
        min_step: Step of the least value, the first such; None where there is none.
        max_step: Step of the greatest value, the first such; None where there is none.
        last_step: The greatest step.
    """

    current: float
    min: float
    max: float
    mean: float
    count: int  # type: ignore[assignment]  # of a tuple's method nobody has a use
    non_finite: int
    min_step: int | None
    max_step: int | None
    last_step: int
