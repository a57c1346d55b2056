"""What the plots that compare runs share: colours, counts and labels at line ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from ._contrast import readable_color
from ._frame import inches
from ._geometry import pushed_apart
from ._text import fitted
from ._theme import Theme

LABEL_SIZE = 8.5
LABEL_ROOM = 2.8
"""Inches that a label at a line's end may take."""

MOST_COLORED = 7
_POINTS = 72.0


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


def draw_end_labels(
    axes: Axes, labels: Sequence[EndLabel], theme: Theme, room: float = LABEL_ROOM
) -> None:
    """Texts at the right edge, pushed apart; the limits of the axes must be set."""
    height = inches(axes)[1]
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
            fitted(one.text, LABEL_SIZE, room, "bold"),
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
