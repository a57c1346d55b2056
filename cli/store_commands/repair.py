"""`stepwell repair`."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say

if TYPE_CHECKING:
    from stepwell.store import RepairedStore


@click.command()
@click.argument("target", metavar="DEST", type=click.Path(path_type=Path))
@shared.json_option
@shared.store_option
@click.pass_context
def repair(ctx: click.Context, location: Path | None, target: Path, as_json: bool) -> None:
    """Save what can be read of a damaged store into a new one, DEST.

    The damaged store stays as it is. From its database comes what DuckDB can read, from
    its journals each whole record, behind damage too. Exit code 0 when nothing was lost,
    1 when something was.

    Example: stepwell repair saved.duckdb --store damaged.duckdb
    """
    from stepwell.store import repair_store  # noqa: PLC0415 (loads DuckDB)

    saved = repair_store(location or ctx.obj, target)
    if as_json:
        echo_json(asdict(saved) | {"is_complete": saved.is_complete})
    else:
        for line in _lines(saved):
            say(line)
    if not saved.is_complete:
        ctx.exit(1)


def _lines(saved: "RepairedStore") -> Iterator[str]:
    if saved.trouble:
        yield f"database: {saved.trouble}"
    for table in saved.tables:
        if table.trouble:
            yield f"table {table.name}: not read: {table.trouble}"
        elif not table.is_complete:
            yield (
                f"table {table.name}: {shared.counted(table.rows, 'row')} saved,"
                f" {table.lost:,} lost, {table.blanked:,} with lost fields"
            )
    for journal in saved.journals:
        if journal.trouble:
            yield f"journal {journal.name}: not read: {journal.trouble}"
        else:
            yield (
                f"journal {journal.name}: {shared.counted(journal.records, 'record')}"
                f" saved, {shared.counted(journal.damaged, 'byte')} damaged,"
                f" {shared.counted(journal.cut, 'byte')} of a cut record"
            )
    if saved.nameless:
        yield f"{shared.counted(saved.nameless, 'run')} whose description was lost"
    extent = f"{shared.counted(saved.runs, 'run')}, {shared.counted(saved.points, 'point')}"
    end = "nothing was lost" if saved.is_complete else "the rest is lost"
    yield f"{saved.location}: {extent}; {end}"
