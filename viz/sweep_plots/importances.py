"""Importances of the configuration keys, drawn as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.viz.base.theme import NOTE_SIZE
from stepwell.viz.drawing.contrast import contrast, readable_color
from stepwell.viz.drawing.free_space import inches
from stepwell.viz.drawing.heading import draw_heading
from stepwell.viz.drawing.plot_axes import draw_empty
from stepwell.viz.drawing.text import clean, fitted, text_width
from stepwell.viz.sweep_data.notes import counted
from stepwell.viz.sweep_data.param_axis import short_keys

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from stepwell.store import Importance
    from stepwell.viz.base.theme import Theme

_MOST_BARS = 12
_SIZE = 9.0
_NOTABLE = 0.1
_NAME_ROOM = 1.5  # inches
_LINES = 4  # of each text below the bars
_POINTS = 72.0
_ARROWS = {1: " ↑", -1: " ↓", 0: ""}


def draw_param_importances(value: Importance, ax: Axes, theme: Theme) -> Axes:
    """Draw *value* into *ax*: the most important key at the top.

    An arrow says which way the metric goes as the key rises, where it keeps to one way.
    """
    count = min(len(value), _MOST_BARS)
    n = int(value.n.max()) if len(value) else 0
    notes = [f"η² of {value.metric}, {counted(n, 'run')}"] if count else []
    if len(value) > count:
        notes.append(f"{len(value) - count} more parameters")
    draw_heading(ax, "Importance", notes, theme)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xticks([])
    ax.set_facecolor("none")
    if not count:
        draw_empty(ax, "no parameter that varies, or no value of " + value.metric, theme)
        return ax
    shares = value.eta2[:count]
    names = short_keys([str(key) for key in value.key])
    width = inches(ax)[0]
    colors = [theme.palette[0] if share >= _NOTABLE else theme.axis for share in shares]
    ax.barh(range(count), shares, height=0.62, color=colors)
    ax.set_xlim(0.0, max(float(shares.max()), 0.05))
    ax.set_ylim(count - 0.4, -0.6)
    ax.set_yticks(
        range(count),
        [fitted(names[str(key)], _SIZE, _NAME_ROOM) for key in value.key[:count]],
    )
    ax.tick_params(axis="y", length=0, pad=4, labelsize=_SIZE, labelcolor=theme.text)
    for row, share in enumerate(shares):
        text = f"{share:.0%}" if share >= 0.005 else "0%"  # noqa: PLR2004
        text += _ARROWS[int(value.direction[row])]
        is_inside = share / ax.get_xlim()[1] * width > width - text_width(text, _SIZE) - 0.1
        ax.annotate(
            text,
            (float(share), row),
            xytext=(-4 if is_inside else 4, 0),
            textcoords="offset points",
            ha="right" if is_inside else "left",
            va="center",
            fontsize=_SIZE - 0.5,
            color=_readable_on(colors[row], theme) if is_inside else theme.text,
            annotation_clip=False,
        )
    aside = max(
        text_width(clean(label.get_text()), _SIZE) for label in ax.get_yticklabels()
    )
    _draw_method(ax, value, theme, (aside + 0.06, width))
    return ax


def _readable_on(color: str, theme: Theme) -> str:
    return max((theme.background, theme.text), key=lambda one: contrast(one, color))


def _draw_method(
    ax: Axes, value: Importance, theme: Theme, room: tuple[float, float]
) -> None:
    """How it was computed, and why to doubt it, below the bars and their names.

    Inches of *room* left of the axes, and from there to the right. Where the names are too
    short for the text to end in it, the text goes on under where longer names would stand.
    """
    aside, width = room
    warning = readable_color(theme.status["interrupted"], theme)
    below = 4.0
    texts = (value.warning, value.method)
    while aside < _NAME_ROOM and _lines_of(texts, aside + width) > _LINES:
        aside = min(aside + 0.1, _NAME_ROOM)
    for text, color in zip(texts, (warning, theme.muted), strict=True):
        lines = _wrapped(text, aside + width)[:_LINES]
        if not lines:
            continue
        ax.annotate(
            "\n".join(lines),
            (0.0, 0.0),
            xycoords="axes fraction",
            xytext=(-aside * _POINTS, -below),
            textcoords="offset points",
            ha="left",
            va="top",
            fontsize=NOTE_SIZE,
            color=color,
            annotation_clip=False,
        )
        below += (NOTE_SIZE + 3.0) * len(lines) + 3.0


def _lines_of(texts: tuple[str, ...], width: float) -> int:
    """How many lines of *width* inches the longest of *texts* takes."""
    return max(len(_wrapped(text, width)) for text in texts)


def _wrapped(text: str, width: float) -> list[str]:
    """The words of *text* in lines of *width* inches."""
    lines: list[str] = []
    for word in clean(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, NOTE_SIZE) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [fitted(line, NOTE_SIZE, width) for line in lines]
