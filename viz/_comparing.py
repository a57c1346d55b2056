"""What the plots that compare runs share: axes, colours, titles and labels at line ends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from stepwell.store import ConfigurationError

from ._contrast import readable_color
from ._draw_axes import NOTE_SIZE, TITLE_SIZE
from ._drawing import DOTS_PER_INCH
from ._geometry import pushed_apart
from ._scale import Scale
from ._style import own_style
from ._text import clean, fitted, text_width
from ._theme import THEMES, Theme

TICK_SIZE = 8.5
LABEL_SIZE = 8.5
MARGIN = 0.18
MOST_COLORED = 7
_OURS = "stepwell comparison"
_POINTS = 72.0
_LABEL_WIDTH = 2.8


@dataclass(frozen=True, slots=True)
class EndLabel:
    """A text at the right edge of the axes, as high as a line's end.

    Attributes:
        text: What it says.
        value: Where it belongs, on the y axis.
        color: Colour of its line.
    """

    text: str
    value: float
    color: str


def theme_of(theme: "str | Theme") -> Theme:
    """The theme of that name.

    Raises:
        ConfigurationError: There is none.
    """
    if isinstance(theme, Theme):
        return theme
    if theme not in THEMES:
        raise ConfigurationError(f"theme must be one of {', '.join(THEMES)}, not {theme!r}")
    return THEMES[theme]


def new_axes(width: float, height: float, theme: Theme) -> Axes:
    """Axes on a figure of their own, *width* times *height* inches, in our style."""
    with own_style():
        figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(figure)
        figure.set_facecolor(theme.background)
        share = (0.7 / width, 0.6 / height, 1 - 1.5 / width, 1 - 1.2 / height)
        return styled(figure.add_axes(share, label=_OURS), theme)


def styled(axes: Axes, theme: Theme) -> Axes:
    """*axes* with our spines, ticks and grid."""
    axes.set_facecolor(theme.background)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.axis)
        spine.set_linewidth(0.8)
    axes.tick_params(
        axis="both", which="both", length=0, colors=theme.muted, labelsize=TICK_SIZE
    )
    axes.tick_params(axis="x", length=3, color=theme.axis, pad=3)
    axes.yaxis.grid(visible=True, color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def fit(axes: Axes) -> Axes:
    """Move axes of ours so that all their texts are inside the figure.

    Axes of a figure that somebody else has made stay where they are.
    """
    figure = axes.get_figure()
    if axes.get_label() != _OURS or not isinstance(figure, Figure):
        return axes
    with own_style():
        for _ in range(2):  # labels change a little with the room
            tight = axes.get_tightbbox()
            if tight is None:
                return axes
            place = axes.get_window_extent()
            wide, high = (size * figure.dpi for size in figure.get_size_inches())
            edge = MARGIN * figure.dpi
            left = edge + place.x0 - tight.x0
            bottom = edge + place.y0 - tight.y0
            right = wide - edge - (tight.x1 - place.x1)
            top = high - edge - (tight.y1 - place.y1)
            width, height = max(right - left, wide / 5), max(top - bottom, high / 5)
            axes.set_position((left / wide, bottom / high, width / wide, height / high))
    return axes


def finish(axes: Axes, title: str, note: str, theme: Theme) -> Axes:
    """Give *axes* their place and then their title, cut to the room that there is."""
    fit(axes)
    draw_title(axes, title, note, theme)
    return fit(axes)


def set_scales(axes: Axes, x: Scale | None, y: Scale | None) -> None:
    """Give *axes* these scales, with their limits, ticks and labels."""
    for side, scale in (("x", x), ("y", y)):
        if scale is None:
            continue
        options = {"linthresh": scale.threshold} if scale.kind == "symlog" else {}
        set_scale = axes.set_xscale if side == "x" else axes.set_yscale
        set_scale(scale.kind, **options)
        axes.set(**{f"{side}lim": (scale.low, scale.high)})
        axis = axes.xaxis if side == "x" else axes.yaxis
        axis.set_major_locator(FixedLocator(scale.ticks))
        axis.set_major_formatter(FixedFormatter(scale.labels))
        axis.set_minor_locator(NullLocator())


def draw_title(axes: Axes, title: str, note: str, theme: Theme) -> None:
    """The title at the left above the axes, a note at the right, as far as they fit."""
    room = width_of(axes)
    text = fitted(title, TITLE_SIZE, room, "bold")
    style: dict[str, Any] = {"pad": 10.0}
    axes.set_title(
        text, loc="left", color=theme.text, fontsize=TITLE_SIZE, fontweight="bold", **style
    )
    room -= text_width(text, TITLE_SIZE, "bold") + 0.15
    parts = [clean(part) for part in note.split(" · ")]
    while parts and text_width(" · ".join(parts), NOTE_SIZE) > room:
        parts.pop()
    axes.set_title(
        " · ".join(parts),
        loc="right",
        color=theme.muted,
        fontsize=NOTE_SIZE,
        fontweight="normal",
        **style,
    )


def draw_xlabel(axes: Axes, text: str, theme: Theme) -> None:
    """What the x axis is, under it."""
    axes.set_xlabel(
        fitted(text, NOTE_SIZE, width_of(axes)), color=theme.muted, fontsize=NOTE_SIZE
    )


def draw_nothing(axes: Axes, title: str, text: str, theme: Theme) -> Axes:
    """Empty axes that say why they are."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        fitted(text, 9.0, width_of(axes)),
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=theme.muted,
        fontsize=9.0,
    )
    return finish(axes, title, "", theme)


