"""What stands around the plots of many runs: heading, notes, and a word when empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ._text import clean, fitted, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ._theme import Theme

TITLE_SIZE = 11.0
NOTE_SIZE = 8.0
_POINTS = 72.0
_GAP = 0.12


def inches(ax: Axes) -> tuple[float, float]:
    """Width and height of *ax*."""
    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        return 6.0, 4.0
    box, (width, height) = ax.get_position(), figure.get_size_inches()
    return max(0.1, box.width * float(width)), max(0.1, box.height * float(height))


def counted(number: int, thing: str) -> str:
    """A count as a person says it: "1 run", "2,000 runs"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def draw_heading(
    ax: Axes, title: str, notes: Sequence[str], theme: Theme, gap: float = _GAP
) -> None:
    """A title at the left above *ax* and notes at the right, as many as there is room for.

    Args:
        ax: The axes.
        title: What the plot shows.
        notes: The most important first.
        theme: The colours.
        gap: Inches between the axes and the texts.
    """
    width = inches(ax)[0]
    ax.set_title(
        fitted(title, TITLE_SIZE, width, "bold"),
        loc="left",
        pad=gap * _POINTS,
        color=theme.text,
        fontsize=TITLE_SIZE,
        fontweight="bold",
    )
    room = width - text_width(clean(title), TITLE_SIZE, "bold") - 0.15
    shown = list(notes)
    while shown and text_width(clean(" · ".join(shown)), NOTE_SIZE) > room:
        shown.pop()
    ax.set_title(
        clean(" · ".join(shown)),
        loc="right",
        pad=gap * _POINTS,
        color=theme.muted,
        fontsize=NOTE_SIZE,
    )


def draw_empty(ax: Axes, text: str, theme: Theme) -> None:
    """Say in the middle of *ax* why there is nothing in it."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.text(
        0.5,
        0.5,
        fitted(text, 9.0, inches(ax)[0]),
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=theme.muted,
        fontsize=9.0,
    )
