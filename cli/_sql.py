"""`stepwell sql`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _shared as shared

if TYPE_CHECKING:
    from stepwell.store import SqlResult

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
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name, kind in zip(result.columns, result.types, strict=True):
        numeric = any(word in kind for word in _NUMBERS)
        table.add_column(Text(name), justify="right" if numeric else "left")
    for row in result.fetchall():
        table.add_row(*(Text(_cell(value)) for value in row))
    shared.console().print(table)
    count = len(result)
    click.echo(f"{count:,} row{'' if count == 1 else 's'}")


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return repr(value) if abs(value) < 1e16 else f"{value:g}"  # noqa: PLR2004
    return str(value)
