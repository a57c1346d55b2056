"""What a visualizer shows: panels, metrics, and how often it is redrawn."""

from dataclasses import dataclass, field

DEFAULT_COLOR_CYCLE = (
    "blue",
    "red",
    "green",
    "orange",
    "purple",
    "brown",
    "pink",
    "gray",
    "olive",
    "cyan",
)


@dataclass(slots=True)
class PlotConfig:
    """One panel of the figure.

    Attributes:
        title: Title of the panel, bold at its upper left.
        ylabel: What the values are (a quantity or a unit), small at the upper right.
        xlabel: What the steps are, under the axis.
        yscale: "linear", "log" or "symlog".
        show_grid: Whether to draw the light horizontal grid lines.
        show_legend: Whether curves are named, at their ends or in a legend.
        color_cycle: Colours of the curves that have none of their own. The default
            list stands for the theme's own colours, which are safe for colour-blind
            readers; any other list is used as it is.
    """

    title: str
    ylabel: str
    xlabel: str = "Step"
    yscale: str = "linear"
    show_grid: bool = True
    show_legend: bool = True
    color_cycle: list[str] = field(default_factory=lambda: list(DEFAULT_COLOR_CYCLE))


@dataclass(slots=True)
class MetricConfig:
    """One metric in one panel.

    Attributes:
        metric_name: Name of the metric in `update_metrics`.
        plot_index: Panel that shows it, counted from 0, row by row.
        color: Colour of the curve; None takes one from the panel's cycle.
        label: Name of the curve; None makes one from the metric's name.
        line_style: "-", "--", ":" or "-.".
        alpha: Opacity of the curve, 0.0 to 1.0.
    """

    metric_name: str
    plot_index: int
    color: str | None = None
    label: str | None = None
    line_style: str = "-"
    alpha: float = 1.0


@dataclass(slots=True)
class TrainingVisualizerConfig:
    """A whole figure: its grid of panels, its metrics and its pace.

    Attributes:
        subplot_rows: Rows of panels, at most; the last ones without any take no room.
        subplot_cols: Columns of panels.
        figure_size: Width and height in inches.
        title: Title of the figure, beside the name of the run.
        update_interval: Steps between redraws of a live view.
        max_points: Newest points of each metric that are shown; None shows all. The
            run keeps every point in either case.
        plots: The panels, row by row. Cells beyond the list stay blank unless a
            metric points to them.
        metrics: The metrics and where they go.
        use_blit: Whether a live view redraws only what has changed.
        pause_duration: Seconds that a live view may hand to its window at a redraw.
        theme: "light" or "dark".
        window: "auto", "inline" or "none".
        drawing_share: Largest share of the training time that drawing inside the
            training process may take.
        keep_window: Whether the window stays, with the final picture, behind `close()`.
        table_interval: Updates between two tables printed in the terminal; None prints
            none.
    """

    subplot_rows: int = 2
    subplot_cols: int = 2
    figure_size: tuple[int, int] = (12, 8)
    title: str = "Real-time Training Progress"
    update_interval: int = 100
    max_points: int | None = None
    plots: list[PlotConfig] = field(default_factory=list)
    metrics: list[MetricConfig] = field(default_factory=list)
    use_blit: bool = False
    pause_duration: float = 0.01
    theme: str = "light"
    window: str = "auto"
    drawing_share: float = 0.1
    keep_window: bool = False
    table_interval: int | None = None
