"""How the curves of a panel are named: by labels at their ends, or by a legend."""

from collections.abc import Sequence
from dataclasses import dataclass

from stepwell.viz.base.boxes import Box
from stepwell.viz.base.numbers import short_value
from stepwell.viz.drawing.text import fitted, text_width

from .curve import Curve
from .panel import Panel

LABEL_SIZE = 9.5
LEGEND_SIZE = 8.0
_LABEL_LINE = 0.165
_LABEL_SHARE = 0.3
_ONE_LINE_SHARE = 0.16
_LONGEST_LABEL = 1.6
_MOST_LABELS = 8
_LEGEND_HANDLE = 0.42
_LEGEND_LINE = 0.18
_TALL_CELL = 1.9
_AROUND_AXES = 0.77


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a curve and its value, at its end."""

    curve: Curve
    text: str


@dataclass(frozen=True, slots=True)
class Legend:
    """Names of the curves above the axes, in rows.

    Attributes:
        curves: The curves that are named.
        texts: Their names.
        columns: How many stand in one row.
        more: How many curves found no room.
    """

    curves: tuple[Curve, ...]
    texts: tuple[str, ...]
    columns: int
    more: int = 0

    @property
    def rows(self) -> int:
        """How many rows it takes."""
        return -(-(len(self.texts) + (self.more > 0)) // self.columns)


def label_height(factor: float) -> float:
    """Height of one label at the end of a curve, in inches."""
    return _LABEL_LINE * factor


def label_width(text: str, factor: float) -> float:
    """Width of one label at the end of a curve, in inches."""
    return text_width(text, LABEL_SIZE * factor, "bold")


def legend_height(legend: Legend | None, factor: float) -> float:
    """Height that *legend* takes between title and axes, in inches."""
    return _LEGEND_LINE * factor * legend.rows if legend else 0.0


def labels_of(panel: Panel, cell: Box, factor: float) -> tuple[Label, ...]:
    """A label for each curve that is to be named, or none where they don't fit.

    They have two lines where that keeps them from taking too much from the axes.
    """
    one_line = labels_in_lines(panel, 1)
    room = (cell.height - _AROUND_AXES * factor) * (0.4 if panel.experts else 1.0)
    most = min(_MOST_LABELS, int(room / label_height(factor)))
    wide = labels_width(one_line, factor)
    if len(one_line) > most or wide > _LABEL_SHARE * cell.width:
        return ()
    is_narrow = wide <= _ONE_LINE_SHARE * cell.width
    return one_line if is_narrow or 2 * len(one_line) > most else labels_in_lines(panel, 2)


def labels_in_lines(panel: Panel, lines: int) -> tuple[Label, ...]:
    """A label for each curve that is to be named, in one line or in two."""
    between = " " if lines == 1 else "\n"
    return tuple(Label(curve, _text(curve, between)) for curve in _named(panel))


def labels_width(labels: Sequence[Label], factor: float) -> float:
    """Width of the widest of *labels*, in inches."""
    return max((label_width(label.text, factor) for label in labels), default=0.0)


def label_lines(labels: Sequence[Label]) -> int:
    """How many lines each of *labels* takes."""
    return max((label.text.count("\n") + 1 for label in labels), default=1)


def legend_of(panel: Panel, cell: Box, width: float, factor: float) -> Legend | None:
    """A legend of at most two rows in *width* inches; None without curves to name."""
    curves = _named(panel)
    if not curves:
        return None
    size, handle = LEGEND_SIZE * factor, _LEGEND_HANDLE * factor
    texts = tuple(
        fitted(curve.label or curve.metric, size, max(0.3, width - handle))
        for curve in curves
    )
    widest = max(text_width(text, size) for text in texts)
    columns = max(1, int(width / (widest + handle)))
    capacity = columns * (2 if cell.height > _TALL_CELL * factor else 1)
    if len(texts) <= capacity:
        return Legend(curves, texts, min(columns, len(texts)))
    kept = max(1, capacity - 1)
    return Legend(curves[:kept], texts[:kept], columns, len(texts) - kept)


def _named(panel: Panel) -> tuple[Curve, ...]:
    if not panel.show_legend:
        return ()
    return tuple(
        curve
        for curve in panel.curves
        if curve.metric not in panel.quiet and curve.end is not None
    )


def _text(curve: Curve, between: str) -> str:
    name = fitted(curve.label, LABEL_SIZE, _LONGEST_LABEL, "bold")
    return f"{name}{between}{short_value(curve.end_value)}".strip()
