"""A configuration as plain JSON values: the layout that is kept with a run."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from stepwell.store import ConfigurationError

from .validation import validate
from .visualizer_config import MetricConfig, PlotConfig, TrainingVisualizerConfig

Part = TypeVar("Part", PlotConfig, MetricConfig, TrainingVisualizerConfig)


def layout_of(config: TrainingVisualizerConfig) -> dict[str, Any]:
    """*config* as a dictionary of JSON values."""
    return asdict(config) | {"figure_size": list(config.figure_size)}


def config_of(layout: Mapping[str, Any]) -> TrainingVisualizerConfig:
    """The configuration kept in *layout*; fields that it doesn't know are left out.

    Raises:
        ConfigurationError: The layout lacks something or can't be drawn.
    """
    try:
        values = dict(layout)
        values["plots"] = [_part(PlotConfig, plot) for plot in values.get("plots", ())]
        values["metrics"] = [
            _part(MetricConfig, metric) for metric in values.get("metrics", ())
        ]
        if "figure_size" in values:
            values["figure_size"] = tuple(values["figure_size"])
        config = _part(TrainingVisualizerConfig, values)
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"the kept layout can't be read: {error}") from error
    validate(config)
    return config


def _part(kind: type[Part], values: Mapping[str, Any]) -> Part:
    names = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})
