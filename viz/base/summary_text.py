"""The numbers that a training run came to, as a dictionary and as a table."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from stepwell.store import better_side, visible

from .numbers import short_step, short_value

if TYPE_CHECKING:
    from stepwell.store import MetricSummary

_HEAD = ("metric", "current", "min", "max", "mean", "count")
_LONGEST_NAME = 40
_MOST_ROWS = 40


def summary_of(
    metrics: "Mapping[str, MetricSummary]",
) -> dict[str, dict[str, float]]:
    """A dictionary a metric; where no step is known, its step is NaN."""
    return {
        name: {
            "current": one.current,
            "min": one.min,
            "max": one.max,
            "mean": one.mean,
            "count": one.count,
            "non_finite": one.non_finite,
            "min_step": _known(one.min_step),
            "max_step": _known(one.max_step),
        }
        for name, one in metrics.items()
    }


def summary_lines(title: str, metrics: "Mapping[str, MetricSummary]") -> list[str]:
    """The summary as lines in columns; the better of least and greatest has its step."""
    rows = [_row(name, one) for name, one in islice(metrics.items(), _MOST_ROWS)]
    if not rows:
        return [title, "  no metrics recorded"]
    table = [_HEAD, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
    more = len(metrics) - len(rows)
    if more:
        lines.append(f"and {more:,} more metrics")
    return [title, *(f"  {line.rstrip()}" for line in lines)]


def _row(name: str, one: "MetricSummary") -> tuple[str, ...]:
    side, shown = better_side(name), visible(name)
    return (
        shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…",
        short_value(one.current),
        _extreme(one.min, one.min_step if side == "min" else None),
        _extreme(one.max, one.max_step if side == "max" else None),
        short_value(one.mean),
        f"{one.count:,}" + (f" ({one.non_finite:,} NaN/Inf)" if one.non_finite else ""),
    )


def _extreme(value: float, step: int | None) -> str:
    return short_value(value) + ("" if step is None else f" @ {short_step(step)}")


def _known(step: int | None) -> float:
    return float("nan") if step is None else step
