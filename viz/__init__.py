"""Plots of training runs, and their terminal view: live, and as files afterwards.

A plot has a value (what to show), a function that makes it from a store, and a function
that draws it. Only the last knows matplotlib, and none of it is loaded before something
is drawn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stepwell.viz.base.messages import PlotWarning
from stepwell.viz.figures.run_figure import save_run_figure
from stepwell.viz.window.watch_run import watch_run

from .config.config_json import config_of, layout_of
from .config.terminal_config import TrainingSnapshot, VisualizationConfig
from .config.validation import validate
from .config.visualizer_config import MetricConfig, PlotConfig, TrainingVisualizerConfig
from .drawing.picture_metadata import read_spec
from .figures.picture_names import picture_name
from .terminal.visualizer import RichTrainerVisualizer
from .training.dual import DualVisualizationSystem
from .training.factories import (
    create_custom_visualizer,
    create_loss_visualizer,
    create_moe_visualizer,
)
from .training.visualizer import RealTimeTrainingVisualizer

if TYPE_CHECKING:
    from stepwell.viz.figures.sweep_pictures import report

    from .figures.redraw import check_figure, redraw
    from .figures.sweep_pictures import SweepPictures, save_sweep
    from .sweep_plots.contour import plot_contour
    from .sweep_plots.curves import plot_curves
    from .sweep_plots.edf import plot_edf
    from .sweep_plots.optimization_history import plot_optimization_history
    from .sweep_plots.plot_functions import (
        plot_leaderboard,
        plot_parallel_coordinate,
        plot_param_importances,
    )
    from .sweep_plots.slice import plot_slice
    from .terminal.watch import watch_in_terminal

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
    "SweepPictures": "figures.sweep_pictures",
    "check_figure": "figures.redraw",
    "plot_contour": "sweep_plots.contour",
    "plot_curves": "sweep_plots.curves",
    "plot_edf": "sweep_plots.edf",
    "plot_leaderboard": "sweep_plots.plot_functions",
    "plot_optimization_history": "sweep_plots.optimization_history",
    "plot_parallel_coordinate": "sweep_plots.plot_functions",
    "plot_param_importances": "sweep_plots.plot_functions",
    "plot_slice": "sweep_plots.slice",
    "redraw": "figures.redraw",
    "report": "figures.sweep_pictures",
    "save_sweep": "figures.sweep_pictures",
    "watch_in_terminal": "terminal.watch",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
