"""The heading above a plot of many runs: a title, and what to know when reading."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation

from stepwell.viz.base.theme import NOTE_SIZE, TITLE_SIZE, Theme

from .free_space import dots_per_inch, inches, is_movable, room_above, room_for_heading
from .text import clean, fitted, text_width

BETWEEN = " · "
_GAP = 0.12
_APART = 0.15
_SMALLEST_TITLE = 9.0
_SMALLEST_NOTE = 0.8
_LINE = 0.155  # inches that a line of notes takes
_MOST_LINES = 3
_POINTS = 72.0


def draw_heading(
    axes: Axes, title: str, notes: Sequence[str], theme: Theme, gap: float = _GAP
) -> None:
    """A title at the left above *axes*, and notes at its right, or else under it.

    Args:
        axes: The axes.
        title: What the plot shows.
        notes: The most important first; the last are left out where there is no room.
        theme: The colours.
        gap: Inches between the axes and the texts.
    """
    texts = [
        axes.set_title(
            " ",
            loc=side,  # type: ignore[arg-type]
            pad=gap * _POINTS,
            color=color,
            fontsize=size,
            fontweight=weight,
        )
        for side, color, size, weight in (
            ("left", theme.text, TITLE_SIZE, "bold"),
            ("right", theme.muted, NOTE_SIZE, "normal"),
        )
    ]
    _fill(axes, texts[0], texts[1], (title, notes), gap)


def retitle(axes: Axes, title: str) -> None:
    """Give *axes* that have a heading another title."""
    note = axes.get_title("right")
    left, right = (_text_of(axes, axes.get_title(side)) for side in ("left", "right"))
    if left is None or right is None:
        return
    above = axes.get_window_extent().y1
    baseline = right if note else left
    gap = float(baseline.get_transform().transform((0.0, 1.0))[1] - above) / dots_per_inch(
        axes
    )
    _fill(axes, left, right, (title, note.replace("\n", BETWEEN).split(BETWEEN)), gap)


def _fill(
    axes: Axes, left: Text, right: Text, said: tuple[str, Sequence[str]], gap: float
) -> None:
    """Write title and notes where they have room."""
    title, notes = said[0], [clean(note) for note in said[1] if note]
    width, wide = inches(axes)[0], room_for_heading(axes)
    size = TITLE_SIZE * min(1.0, wide / max(1e-9, text_width(title, TITLE_SIZE, "bold")))
    size = max(_SMALLEST_TITLE, size)
    text = fitted(title, size, wide, "bold")
    beside = width - text_width(text, size, "bold") - _APART
    lines, note_size = [BETWEEN.join(notes)], NOTE_SIZE
    is_below = False
    if text_width(lines[0], NOTE_SIZE) > beside:
        most = _lines_above(axes, gap + size / _POINTS)
        is_below = most > 0
        room = wide if is_below else beside
        # Smaller letters come before fewer notes, which say how to read the plot.
        for share in (1.0, 0.9, _SMALLEST_NOTE):
            note_size = share * NOTE_SIZE
            lines = _wrapped(notes, room / share, max(1, most))
            if BETWEEN.join(lines) == BETWEEN.join(notes):
                break
    left.set_text(text)
    left.set_fontsize(size)
    right.set_text("\n".join(lines))
    right.set_fontsize(note_size)
    right.set_position((0.0 if is_below else 1.0, 1.0))
    right.set_horizontalalignment("left" if is_below else "right")
    right.set_verticalalignment("baseline")
    raised = gap + (_LINE * len(lines) + 0.03 if is_below and lines else 0.0)
    for one, height in ((left, raised), (right, gap)):
        figure = axes.get_figure(root=True)
        if figure is not None:
            up = ScaledTranslation(0.0, height, figure.dpi_scale_trans)
            one.set_transform(axes.transAxes + up)


def _lines_above(axes: Axes, needed: float) -> int:
    """Lines of notes that have room under the title, which needs so many inches."""
    if is_movable(axes):
        return _MOST_LINES
    return max(0, min(_MOST_LINES, int((room_above(axes) - needed) / _LINE)))


def _wrapped(notes: Sequence[str], room: float, most: int) -> list[str]:
    """*notes*, in their order, in at most *most* lines; without those that don't fit."""
    lines: list[str] = []
    for note in notes:
        longer = BETWEEN.join([lines[-1], note]) if lines else note
        if lines and text_width(longer, NOTE_SIZE) <= room:
            lines[-1] = longer
        elif len(lines) < most and text_width(note, NOTE_SIZE) <= room:
            lines.append(note)
    return lines


def _text_of(axes: Axes, words: str) -> Text | None:
    found = (part for part in axes.get_children() if isinstance(part, Text))
    return next((part for part in found if part.get_text() == words), None)
