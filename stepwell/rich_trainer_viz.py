"""The terminal view of a training run: its visualizer, configuration and snapshots."""

from stepwell.viz import RichTrainerVisualizer, TrainingSnapshot, VisualizationConfig

__all__ = ["RichTrainerVisualizer", "TrainingSnapshot", "VisualizationConfig"]
