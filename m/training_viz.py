"""Training plots, by the name that training scripts import them by."""

from stepwell.training_viz import (
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
