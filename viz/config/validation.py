"""Whether a configuration can be drawn, and what to change when it can't."""

import math
from collections.abc import Sequence

from stepwell.store import ConfigurationError, shown

from .color_names import is_color
from .visualizer_config import MetricConfig, PlotConfig, TrainingVisualizerConfig

LINE_STYLES = ("-", "--", ":", "-.")
SCALES = ("linear", "log", "symlog")
THEMES = ("light", "dark")
WINDOWS = ("auto", "inline", "none")


def validate(config: TrainingVisualizerConfig) -> None:
    """Check *config* as a whole.

    Raises:
        ConfigurationError: A value can't be used. The message names the metric or the
            plot, the value, and what would be right.
    """
    check_whole_number("subplot_rows", config.subplot_rows)
    check_whole_number("subplot_cols", config.subplot_cols)
    check_whole_number("update_interval", config.update_interval)
    if config.table_interval is not None:
        check_whole_number("table_interval", config.table_interval)
    if config.max_points is not None:
        check_whole_number("max_points", config.max_points)
    _figure_size(config.figure_size)
    _number("pause_duration", config.pause_duration, 0, math.inf)
    _number("drawing_share", config.drawing_share, 0, 1)
    _one_of("theme", config.theme, THEMES)
    _one_of("window", config.window, WINDOWS)
    cells = config.subplot_rows * config.subplot_cols
    for index, plot in enumerate(config.plots):
        _plot(index, plot, cells, config)
    for metric in config.metrics:
        _metric(metric, cells, config)


def _plot(
    index: int, plot: PlotConfig, cells: int, config: TrainingVisualizerConfig
) -> None:
    where = f"plot {index} ({shown(plot.title)})"
    if index >= cells:
        raise ConfigurationError(
            f"{where} has no cell: the layout of {config.subplot_rows} x "
            f"{config.subplot_cols} holds {cells}; raise subplot_rows or subplot_cols"
        )
    _one_of(f"{where}: yscale", plot.yscale, SCALES)
    if not plot.color_cycle:
        raise ConfigurationError(f"{where}: color_cycle is empty")
    for color in plot.color_cycle:
        _color(f"{where}: color_cycle", color)


def _metric(metric: MetricConfig, cells: int, config: TrainingVisualizerConfig) -> None:
    name: object = metric.metric_name
    if not isinstance(name, str) or not name:
        raise ConfigurationError(
            f"metric_name must be a text that is not empty, not {shown(name)}"
        )
    where = f"metric {shown(name)}"
    index: object = metric.plot_index
    if not isinstance(index, int) or not 0 <= index < cells:
        raise ConfigurationError(
            f"{where}: plot_index must be 0 to {cells - 1} in a layout of "
            f"{config.subplot_rows} x {config.subplot_cols}, not {shown(index)}"
        )
    _one_of(f"{where}: line_style", metric.line_style, LINE_STYLES)
    _number(f"{where}: alpha", metric.alpha, 0, 1)
    if metric.color is not None:
        _color(f"{where}: color", metric.color)


def check_whole_number(name: str, value: object) -> None:
    """Check that *value* is a whole number of 1 or more.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"{name} must be a whole number of 1 or more, not {shown(value)}"
        )


def _number(name: str, value: object, low: float, high: float) -> None:
    if not isinstance(value, int | float) or not low <= value <= high:
        bounds = f"{low} or more" if high == math.inf else f"between {low} and {high}"
        raise ConfigurationError(f"{name} must be a number {bounds}, not {shown(value)}")


def _one_of(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        choices = ", ".join(repr(choice) for choice in known)
        raise ConfigurationError(f"{name} must be one of {choices}, not {shown(value)}")


def _color(name: str, color: object) -> None:
    if not is_color(color):
        raise ConfigurationError(
            f"{name}: {shown(color)} is not a colour; use a name such as 'blue', "
            "'tab:orange' or '#0072b2'"
        )


def _figure_size(size: object) -> None:
    sides = tuple(size) if isinstance(size, tuple | list) else ()
    if len(sides) != len(("width", "height")) or not all(
        isinstance(side, int | float) and 1 <= side <= 100  # noqa: PLR2004 inches
        for side in sides
    ):
        raise ConfigurationError(
            f"figure_size must be a width and a height of 1 to 100 inches, not"
            f" {shown(size)}"
        )
