"""`stepwell sql`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _shared as shared

if TYPE_CHECKING:
    from stepwell.store import SqlResult

_MOST_IN_TABLE = 1000  # rows
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")


@click.command()
@click.argument("query")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds after which the query is stopped.",
)
@shared.json_option
@shared.store_option
@click.pass_context
def sql(
    ctx: click.Context, location: Path | None, query: str, timeout: float, as_json: bool
) -> None:
    """Run one read-only SQL query (DuckDB's SQL) over the store.

    Tables: runs, points. Views: metrics, summary, params, run_table.

    Example: stepwell sql "select metric, min(value) from metrics group by metric"
    """
    with shared.store_of(ctx, location) as store:
        result = store.sql(query, timeout=timeout)
    if as_json:
        rows = (dict(zip(result.columns, row, strict=True)) for row in result.fetchall())
        shared.echo_json(list(rows))
        return
    _print(result)


def _print(result: "SqlResult") -> None:
    rows = [tuple(map(_cell, row)) for row in result.fetchall()]
    right = [any(word in kind for word in _NUMBERS) for kind in result.types]
    if len(rows) > _MOST_IN_TABLE:
        _print_plainly([result.columns, *rows], right)
    else:
        _print_table(result.columns, rows, right)
    click.echo(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")


def _print_plainly(rows: list[tuple[str, ...]], right: list[bool]) -> None:
    # Many rows, which Rich would take minutes for.
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _print_table(
    columns: tuple[str, ...], rows: list[tuple[str, ...]], right: list[bool]
) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name, is_right in zip(columns, right, strict=True):
        table.add_column(Text(name), justify="right" if is_right else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    shared.console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return repr(value) if abs(value) < 1e16 else f"{value:g}"  # noqa: PLR2004
    return str(value)
