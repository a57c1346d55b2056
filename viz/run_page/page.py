"""The whole figure as a value, and how it is made from a store."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stepwell.viz.base.axis import Scale, step_scale
from stepwell.viz.base.metric_names import titled
from stepwell.viz.base.numbers import short_value
from stepwell.viz.base.progress import Progress
from stepwell.viz.base.stored_progress import StoredProgress
from stepwell.viz.base.theme import THEMES, Theme
from stepwell.viz.config.visualizer_config import (
    MetricConfig,
    PlotConfig,
    TrainingVisualizerConfig,
)

from .header import Header, header_of
from .line_looks import counts_in_palette, has_role, looks
from .panel import Cell, Panel, panel_of

if TYPE_CHECKING:
    from stepwell.store import MetricSummary, News, ReducedSeries, RunInfo, Store

_COLUMNS_PER_INCH = 100
_MARGIN_INCHES = 1.2


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that a figure shows; holds no connection and no artist.

    Attributes:
        size: Width and height in inches.
        rows: Rows of cells.
        columns: Columns of cells.
        theme: Its colours.
        header: Name, status and progress of the run.
        steps: The axis of steps that the panels share; None without any point.
        panels: The panels, by cell.
        recorded: Metrics that no panel shows, with their newest values.
        remark: What part of the run is shown, if not all.
    """

    size: tuple[float, float]
    rows: int
    columns: int
    theme: Theme
    header: Header
    steps: Scale | None
    panels: tuple[Panel, ...]
    recorded: tuple[str, ...] = ()
    remark: str = ""


def prepare(store: "Store", run: "str | RunInfo", config: TrainingVisualizerConfig) -> Page:
    """Read what *config* shows of *run* from *store*."""
    info = store.run(run) if isinstance(run, str) else run
    asked = list(dict.fromkeys(metric.metric_name for metric in config.metrics))
    found = store.reduced(
        info.run_id,
        asked,
        columns=_columns(config),
        last_points=config.max_points,
    )
    news = store.news(info.run_id, (), {})
    stored = StoredProgress(store)
    stored.take(news)
    # An unchanged store always gives the same picture, also of a run that goes on.
    elapsed = stored.newest or 0.0 if news.run.status == "running" else None
    return page_of(config, news, found, stored.progress(elapsed))


def page_of(
    config: TrainingVisualizerConfig,
    news: "News",
    found: Mapping[str, "ReducedSeries"],
    progress: Progress,
) -> Page:
    """The page made of what a store said about a run.

    Args:
        config: The panels and metrics.
        news: The run and its metrics.
        found: Reduced points of the metrics that have any.
        progress: How far and how fast the run is.
    """
    info, summary = news.run, news.summary
    newest = news.last_time or info.created_at
    theme = THEMES[config.theme]
    first, last = _step_range(found)
    steps = None if first is None or last is None else step_scale(first, last)
    pixels = 0.0 if steps is None else _columns(config) / (steps.high - steps.low)
    asked = {metric.metric_name for metric in config.metrics}
    cells = cells_of(config, theme)
    return Page(
        size=(float(config.figure_size[0]), float(config.figure_size[1])),
        rows=rows_of(config, cells),
        columns=config.subplot_cols,
        theme=theme,
        header=header_of(config, info, summary, progress, newest),
        steps=steps,
        panels=tuple(panel_of(cell, found, pixels_per_step=pixels) for cell in cells),
        recorded=recorded_of(summary, asked),
        remark=_remark(config, summary),
    )


def recorded_of(
    summary: Mapping[str, "MetricSummary"], asked: Collection[str]
) -> tuple[str, ...]:
    """The metrics that were not *asked* for, by name, each with its newest value."""
    return tuple(
        f"{name} {short_value(one.current)}"
        for name, one in summary.items()
        if name not in asked
    )


def cells_of(config: TrainingVisualizerConfig, theme: Theme) -> list[Cell]:
    """The cells that show something: a configured panel, or a metric without one."""
    paired = any(has_role(metric.metric_name) for metric in config.metrics)
    taken = 2 if paired else 0
    cells = []
    for index in range(config.subplot_rows * config.subplot_cols):
        metrics = [metric for metric in config.metrics if metric.plot_index == index]
        if index < len(config.plots):
            plot = config.plots[index]
        elif metrics:
            plot = PlotConfig(title=_default_title(metrics), ylabel="")
        else:
            continue
        styles = looks(plot, metrics, theme, taken)
        cells.append(Cell(index, plot, metrics, styles, theme.palette))
        taken += counts_in_palette(plot, metrics)
    return cells


def rows_of(config: TrainingVisualizerConfig, cells: Iterable[Cell]) -> int:
    """The rows that the figure needs: the last ones without any panel take no room."""
    last = max((cell.index for cell in cells), default=0)
    return last // config.subplot_cols + 1


def _default_title(metrics: Sequence[MetricConfig]) -> str:
    if len(metrics) > 1:
        return "Metrics"
    return titled(metrics[0].label or metrics[0].metric_name)


def _columns(config: TrainingVisualizerConfig) -> int:
    width = config.figure_size[0] / config.subplot_cols - _MARGIN_INCHES
    return max(100, min(1200, round(width * _COLUMNS_PER_INCH)))


def _step_range(found: Mapping[str, "ReducedSeries"]) -> tuple[int | None, int | None]:
    return (
        min((int(one.first_step[0]) for one in found.values()), default=None),
        max((int(one.last_step[-1]) for one in found.values()), default=None),
    )


def _remark(
    config: TrainingVisualizerConfig, summary: Mapping[str, "MetricSummary"]
) -> str:
    most = max((one.count for one in summary.values()), default=0)
    if config.max_points is None or most <= config.max_points:
        return ""
    return f"newest {config.max_points:,} points"