def draw_end_labels(axes: Axes, labels: Sequence[EndLabel], theme: Theme) -> None:
    """Texts at the right edge, pushed apart; the limits of the axes must be set."""
    height = axes.get_window_extent().height / _dpi(axes)
    scale = axes.transData + axes.transAxes.inverted()
    low, high = axes.get_xlim()
    size = LABEL_SIZE * 1.25 / _POINTS
    shown = list(labels)[: max(1, int(height / size))]
    wanted = [
        float(np.clip(scale.transform(((low + high) / 2, one.value))[1], 0.0, 1.0)) * height
        for one in shown
    ]
    places = pushed_apart(wanted, size, size / 2, height - size / 2)
    for one, place in zip(shown, places, strict=True):
        axes.annotate(
            fitted(one.text, LABEL_SIZE, _LABEL_WIDTH, "bold"),
            (1.0, place / height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            annotation_clip=False,
            color=readable_color(one.color, theme),
            fontsize=LABEL_SIZE,
            fontweight="bold",
        )


def run_colors(
    run_ids: Iterable[str], theme: Theme, best: Iterable[str] = ()
) -> dict[str, str]:
    """A colour for each run, the same in every plot of the same runs.

    Up to seven runs have one each, by the order of their ids. Of more runs only *best*
    have colours, in that order, and the others are grey.
    """
    ordered = sorted(set(run_ids))
    if len(ordered) <= MOST_COLORED:
        return dict(zip(ordered, theme.palette, strict=False))
    known = set(ordered)
    first = [run for run in dict.fromkeys(best) if run in known][:MOST_COLORED]
    colors = dict.fromkeys(ordered, theme.neutral)
    return colors | dict(zip(first, theme.palette, strict=False))


def group_colors(names: Sequence[str], theme: Theme) -> dict[str, str]:
    """A colour for each group by its place; grey for those beyond the palette."""
    return dict.fromkeys(names, theme.neutral) | dict(
        zip(dict.fromkeys(names), theme.palette, strict=False)
    )


def width_of(axes: Axes) -> float:
    """Width of *axes* in inches."""
    return float(axes.get_window_extent().width) / _dpi(axes)


def counted(number: int, noun: str) -> str:
    """The number with its noun: "1 run", "1,200 runs"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def going_note(status: Sequence[str]) -> str:
    """How many of the runs go on still; empty where none does."""
    going = sum(one == "running" for one in status)
    return f"{going:,} still running" if going else ""


def noted(*parts: str) -> str:
    """The parts of a note that say something."""
    return " · ".join(part for part in parts if part)


def option(options: Mapping[str, Any], name: str, kind: str) -> Any:
    """An option that a plot cannot do without.

    Raises:
        ConfigurationError: It is not given.
    """
    if not options.get(name):
        raise ConfigurationError(f"a figure of kind {kind!r} needs the option {name!r}")
    return options[name]


def _dpi(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    return float(figure.dpi) if figure else float(DOTS_PER_INCH)
