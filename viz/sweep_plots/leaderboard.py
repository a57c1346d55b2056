"""The table of the best runs, drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from stepwell.viz.drawing.contrast import blended, readable_color
from stepwell.viz.drawing.free_space import inches
from stepwell.viz.drawing.heading import draw_heading
from stepwell.viz.drawing.plot_axes import draw_empty
from stepwell.viz.drawing.text import clean, fitted, shortened, text_width
from stepwell.viz.drawing.value_shades import shade_map
from stepwell.viz.sweep_data.notes import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from stepwell.viz.base.theme import Theme

    from .leaderboard_data import Board, BoardRow

_SIZE = 9.0
_HEAD_SIZE = 8.0
_GAP = 0.22
_MARGIN = 0.07
_BAR = 1.0
_MOST_NAME = 2.2
_TALLEST_ROW = 0.27
_SHORTEST_ROW = 0.17


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its head, how to get a cell's text, and how it stands."""

    head: str
    text: Callable[[BoardRow], str]
    is_left: bool = False
    weight: str = "normal"

    def width(self, rows: tuple[BoardRow, ...], weight: str = "") -> float:
        """Inches that its texts need."""
        cells = [
            text_width(clean(self.text(row)), _SIZE, weight or self.weight) for row in rows
        ]
        return max(text_width(clean(self.head), _HEAD_SIZE), *cells)


def draw_leaderboard(value: Board, ax: Axes, theme: Theme) -> Axes:
    """Draw *value* into *ax*: as many rows and columns as there is room for."""
    ax.set_axis_off()
    width, height = inches(ax)
    most = max(1, int(height / _SHORTEST_ROW) - 1)
    rows = value.rows[:most]
    draw_heading(ax, "Best runs", _notes(value, len(rows)), theme)
    ax.set_xlim(0.0, width)
    ax.set_ylim(height, 0.0)
    if not rows:
        draw_empty(ax, "no runs with " + value.metric, theme)
        return ax
    high = min(_TALLEST_ROW, height / (len(rows) + 1))
    left, right = _columns(value)
    room = width - 2 * _MARGIN - _BAR - _GAP
    widths = [min(_MOST_NAME, column.width(rows, "bold")) for column in left]
    chosen = _fitting(right, rows, room - sum(widths) - _GAP * len(widths))
    spare = room + _GAP - sum(widths) - _GAP * len(widths)
    spare -= sum(column.width(rows) + _GAP for column in chosen)
    _draw_rules(ax, high, width, theme)
    x = _MARGIN
    for column, wide in zip(left, widths, strict=True):
        _draw_column(ax, column, rows, (x, wide, high), theme)
        x += wide + _GAP
    _draw_bars(ax, rows, x, high, theme)
    x += _BAR + _GAP
    more = max(0.0, spare) / max(1, len(chosen))
    for column in chosen:
        wide = column.width(rows) + more
        _draw_column(ax, column, rows, (x, wide, high), theme)
        x += wide + _GAP
    return ax


def _notes(value: Board, shown: int) -> list[str]:
    better = "lower is better" if value.goal == "min" else "higher is better"
    where = f"at step {value.at:,}" if isinstance(value.at, int) else value.at
    notes = [f"{where} {value.metric}, {better}"]
    runs = counted(value.total, "run")
    notes.append(f"{shown} of {runs}" if shown < value.total else runs)
    if value.going:
        notes.append(f"{value.going} still running")
    if value.without:
        notes.append(f"{value.without} without a value")
    return notes


def _columns(value: Board) -> tuple[list[_Column], list[_Column]]:
    """The columns left and right of the bars."""
    left = [
        _Column("#", lambda row: str(row.rank), is_left=True),
        _Column("run", lambda row: row.run, is_left=True),
        _Column(value.metric, lambda row: row.value, weight="bold"),
    ]
    keys = [
        _Column(key, lambda row, number=number: row.params[number])  # type: ignore[misc]
        for number, key in enumerate(value.keys)
    ]
    right = [
        _Column("Δ best", lambda row: row.delta),
        *keys,
        _Column("step", lambda row: row.step),
        _Column("time", lambda row: row.time),
        _Column("status", lambda row: row.status),
    ]
    return left, right


def _fitting(
    columns: list[_Column], rows: tuple[BoardRow, ...], room: float
) -> list[_Column]:
    """The columns that fit into *room* inches: the last keys go first, then the times."""
    kept = list(columns)
    keys = len(columns) - 4
    order = [*range(keys, 0, -1), keys + 2, keys + 1, 0, keys + 3]
    dropped: list[_Column] = []
    for place in order:
        if sum(column.width(rows) + _GAP for column in kept) <= room:
            break
        dropped.append(columns[place])
        kept = [column for column in columns if column not in dropped]
    return kept


def _draw_rules(ax: Axes, high: float, width: float, theme: Theme) -> None:
    """The rule under the heads, and the ground of the best run's row."""
    ax.plot([0.0, width], [high, high], color=theme.axis, lw=0.8)
    ground = blended(theme.palette[1], theme.background, 0.1)
    ax.add_patch(Rectangle((0.0, high), width, high, color=ground, lw=0, zorder=0))


def _draw_column(
    ax: Axes,
    column: _Column,
    rows: tuple[BoardRow, ...],
    place: tuple[float, float, float],
    theme: Theme,
) -> None:
    """Head and cells of one column; *place* is its left edge, width and row height."""
    left, wide, high = place
    x, side = (left, "left") if column.is_left else (left + wide, "right")
    head = fitted(column.head, _HEAD_SIZE, wide)
    style = {"ha": side, "va": "center"}
    ax.text(x, high / 2, head, color=theme.muted, fontsize=_HEAD_SIZE, **style)  # type: ignore[arg-type]
    best = readable_color(theme.palette[1], theme)
    for number, row in enumerate(rows):
        is_best = number == 0 and (column.is_left or column.weight == "bold")
        weight = "bold" if is_best else column.weight
        color = best if is_best else theme.text
        if column.head == "status":
            color = readable_color(theme.status.get(row.status, theme.text), theme)
        cut = shortened if column.head == "run" else fitted
        text = cut(column.text(row), _SIZE, wide + _GAP / 2, weight)
        ax.text(
            x,
            high * (number + 1.5),
            text,
            color=color,
            fontsize=_SIZE,
            fontweight=weight,
            **style,  # type: ignore[arg-type]
        )


def _draw_bars(
    ax: Axes, rows: tuple[BoardRow, ...], left: float, high: float, theme: Theme
) -> None:
    colors = shade_map(theme)
    for number, row in enumerate(rows):
        y = high * (number + 1.5) - 0.035
        color = theme.palette[1] if number == 0 else colors(row.bar)
        for length, shade in ((_BAR, theme.grid), (_BAR * row.bar, color)):
            ax.add_patch(Rectangle((left, y), length, 0.07, color=shade, lw=0))
