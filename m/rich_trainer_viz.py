"""The terminal view of a run, by the name that training scripts import it by."""

from stepwell.rich_trainer_viz import (
    RichTrainerVisualizer,
    TrainingSnapshot,
    VisualizationConfig,
)

__all__ = ["RichTrainerVisualizer", "TrainingSnapshot", "VisualizationConfig"]
