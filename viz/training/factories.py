"""Visualizers for the usual cases."""

from collections.abc import Mapping, Sequence

from stepwell.store import ConfigurationError, Run, shown
from stepwell.viz.config.validation import check_whole_number
from stepwell.viz.config.visualizer_config import (
    MetricConfig,
    PlotConfig,
    TrainingVisualizerConfig,
)

from .visualizer import RealTimeTrainingVisualizer


def create_loss_visualizer(
    update_interval: int = 100, *, run: Run | None = None
) -> RealTimeTrainingVisualizer:
    """A visualizer with two panels: the losses and the learning rate, both logarithmic.

    Metrics: train_loss, val_loss, learning_rate.

    Args:
        update_interval: Steps between redraws of a live view.
        run: The run to join; by default the active one, else a new one.

    Raises:
        ConfigurationError: *update_interval* is below 1.
    """
    config = TrainingVisualizerConfig(
        subplot_rows=1,
        subplot_cols=2,
        figure_size=(12, 5),
        title="Training progress",
        update_interval=update_interval,
        plots=[
            PlotConfig("Loss", "Loss", yscale="log"),
            PlotConfig("Learning rate", "Learning rate", yscale="log"),
        ],
        metrics=[
            *_in_panel(0, "train_loss", "val_loss"),
            *_in_panel(1, "learning_rate"),
        ],
    )
    return RealTimeTrainingVisualizer(config, run=run)


def create_moe_visualizer(
    update_matplotlib: int = 1,
    update_rich_tables: int = 25,
    n_experts: int | None = None,
    *,
    run: Run | None = None,
) -> RealTimeTrainingVisualizer:
    """A visualizer with four panels for a mixture of experts.

    * Losses, logarithmic: train_loss, val_loss, aux_loss.
    * Task: position_error, velocity_error, accuracy, f1_score.
    * Experts: expert_entropy, load_balance, routing_loss; with *n_experts* also the
      single experts expert_0, expert_1 and so on, a map of each one's share of the load.
    * Throughput, logarithmic: samples_per_sec, tokens_per_sec.

    Args:
        update_matplotlib: Steps between redraws of a live view.
        update_rich_tables: Steps between two tables printed in the terminal; plain
            lines without one, and nothing while a terminal visualizer is live.
        n_experts: How many experts there are; None shows no single ones.
        run: The run to join; by default the active one, else a new one.

    Raises:
        ConfigurationError: One of the numbers is below 1.
    """
    check_whole_number("update_rich_tables", update_rich_tables)
    if n_experts is not None:
        check_whole_number("n_experts", n_experts)
    config = TrainingVisualizerConfig(
        figure_size=(14, 9),
        title="Mixture-of-experts training",
        update_interval=update_matplotlib,
        table_interval=update_rich_tables,
        plots=[
            PlotConfig("Loss", "Loss", yscale="log"),
            PlotConfig("Task metrics", ""),
            PlotConfig("Expert utilization", ""),
            PlotConfig("Throughput", "per second", yscale="log"),
        ],
        metrics=[
            *_in_panel(0, "train_loss", "val_loss", "aux_loss"),
            *_in_panel(1, "position_error", "velocity_error", "accuracy", "f1_score"),
            *_in_panel(2, "expert_entropy", "load_balance", "routing_loss"),
            *_in_panel(2, *(f"expert_{number}" for number in range(n_experts or 0))),
            MetricConfig("samples_per_sec", 3, label="samples"),
            MetricConfig("tokens_per_sec", 3, label="tokens"),
        ],
    )
    return RealTimeTrainingVisualizer(config, run=run)


def create_custom_visualizer(  # noqa: PLR0913 the spec's arguments and options
    metrics_config: Mapping[str, tuple[int, str | None] | int],
    plot_titles: Sequence[str],
    subplot_layout: tuple[int, int],
    update_interval: int = 100,
    title: str = "Custom Training Progress",
    *,
    ylabels: Sequence[str] = (),
    yscales: Sequence[str] = (),
    figure_size: tuple[int, int] | None = None,
    max_points: int | None = None,
    theme: str = "light",
    window: str = "auto",
    run: Run | None = None,
) -> RealTimeTrainingVisualizer:
    """A visualizer with panels of your own.

    Args:
        metrics_config: For each metric the panel that shows it, counted from 0, and its
            colour; None, or the number alone, leaves the colour to the theme.
        plot_titles: A title for each panel, row by row.
        subplot_layout: Rows and columns of panels.
        update_interval: Steps between redraws of a live view.
        title: Title of the figure.
        ylabels: What the values of each panel are.
        yscales: "linear", "log" or "symlog" for each panel; "linear" where absent.
        figure_size: Width and height in inches; by default 6 by 4 for each panel.
        max_points: Newest points of each metric that are shown; None shows all.
        theme: "light" or "dark".
        window: "auto", "inline" or "none".
        run: The run to join; by default the active one, else a new one.

    Raises:
        ConfigurationError: Something can't be drawn; the message says what.
    """
    rows, columns = _layout(subplot_layout)
    config = TrainingVisualizerConfig(
        subplot_rows=rows,
        subplot_cols=columns,
        figure_size=figure_size or (max(6 * columns, 8), max(4 * rows, 5)),
        title=title,
        update_interval=update_interval,
        max_points=max_points,
        plots=[
            PlotConfig(
                text,
                ylabels[index] if index < len(ylabels) else "",
                yscale=yscales[index] if index < len(yscales) else "linear",
            )
            for index, text in enumerate(plot_titles)
        ],
        metrics=[_metric(name, place) for name, place in metrics_config.items()],
        theme=theme,
        window=window,
    )
    return RealTimeTrainingVisualizer(config, run=run)


def _in_panel(index: int, *names: str) -> list[MetricConfig]:
    return [MetricConfig(name, index) for name in names]


def _metric(name: str, place: tuple[int, str | None] | int) -> MetricConfig:
    if isinstance(place, int):
        return MetricConfig(name, place)
    try:
        index, color = place
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"metric {shown(name)}: expected a panel and a colour such as (0, 'blue'), "
            f"not {shown(place)}"
        ) from None
    return MetricConfig(name, index, color)


def _layout(layout: tuple[int, int]) -> tuple[int, int]:
    try:
        rows, columns = layout
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"subplot_layout must be rows and columns such as (2, 2), not {shown(layout)}"
        ) from None
    check_whole_number("rows of subplot_layout", rows)
    check_whole_number("columns of subplot_layout", columns)
    return rows, columns
