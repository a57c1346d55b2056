"""Two runs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .table import Table, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from .run_info import RunInfo


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """One key of the configurations of two runs.

    Attributes:
        key: The flattened key.
        a: The first run's value as text; None where it has none.
        b: The second run's value as text; None where it has none.
        differs: Whether one has it and the other not, or the values are not the same.
    """

    key: str
    a: str | None
    b: str | None
    differs: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of two runs.

    Attributes:
        metric: The metric's name.
        at: Which value is compared: `last`, or the `min` or `max` that is the best.
        a: The first run's value; NaN where it has none.
        b: The second run's value; NaN where it has none.
        difference: b - a.
        relative: The difference as a share of the size of a; NaN where a is 0.
        better: `a` or `b`; None for a tie, or where the metric's name doesn't tell
            which side is better.
        lacking: `a` or `b`, where that run has no such metric at all; None where both
            have it.
    """

    metric: str
    at: str
    a: float
    b: float
    difference: float
    relative: float
    better: str | None
    lacking: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison(Table):
    """Two runs: their configurations and what their metrics came to.

    Attributes:
        run_a: The first run.
        run_b: The second run.
        config: A row a key, in the order of the configurations.
        metrics: A row a metric, in order of first appearance.
    """

    run_a: RunInfo
    run_b: RunInfo
    config: tuple[ConfigRow, ...]
    metrics: tuple[MetricRow, ...]

    @property
    def differences(self) -> tuple[ConfigRow, ...]:
        """The keys of the configuration that differ."""
        return tuple(row for row in self.config if row.differs)

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """Keys and metrics in one table; `kind` says which a row is."""
        config, metrics = self.config, self.metrics
        nothing = [None] * len(config)
        return {
            "kind": texts(["config"] * len(config) + ["metric"] * len(metrics)),
            "name": texts([r.key for r in config] + [r.metric for r in metrics]),
            "a": texts([r.a for r in config] + [r.a for r in metrics]),
            "b": texts([r.b for r in config] + [r.b for r in metrics]),
            "differs": texts([r.differs for r in config] + [r.a != r.b for r in metrics]),
            "at": texts(nothing + [r.at for r in metrics]),
            "difference": texts(nothing + [r.difference for r in metrics]),
            "relative": texts(nothing + [r.relative for r in metrics]),
            "better": texts(nothing + [r.better for r in metrics]),
        }
