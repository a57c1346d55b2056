"""The best runs as a table for a terminal of a given width."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepwell.cli import options as shared
from stepwell.cli.output import rich_text
from stepwell.cli.table import WIDEST_NAME, shortened, width_of

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from stepwell.store import Leaderboard

_GAP = 2
_WIDEST = 24  # cells of a heading, or of a configuration value
_NARROWEST = 12  # cells of a name, however narrow the terminal
_NAMES = ("run", "id", "status")

_Column = tuple[str, list["Text"]]
"""A heading, and a cell a run."""


def ranking(
    board: "Leaderboard", params: Sequence[Mapping[str, Any]], width: int
) -> tuple["Table", int]:
    """The table, and for how many configuration keys there was no room.

    What tells a run from the others is always whole but for a long name. Of the
    configuration come the first keys whose values find room: cut, they would say nothing.

    Args:
        board: The runs, at least one.
        params: The configuration of each: None where a run has no value.
        width: Cells of the terminal.
    """
    from rich.table import Table  # noqa: PLC0415

    headings = ("", *_NAMES, shortened(board.metric, _WIDEST), "step")
    rows = [_row(rank, row) for rank, row in enumerate(board.rows(), 1)]
    columns: list[_Column] = [
        (head, [row[at] for row in rows]) for at, head in enumerate(headings)
    ]
    room = width - sum(_width(column) for column in columns) + _width(columns[1])
    names = [_name(str(run), room - _GAP) for run in board.run]
    columns[1] = ("run", names)
    keys = [
        (shortened(key, _WIDEST), [_cell(given[key]) for given in params])
        for key in params[0]
    ]
    columns += _fitting(keys, room - _width(columns[1]))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, _GAP, 0, 0))
    for heading, _ in columns:
        table.add_column(
            rich_text(heading),
            justify="left" if heading in _NAMES else "right",
            no_wrap=True,
        )
    for cells in zip(*(cells for _, cells in columns), strict=True):
        table.add_row(*cells)
    return table, len(headings) + len(keys) - len(columns)


def _row(rank: int, row: Mapping[str, Any]) -> list["Text"]:

    return [
        rich_text(str(rank), style="dim"),
        _name(row["run"], WIDEST_NAME),
        rich_text(shared.short_id(row["run_id"]), style="cyan"),
        rich_text(row["status"], style=shared.STATUS_STYLES.get(row["status"], "")),
        rich_text(shared.short_number(row["value"]), style="bold" if rank == 1 else ""),
        rich_text(f"{row['step']:,}", style="dim"),
    ]


def _name(run: str, room: int) -> "Text":

    widest = min(WIDEST_NAME, max(room, _NARROWEST))
    return rich_text(shortened(run, widest), style="bold")


def _cell(value: Any) -> "Text":

    if value is None:
        return rich_text("–", style="dim")
    shown = value if isinstance(value, str) else shared.short_number(value)
    return rich_text(shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 1]}…")


def _fitting(columns: Sequence[_Column], room: int) -> Sequence[_Column]:
    for count, column in enumerate(columns):
        room -= _width(column)
        if room < -_GAP:  # behind the last column no gap is needed
            return columns[:count]
    return columns


def _width(column: _Column) -> int:
    heading, cells = column
    return max(width_of(heading), *(cell.cell_len for cell in cells)) + _GAP
