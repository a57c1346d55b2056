"""Names and values of lines, where these end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from stepwell.viz.base.boxes import pushed_apart
from stepwell.viz.base.theme import Theme

from .contrast import readable_color
from .free_space import inches, room_right
from .text import fitted, shortened, text_width

LABEL_SIZE = 8.5
LABEL_ROOM = 2.8
"""Inches that a label at a line's end may take."""

_LEGEND_SIZE = 7.5
_LEGEND_SHARE = 0.7
_LEGEND_HANDLE = 0.25
_SHORTEST_NAME = 0.45
_BETWEEN_WORDS = "_-/ "
_POINTS = 72.0
_LINE = LABEL_SIZE * 1.25 / _POINTS


@dataclass(frozen=True, slots=True)
class EndLabel:
    """A text at the right edge of the axes, as high as a line's end.

    Attributes:
        name: Whose line it is; shortened where there is little room.
        said: What follows the name, such as its value; never shortened.
        value: Where it belongs, on the y axis.
        color: Colour of its line.
        more: What follows where there is room.
        key: What comes before the name where there is room.
    """

    name: str
    said: str
    value: float
    color: str
    more: str = ""
    key: str = ""

    @property
    def text(self) -> str:
        """All that it says."""
        return f"{self.key}{self.name}{self.said}{self.more}"


def draw_end_labels(
    axes: Axes, labels: Sequence[EndLabel], theme: Theme, room: float | None = None
) -> None:
    """Texts at the right edge, pushed apart; the limits of the axes must be set.

    Where not even short ones have room beside the axes, a legend is in them.

    Args:
        axes: The axes.
        labels: The texts.
        theme: The colours.
        room: Inches that the texts may take; by default what there is.
    """
    room = room_right(axes, LABEL_ROOM) if room is None else room
    height = inches(axes)[1]
    # More than these have no room below each other, however short they are.
    shown = list(labels)[: max(1, int(height / _LINE))]
    texts = _texts(shown, room, LABEL_SIZE, "bold")
    if texts is None:
        _draw_legend(axes, labels, theme)
        return
    scale = axes.transData + axes.transAxes.inverted()
    low, high = axes.get_xlim()
    wanted = [
        # A line may end beyond the limits, and its label then stands at the edge. The x
        # only has to be on the axis, which 0 is not where that is logarithmic.
        float(np.clip(scale.transform(((low + high) / 2, one.value))[1], 0.0, 1.0)) * height
        for one in shown
    ]
    # In inches, as a label's height does not depend on that of the axes.
    places = pushed_apart(wanted, _LINE, _LINE / 2, height - _LINE / 2)
    for one, text, place in zip(shown, texts, places, strict=True):
        axes.annotate(
            text,
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


def _texts(
    labels: Sequence[EndLabel], room: float, size: float, weight: str
) -> list[str] | None:
    """The longest texts that fit, all of one form; None where none are worth reading."""

    def width(text: str) -> float:
        return text_width(text, size, weight)

    bare = [replace(one, key="") for one in labels]
    brief = [replace(one, more="") for one in bare]
    # From the longest form to the shortest, and one form for all, as what only some labels
    # said would seem to be missing of the others.
    for form in (labels, bare, brief, *_without_start(brief)):
        if all(width(one.text) <= room for one in form):
            return [fitted(one.text, size, room, weight) for one in form]
    rests = [room - width(one.said) for one in brief]
    if min(rests) < _SHORTEST_NAME:
        return None
    return _shortened(brief, size, rests, weight)


def _shortened(
    labels: Sequence[EndLabel], size: float, rooms: Sequence[float], weight: str
) -> list[str]:
    """What they say, with names of at most so many inches."""
    differing = [labels, *_without_start(labels)][-1]
    return [
        shortened(one.name, size, room, weight) + one.said
        for one, room in zip(differing, rooms, strict=True)
    ]


def _without_start(labels: Sequence[EndLabel]) -> list[list[EndLabel]]:
    """*labels* without ever more of the words with which all their names begin."""
    if len(labels) == 1:
        return []
    columns = zip(*(one.name for one in labels), strict=False)
    same = sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, columns))
    # Cut only behind a whole word: "lr 0.01" and "lr 0.02" share "lr 0.0" as well.
    cuts = [at + 1 for at in range(1, same) if labels[0].name[at] in _BETWEEN_WORDS]
    return [[replace(one, name="…" + one.name[cut:]) for one in labels] for cut in cuts]


def _draw_legend(axes: Axes, labels: Sequence[EndLabel], theme: Theme) -> None:
    """The names, and the values as far as they fit, in the emptiest corner."""
    width, height = inches(axes)
    most = max(1, int(_LEGEND_SHARE * height / (1.3 * _LEGEND_SIZE / _POINTS)))
    shown = list(labels) if len(labels) <= most else list(labels)[: max(1, most - 1)]
    room = _LEGEND_SHARE * width - _LEGEND_HANDLE
    texts = _texts(shown, room, _LEGEND_SIZE, "normal")
    if texts is None:
        names = [replace(one, said="") for one in shown]
        texts = _shortened(names, _LEGEND_SIZE, [room] * len(shown), "normal")
    handles = [Line2D([], [], color=one.color, linewidth=1.8) for one in shown]
    colors = [readable_color(one.color, theme) for one in shown]
    if len(shown) < len(labels):
        handles.append(Line2D([], [], linestyle="none"))
        texts.append(f"+{len(labels) - len(shown)} more")
        colors.append(theme.muted)
    axes.legend(
        handles,
        texts,
        loc="best",
        fontsize=_LEGEND_SIZE,
        labelcolor=colors,
        facecolor=theme.background,
        edgecolor="none",
        framealpha=0.8,
        borderpad=0.2,
        borderaxespad=0.3,
        handlelength=1.1,
        handletextpad=0.4,
        labelspacing=0.25,
    ).set_zorder(4.0)
