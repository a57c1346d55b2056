"""Plots of training runs, and their terminal view: live, and as files afterwards.

A plot has a value (what to show), a function that makes it from a store, and a function
that draws it. Only the last knows matplotlib, and none of it is loaded before something
is drawn.
"""

from ._config import MetricConfig, PlotConfig, TrainingVisualizerConfig
from ._dual import DualVisualizationSystem
from ._factories import (
    create_custom_visualizer,
    create_loss_visualizer,
    create_moe_visualizer,
)
from ._kept_layout import config_of, layout_of
from ._run_figure import save_run_figure, watch_run
from ._terminal_config import TrainingSnapshot, VisualizationConfig
from ._terminal_visualizer import RichTrainerVisualizer
from ._validation import validate
from ._views import PlotWarning
from ._visualizer import RealTimeTrainingVisualizer

__all__ = [
    "DualVisualizationSystem",
    "MetricConfig",
    "PlotConfig",
    "PlotWarning",
    "RealTimeTrainingVisualizer",
    "RichTrainerVisualizer",
    "TrainingSnapshot",
    "TrainingVisualizerConfig",
    "VisualizationConfig",
    "config_of",
    "create_custom_visualizer",
    "create_loss_visualizer",
    "create_moe_visualizer",
    "layout_of",
    "save_run_figure",
    "validate",
    "watch_run",
]
