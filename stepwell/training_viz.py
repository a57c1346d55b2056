"""Training plots: the visualizer, its configuration and its factories."""

from stepwell.viz import (
    DualVisualizationSystem,
    MetricConfig,
    PlotConfig,
    PlotWarning,
    RealTimeTrainingVisualizer,
    TrainingVisualizerConfig,
    create_custom_visualizer,
    create_loss_visualizer,
    create_moe_visualizer,
)

__all__ = [
    "DualVisualizationSystem",
    "MetricConfig",
    "PlotConfig",
    "PlotWarning",
    "RealTimeTrainingVisualizer",
    "TrainingVisualizerConfig",
    "create_custom_visualizer",
    "create_loss_visualizer",
    "create_moe_visualizer",
]
