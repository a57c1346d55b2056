"""The figure of a run that is in a store, without a visualizer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepwell.store import ConfigurationError, MetricNotFoundError, metric_words
from stepwell.viz.base.expert_metrics import split_experts
from stepwell.viz.base.metric_names import is_loss, titled
from stepwell.viz.config.config_json import config_of
from stepwell.viz.config.validation import validate
from stepwell.viz.config.visualizer_config import (
    MetricConfig,
    PlotConfig,
    TrainingVisualizerConfig,
)

from .pinned_runs import runs_now
from .run_spec import run_options, spec_of_run

if TYPE_CHECKING:
    from stepwell.store import FigureSpec, MetricSummary, RunInfo, Store

_MOST_PANELS = 9
_RANGE_FOR_LOG = 30.0
_REST = "Other metrics"
_EXPERTS = "Experts"


def save_run_figure(
    store: "Store",
    run_reference: str,
    path: str | Path,
    metrics: Sequence[str] | None = None,
    theme: str = "light",
) -> Path:
    """Draw a run into a file.

    Shows the panels that are kept with the run. A run without them gets a panel for
    each group of metrics: the losses, what has a common prefix before a "/", and each
    other metric.

    Args:
        store: Where the run is.
        run_reference: An id, a unique prefix of one, a name, or "last".
        path: The file: .png, .pdf or .svg.
        metrics: Show these only, a panel each.
        theme: "light" or "dark".

    Returns:
        The path of the file.

    Raises:
        RunNotFoundError: There is no such run.
        MetricNotFoundError: The run has no such metric.
        ConfigurationError: The suffix or the theme is unknown.
        OSError: The file can't be written.
    """
    from stepwell.viz.drawing.picture_file import target_path  # noqa: PLC0415 loads matplotlib
    from stepwell.viz.run_page.draw_page import save_page  # noqa: PLC0415 loads matplotlib
    from stepwell.viz.run_page.page import prepare  # noqa: PLC0415

    target = target_path(path)
    info = store.run(run_reference)
    config = replace(config_for_run(store, info, metrics), theme=theme)
    validate(config)
    return save_page(prepare(store, info, config), target, spec_of_run(info.run_id, config))


def save_run_spec(store: "Store", spec: "FigureSpec", path: str | Path) -> Path:
    """Draw a figure of kind "run" into a file: the newest run of its selection.

    Args:
        store: Where the run is.
        spec: What to draw. Its options are `layout`, the panels, or `metrics`, a list of
            names that get a panel each; without them the panels are those kept with the
            run. Its style may tell theme,
            size, dpi and title.
        path: The file: .png, .pdf or .svg.

    Returns:
        The path of the file.

    Raises:
        RunNotFoundError: There is no such run.
        MetricNotFoundError: The run has no such metric.
        ConfigurationError: No run fits, or an option can't be used.
        OSError: The file can't be written.
    """
    from stepwell.viz.drawing.picture_file import target_path  # noqa: PLC0415 loads matplotlib
    from stepwell.viz.run_page.draw_page import save_page  # noqa: PLC0415 loads matplotlib
    from stepwell.viz.run_page.page import prepare  # noqa: PLC0415

    target = target_path(path)
    layout, metrics, style = run_options(spec)
    runs = store.runs(runs_now(store, spec))
    if not runs:
        raise ConfigurationError("no run fits the figure's selection; nothing to draw")
    config = layout or config_for_run(store, runs[0], metrics)
    told = {"theme": style.theme, "figure_size": style.size, "title": style.title}
    changes: dict[str, Any] = {name: v for name, v in told.items() if v is not None}
    config = replace(config, **changes)
    validate(config)
    return save_page(prepare(store, runs[0], config), target, spec, style.dpi)


def config_for_run(
    store: "Store", info: "RunInfo", metrics: Sequence[str] | None
) -> TrainingVisualizerConfig:
    """The panels of a run: those of *metrics*, its own, or such as its metrics need."""
    kept = None if metrics else _kept_config(info)
    if kept is not None:
        return kept
    summary = store.summary(info)
    for metric in metrics or ():
        if metric not in summary:
            raise MetricNotFoundError(metric, info.name, summary)
    groups = {name: [name] for name in metrics or ()} or metric_groups(list(summary))
    return layout_of_groups(groups, summary)


def _kept_config(info: "RunInfo") -> TrainingVisualizerConfig | None:
    """The configuration kept with a run; None where there is none of use."""
    try:
        # A layout of another version may be none that can be drawn; the metrics then choose
        # the panels.
        return None if info.layout is None else config_of(info.layout)
    except ConfigurationError:
        return None


def metric_groups(names: Sequence[str]) -> dict[str, list[str]]:
    """Metrics by panel: losses and experts together, then by prefix, and others alone.

    At most nine groups: what is left over shares the last.
    """
    groups: dict[str, list[str]] = {}
    _, experts = split_experts(names)
    together = frozenset(experts)
    for name in names:
        group = _EXPERTS if name in together else _group(name)
        groups.setdefault(group, []).append(name)
    # Losses first; sorting is stable, so the others stay in the order of the metrics.
    ordered = sorted(groups.items(), key=lambda item: item[0] != "Loss")
    if len(ordered) > _MOST_PANELS:
        rest = [name for _, group in ordered[_MOST_PANELS - 1 :] for name in group]
        ordered = [*ordered[: _MOST_PANELS - 1], (_REST, rest)]
    return dict(ordered)


def layout_of_groups(
    groups: Mapping[str, Sequence[str]], summary: "Mapping[str, MetricSummary]"
) -> TrainingVisualizerConfig:
    """A configuration with a panel for each of *groups*."""
    count = max(1, len(groups))
    columns = 1 if count == 1 else 2 if count <= 4 else 3  # noqa: PLR2004
    rows = math.ceil(count / columns)
    return TrainingVisualizerConfig(
        subplot_rows=rows,
        subplot_cols=columns,
        figure_size=((10, 12, 15)[columns - 1], max(5, round(1.2 + 3.2 * rows))),
        title="",
        plots=[
            PlotConfig(titled(group), "", yscale=_scale(names, summary))
            for group, names in groups.items()
        ],
        metrics=[
            MetricConfig(name, index)
            for index, names in enumerate(groups.values())
            for name in names
        ],
    )


def _group(name: str) -> str:
    prefix, slash, _ = name.partition("/")
    if is_loss(name):
        return "Loss"
    role_free = [word for word in metric_words(name) if word not in _ROLES]
    return prefix if slash and prefix.lower() not in _ROLES else " ".join(role_free) or name


def _scale(names: Sequence[str], summary: "Mapping[str, MetricSummary]") -> str:
    """Logarithmic for losses and rates that span more than a decade or two."""
    found = [summary[name] for name in names if name in summary]
    wide = [one for one in found if one.min > 0 and one.max / one.min > _RANGE_FOR_LOG]
    positive = all(one.min > 0 for one in found)
    return "log" if wide and positive else "linear"


_ROLES = frozenset({"train", "training", "val", "valid", "validation", "eval", "test"})
