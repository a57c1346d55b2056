"""`stepwell sql`."""

import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_exact, echo_json, new_console, rich_text, say
from stepwell.store import visible

if TYPE_CHECKING:
    from stepwell.store import SqlResult

_FORMATS = ("table", "csv", "json", "parquet")
_OF_TABLES = ("", "txt")  # suffixes
_MOST_IN_TABLE = 1000  # rows
_LEAST_WIDTH = 8  # characters of a column; where there is less room, rows become blocks
_EXPLAINED = ("explain_key", "explain_value")  # columns of an EXPLAIN, which has lines
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")


@click.command()
@click.argument("query", required=False)
@click.option(
    "-f",
    "--file",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the query from this file.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="How the rows are written.  [default: by the suffix of FILE, else table]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write into this file, replacing it.",
)
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
def sql(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    query: str | None,
    source: Path | None,
    form: str | None,
    output: Path | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Run one read-only SQL query (DuckDB's SQL) over the store.

    QUERY may be `-`, or left out, to read it from standard input.

    Tables: runs, points, figures. Views: metrics, summary, params, run_table.

    Example: stepwell sql "select metric, min(value) from metrics group by metric"
    """
    from stepwell.store import fork_query_process  # noqa: PLC0415

    written = _format(form, output, as_json)
    text = _query(query, source)
    fork_query_process()  # before DuckDB is loaded, which has threads
    with shared.store_of(ctx, location) as store:
        result = store.sql(text, timeout=timeout)
        # Writing the rows there would destroy what they were read from.
        if output is not None and output.resolve() == store.location:
            raise click.UsageError(f"{output} is the store itself; choose another file")
    _write(result, written, output)


def _format(form: str | None, output: Path | None, as_json: bool) -> str:
    if as_json:
        if form not in {None, "json"}:
            raise click.UsageError(f"--json and --format {form} exclude each other")
        form = "json"
    suffix = output.suffix[1:].lower() if output else ""
    if form is None and suffix not in {*_FORMATS, *_OF_TABLES}:
        raise click.UsageError(
            f"there is no format for .{suffix} files; use .csv, .json, .parquet or .txt,"
            " or say --format"
        )
    written = form or ("table" if suffix in _OF_TABLES else suffix)
    if written == "parquet" and output is None:
        raise click.UsageError("parquet is not for a terminal; give -o FILE")
    return written


def _query(query: str | None, source: Path | None) -> str:
    if source is not None:
        if query is not None:
            raise click.UsageError("give a query or a file, not both")
        return _decoded(source.read_bytes(), str(source))
    if query is not None and query != "-":
        return query
    if query is None and sys.stdin.isatty():
        raise click.UsageError("Missing argument 'QUERY' (or -f FILE, or standard input).")
    return _decoded(sys.stdin.buffer.read(), "standard input")


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{where} is not UTF-8 text ({error.reason})") from error


def _write(result: "SqlResult", form: str, output: Path | None) -> None:
    from stepwell.store import write_result  # noqa: PLC0415 (loads DuckDB)

    if form in {"csv", "parquet"} and output is not None:
        write_result(result, output, form)
    elif form == "csv":
        # `write_result` writes into files alone.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.csv"
            write_result(result, file, form)
            echo_exact(file.read_bytes())
    elif output is not None:
        with output.open("w", encoding="utf-8") as stream, redirect_stdout(stream):
            _show(result, form)
    else:
        _show(result, form)


def _show(result: "SqlResult", form: str) -> None:
    if form == "json":
        rows = (dict(zip(result.columns, row, strict=True)) for row in result.fetchall())
        echo_json(list(rows))
    else:
        _print(result)


def _print(result: "SqlResult") -> None:
    columns = tuple(map(visible, result.columns))
    # The plan of an EXPLAIN is a drawing of many lines; any other cell stays on one.
    has_lines = result.columns == _EXPLAINED
    rows = [
        tuple(_cell(value) if has_lines else visible(_cell(value)) for value in row)
        for row in result.fetchall()
    ]
    right = [any(word in kind for word in _NUMBERS) for kind in result.types]
    if len(rows) > _MOST_IN_TABLE:
        _print_plainly([columns, *rows], right)
    # A cell of many columns would be a letter wide, and each row a page high.
    elif not _fits(columns, rows):
        _print_blocks(columns, rows)
    else:
        _print_table(columns, rows, right)
    say(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")


def _fits(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> bool:
    """Whether each column of a table would have room to be read."""
    widths = (max(map(len, cells)) for cells in zip(columns, *rows, strict=True))
    least = sum(min(width, _LEAST_WIDTH) + 2 for width in widths)
    return least <= new_console().width + 2


def _print_blocks(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table  # noqa: PLC0415

    for row in rows:
        block = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        block.add_column(style="dim", no_wrap=True)
        block.add_column(overflow="fold")
        for name, cell in zip(columns, row, strict=True):
            block.add_row(rich_text(name), rich_text(cell, has_lines=True))
        new_console().print(block)
        say()


def _print_plainly(rows: list[tuple[str, ...]], right: list[bool]) -> None:
    # Many rows, which Rich would take minutes for.
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        )
        say("  ".join(cells).rstrip())


def _print_table(
    columns: tuple[str, ...], rows: list[tuple[str, ...]], right: list[bool]
) -> None:
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name, is_right in zip(columns, right, strict=True):
        table.add_column(rich_text(name), justify="right" if is_right else "left")
    for row in rows:
        table.add_row(*(rich_text(cell, has_lines=True) for cell in row))
    new_console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return repr(value) if abs(value) < 1e16 else f"{value:g}"  # noqa: PLR2004
    return str(value)
