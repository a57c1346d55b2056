"""Which curve has which colour and line style."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stepwell.viz.base.metric_names import counterpart, is_training, is_validation
from stepwell.viz.base.theme import Theme
from stepwell.viz.config.visualizer_config import (
    DEFAULT_COLOR_CYCLE,
    MetricConfig,
    PlotConfig,
)

_STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True, slots=True)
class Look:
    """How one curve is drawn.

    Attributes:
        color: A colour that matplotlib knows.
        line_style: "-", "--", ":" or "-.".
        alpha: Opacity, 0.0 to 1.0.
        own: Whether the user chose the colour.
    """

    color: str
    line_style: str = "-"
    alpha: float = 1.0
    own: bool = False


def looks(
    plot: PlotConfig, metrics: Sequence[MetricConfig], theme: Theme, offset: int = 0
) -> tuple[Look, ...]:
    """A look for each of *metrics* in the panel *plot*.

    Args:
        plot: The panel, for its colour cycle.
        metrics: The metrics of the panel, in order.
        theme: Its palette stands in for the default cycle.
        offset: Colours of the palette that other panels use already; a metric that is
            neither training nor validation starts after them.
    """
    chosen = {metric.color for metric in metrics if metric.color}
    if tuple(plot.color_cycle) != DEFAULT_COLOR_CYCLE:
        supply = _supply(plot.color_cycle, chosen, 0)
        return tuple(_own(metric) or _next(metric, supply, True) for metric in metrics)
    pairs = _pairs(metrics, theme.palette)
    supply = _supply(theme.palette, chosen | {p.color for p in pairs.values()}, offset)
    return tuple(
        _own(metric) or pairs.get(metric.metric_name) or _next(metric, supply, False)
        for metric in metrics
    )


def counts_in_palette(plot: PlotConfig, metrics: Sequence[MetricConfig]) -> int:
    """How many colours of the palette *metrics* take, beyond the pair."""
    if tuple(plot.color_cycle) != DEFAULT_COLOR_CYCLE:
        return 0
    return sum(not (metric.color or has_role(metric.metric_name)) for metric in metrics)


def has_role(name: str) -> bool:
    """Whether *name* says training or validation."""
    return is_training(name) or is_validation(name)


def _own(metric: MetricConfig) -> Look | None:
    if metric.color is None:
        return None
    return Look(metric.color, metric.line_style, metric.alpha, own=True)


def _next(metric: MetricConfig, supply: Iterator[tuple[str, str]], own: bool) -> Look:
    color, style = next(supply)
    if metric.line_style != "-":
        style = metric.line_style
    return Look(color, style, metric.alpha, own)


def _supply(
    colors: Sequence[str], taken: set[str], offset: int
) -> Iterator[tuple[str, str]]:
    """Colours that are not taken, again and again with another line style."""
    start = offset % len(colors)
    ordered = [*colors[start:], *colors[:start]]
    free = [color for color in ordered if color not in taken] or ordered
    turn = 0
    while True:
        yield from ((color, _STYLES[turn % len(_STYLES)]) for color in free)
        turn += 1


def _pairs(metrics: Sequence[MetricConfig], palette: Sequence[str]) -> dict[str, Look]:
    """Looks of training and validation curves that belong together.

    One pair has the first two colours. Of several pairs, each has a colour of its own,
    and validation is dashed.
    """
    roles = [m for m in metrics if has_role(m.metric_name) and m.color is None]
    bases = list(dict.fromkeys(counterpart(metric.metric_name) for metric in roles))
    found: dict[str, Look] = {}
    taken: set[Look] = set()
    for metric in roles:
        held_out = is_validation(metric.metric_name)
        if len(bases) == 1:
            color, style = palette[held_out], metric.line_style
        else:
            color = palette[bases.index(counterpart(metric.metric_name)) % len(palette)]
            style = "--" if held_out else metric.line_style
        look = Look(color, style, metric.alpha)
        if look not in taken:
            taken.add(look)
            found[metric.metric_name] = look
    return found
