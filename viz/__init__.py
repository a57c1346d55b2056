"""Plots of training runs, and their terminal view: live, and as files afterwards.

A plot has a value (what to show), a function that makes it from a store, and a function
that draws it. Only the last knows matplotlib, and none of it is loaded before something
is drawn.
"""

from typing import TYPE_CHECKING, Any

from ._config import MetricConfig, PlotConfig, TrainingVisualizerConfig
from ._dual import DualVisualizationSystem
from ._factories import (
    create_custom_visualizer,
    create_loss_visualizer,
    create_moe_visualizer,
)
from ._kept_layout import config_of, layout_of
from ._picture_spec import read_spec
from ._run_figure import save_run_figure, watch_run
from ._terminal_config import TrainingSnapshot, VisualizationConfig
from ._terminal_visualizer import RichTrainerVisualizer
from ._validation import validate
from ._views import PlotWarning
from ._visualizer import RealTimeTrainingVisualizer

if TYPE_CHECKING:
    from ._redraw import check_figure, redraw
    from ._report import report
    from ._sweep_figure import (
        plot_leaderboard,
        plot_parallel_coordinate,
        plot_param_importances,
    )
    from ._sweep_files import save_sweep
    from ._terminal_watch import watch_in_terminal

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
    "check_figure",
    "config_of",
    "create_custom_visualizer",
    "create_loss_visualizer",
    "create_moe_visualizer",
    "layout_of",
    "plot_leaderboard",
    "plot_parallel_coordinate",
    "plot_param_importances",
    "read_spec",
    "redraw",
    "report",
    "save_run_figure",
    "save_sweep",
    "validate",
    "watch_in_terminal",
    "watch_run",
]


def __getattr__(name: str) -> Any:
    if name in {"check_figure", "redraw"}:
        from . import _redraw  # noqa: PLC0415 (loads parts of the store)

        return getattr(_redraw, name)
    if name == "watch_in_terminal":
        from ._terminal_watch import watch_in_terminal  # noqa: PLC0415 (loads Rich)

        return watch_in_terminal
    if name in {"plot_leaderboard", "plot_parallel_coordinate", "plot_param_importances"}:
        from . import _sweep_figure  # noqa: PLC0415 (loads matplotlib)

        return getattr(_sweep_figure, name)
    if name == "report":
        from ._report import report  # noqa: PLC0415 (loads matplotlib)

        return report
    if name == "save_sweep":
        from ._sweep_files import save_sweep  # noqa: PLC0415 (loads matplotlib)

        return save_sweep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
