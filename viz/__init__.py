"""Plots of training runs: live while they train, and as files afterwards.

A plot has a value (what to show), a function that makes it from a store, and a function
that draws it. Only the last knows matplotlib, and none of it is loaded before something
is drawn.
"""

from ._config import MetricConfig, PlotConfig, TrainingVisualizerConfig
from ._factories import (
    create_custom_visualizer,
    create_loss_visualizer,
    create_moe_visualizer,
)
from ._kept_layout import config_of, layout_of
from ._run_figure import save_run_figure, watch_run
from ._validation import validate
from ._views import PlotWarning
from ._visualizer import RealTimeTrainingVisualizer

__all__ = [
    "MetricConfig",
    "PlotConfig",
    "PlotWarning",
    "RealTimeTrainingVisualizer",
    "TrainingVisualizerConfig",
    "config_of",
    "create_custom_visualizer",
    "create_loss_visualizer",
    "create_moe_visualizer",
    "layout_of",
    "save_run_figure",
    "validate",
    "watch_run",
]
