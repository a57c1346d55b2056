"""What stands around the plots of many runs: axes, heading, scales, a word when empty."""

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from stepwell.store import ConfigurationError, shown
from stepwell.viz.base.axis import Scale
from stepwell.viz.base.theme import DOTS_PER_INCH, NOTE_SIZE, THEMES, Theme

from .free_space import MARGIN, OURS, inches
from .heading import BETWEEN, draw_heading
from .rc_params import own_style
from .text import fitted

Margins = tuple[float, float, float, float]

TICK_SIZE = 8.5
_EMPTY_SIZE = 9.0
_AROUND: Margins = (0.7, 0.6, 0.8, 0.6)


def theme_of(theme: "str | Theme") -> Theme:
    """The theme of that name.

    Raises:
        ConfigurationError: There is none.
    """
    if isinstance(theme, Theme):
        return theme
    if theme not in THEMES:
        raise ConfigurationError(
            f"theme must be one of {', '.join(THEMES)}, not {shown(theme)}"
        )
    return THEMES[theme]


def new_axes(
    size: tuple[float, float], theme: Theme, margins: Margins | None = None
) -> Axes:
    """Axes on a figure of their own, of *size* inches, which no window shows.

    Args:
        size: Width and height of the figure.
        theme: The colours.
        margins: Inches left, below, right and above the axes; when absent, `fit` moves
            them once they are drawn.
    """
    left, bottom, right, top = margins or _AROUND
    width, height = size
    with own_style():
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor=theme.background)
        FigureCanvasAgg(figure)
        area = (
            left / width,
            bottom / height,
            max(0.2, 1 - (left + right) / width),
            max(0.2, 1 - (bottom + top) / height),
        )
        # The label marks axes that `fit` may move; given margins mean a place of its own.
        axes = figure.add_axes(area, label="" if margins else OURS)
        axes.set_facecolor("none")
        return axes


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
    if axes.get_label() != OURS or not isinstance(figure, Figure):
        return axes
    with own_style():
        for _ in range(2):  # labels change a little with the room
            tight = axes.get_tightbbox(for_layout_only=True)
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
    """Give *axes* their place and then their heading, cut to the room that there is."""
    fit(axes)
    draw_heading(axes, title, note.split(BETWEEN), theme)
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


def draw_names(axes: Axes, theme: Theme, x: str = "", y: str = "") -> None:
    """What the axes are, under and beside them."""
    width, height = inches(axes)
    below, beside = fitted(x, NOTE_SIZE, width), fitted(y, NOTE_SIZE, height)
    axes.set_xlabel(below, color=theme.muted, fontsize=NOTE_SIZE)
    axes.set_ylabel(beside, color=theme.muted, fontsize=NOTE_SIZE)


def draw_empty(axes: Axes, text: str, theme: Theme) -> None:
    """Say in the middle of *axes* why there is nothing in it."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        fitted(text, _EMPTY_SIZE, inches(axes)[0]),
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=theme.muted,
        fontsize=_EMPTY_SIZE,
    )
