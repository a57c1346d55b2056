"""A run's own figure as a spec: the one kind that shows a run's panels."""

from typing import TYPE_CHECKING

from stepwell.store import ConfigurationError, shown
from stepwell.viz.config.config_json import config_of, layout_of
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig

from .style import STYLES, FigureStyle, style_of

if TYPE_CHECKING:
    from stepwell.store import FigureSpec

RUN = "run"
"""The kind of these figures."""

_OPTIONS = ("layout", "metrics")
_USUAL_DPI = 150


def spec_of_run(run_id: str, config: TrainingVisualizerConfig) -> "FigureSpec":
    """The figure of a run with these panels, whatever others the run may get."""
    from stepwell.store import FigureSpec, Selection  # noqa: PLC0415 (parts of the store)

    return FigureSpec(RUN, Selection(runs=(run_id,)), {"layout": layout_of(config)})


def run_options(
    spec: "FigureSpec",
) -> tuple[TrainingVisualizerConfig | None, list[str] | None, FigureStyle]:
    """Layout, metrics and style of a figure of kind "run"; None where there is none.

    Raises:
        ConfigurationError: There is another option, or one can't be used.
    """
    for what, given, known in (
        ("option", spec.options, _OPTIONS),
        ("style", spec.style, STYLES),
    ):
        for name in given:
            if name not in known:
                raise ConfigurationError(
                    f"a figure of kind 'run' has no {what} {name!r}; it has"
                    f" {', '.join(known)}"
                )
    layout, metrics = spec.options.get("layout"), spec.options.get("metrics")
    if layout is not None and metrics is not None:
        raise ConfigurationError("give a layout or metrics, not both")
    if isinstance(metrics, str):
        metrics = [metrics]
    if metrics is not None and not (
        isinstance(metrics, list) and all(isinstance(name, str) for name in metrics)
    ):
        raise ConfigurationError(f"metrics must be a list of names, not {shown(metrics)}")
    style = style_of(spec.style, _USUAL_DPI)
    return None if layout is None else config_of(layout), metrics or None, style
