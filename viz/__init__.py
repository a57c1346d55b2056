"""Plots of training runs, and their terminal view: live, and as files afterwards.

A plot has a value (what to show), a function that makes it from a store, and a function
that draws it. Only the last knows matplotlib, and none of it is loaded before something
is drawn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._config import MetricConfig, PlotConfig, TrainingVisualizerConfig
from ._dual import DualVisualizationSystem
from ._factories import (
    create_custom_visualizer,
    create_loss_visualizer,
    create_moe_visualizer,
)
from ._kept_layout import config_of, layout_of
from ._picture_names import picture_name
from ._picture_spec import read_spec
from ._run_figure import save_run_figure, watch_run
from ._terminal_config import TrainingSnapshot, VisualizationConfig
from ._terminal_visualizer import RichTrainerVisualizer
from ._validation import validate
from ._views import PlotWarning
from ._visualizer import RealTimeTrainingVisualizer

if TYPE_CHECKING:
    from ._plot_contour import plot_contour
    from ._plot_curves import plot_curves
    from ._plot_edf import plot_edf
    from ._plot_history import plot_optimization_history
    from ._plot_slice import plot_slice
    from ._redraw import check_figure, redraw
    from ._report import report
    from ._sweep_figure import (
        plot_leaderboard,
        plot_parallel_coordinate,
        plot_param_importances,
    )
    from ._sweep_files import SweepPictures, save_sweep
    from ._terminal_watch import watch_in_terminal

__all__ = [
    "DualVisualizationSystem",
    "MetricConfig",
    "PlotConfig",
    "PlotWarning",
    "RealTimeTrainingVisualizer",
    "RichTrainerVisualizer",
    "SweepPictures",
    "TrainingSnapshot",
    "TrainingVisualizerConfig",
    "VisualizationConfig",
    "check_figure",
    "config_of",
    "create_custom_visualizer",
    "create_loss_visualizer",
    "create_moe_visualizer",
    "layout_of",
    "picture_name",
    "plot_contour",
    "plot_curves",
    "plot_edf",
    "plot_leaderboard",
    "plot_optimization_history",
    "plot_parallel_coordinate",
    "plot_param_importances",
    "plot_slice",
    "read_spec",
    "redraw",
    "report",
    "save_run_figure",
    "save_sweep",
    "validate",
    "watch_in_terminal",
    "watch_run",
]


# What loads matplotlib, Rich or parts of the store, and the module that it is in.
_LAZY = {
    "SweepPictures": "_sweep_files",
    "check_figure": "_redraw",
    "plot_contour": "_plot_contour",
    "plot_curves": "_plot_curves",
    "plot_edf": "_plot_edf",
    "plot_leaderboard": "_sweep_figure",
    "plot_optimization_history": "_plot_history",
    "plot_parallel_coordinate": "_sweep_figure",
    "plot_param_importances": "_sweep_figure",
    "plot_slice": "_plot_slice",
    "redraw": "_redraw",
    "report": "_report",
    "save_sweep": "_sweep_files",
    "watch_in_terminal": "_terminal_watch",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
