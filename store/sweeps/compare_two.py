"""Setting two runs side by side."""

import json
import math
from collections.abc import Mapping
from typing import Any

from stepwell.store.base.errors import ConfigurationError
from stepwell.store.inputs.metrics import shown
from stepwell.store.inputs.run_config import flatten
from stepwell.store.inputs.text_checks import is_any
from stepwell.store.values.comparison import Comparison, ConfigRow, MetricRow
from stepwell.store.values.metric_summary import MetricSummary
from stepwell.store.values.run_info import RunInfo

from .goal import better_side

Summary = Mapping[str, MetricSummary]

_MISSING = object()


def compare_runs(
    run_a: RunInfo, run_b: RunInfo, summary_a: Summary, summary_b: Summary, at: str
) -> Comparison:
    """Two runs by their configurations and summaries.

    Raises:
        ConfigurationError: If *at* is neither `best` nor `last`.
    """
    if not is_any(at, "best", "last"):
        raise ConfigurationError(f"at must be 'best' or 'last', not {shown(at)}")
    config_a, config_b = flatten(run_a.config), flatten(run_b.config)
    return Comparison(
        run_a=run_a,
        run_b=run_b,
        config=tuple(
            _config_row(key, config_a.get(key, _MISSING), config_b.get(key, _MISSING))
            for key in dict.fromkeys((*config_a, *config_b))
        ),
        metrics=tuple(
            _metric_row(metric, summary_a.get(metric), summary_b.get(metric), at)
            for metric in dict.fromkeys((*summary_a, *summary_b))
        ),
    )


def _config_row(key: str, a: Any, b: Any) -> ConfigRow:
    # In JSON true is not 1; in Python it is.
    same = a == b and isinstance(a, bool) == isinstance(b, bool)
    return ConfigRow(key, _text(a), _text(b), differs=not same)


def _text(value: Any) -> str | None:
    if value is _MISSING:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _metric_row(
    metric: str, a: MetricSummary | None, b: MetricSummary | None, at: str
) -> MetricRow:
    side = better_side(metric)
    shown = (side or "last") if at == "best" else "last"
    one, other = _value(a, shown), _value(b, shown)
    difference = other - one
    better = None
    if side is not None and math.isfinite(difference) and difference:
        better = "b" if (difference < 0) == (side == "min") else "a"
    return MetricRow(
        metric=metric,
        at=shown,
        a=one,
        b=other,
        difference=difference,
        relative=difference / abs(one) if one else math.nan,
        better=better,
        lacking="a" if a is None else "b" if b is None else None,
    )


def _value(summary: MetricSummary | None, shown: str) -> float:
    if summary is None:
        return math.nan
    return {"last": summary.current, "min": summary.min, "max": summary.max}[shown]
