"""`stepwell ls`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _shared as shared
from ._selection import selection_options

if TYPE_CHECKING:
    from rich.text import Text

    from stepwell.store import RunOverview, Selection

_HEADINGS = ("run", "id", "project", "status", "started", "took", "step")


@click.command()
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1),
    default=25,
    show_default=True,
    help="Runs shown.",
)
@click.option("-a", "--all", "everything", is_flag=True, help="Show all runs.")
@selection_options
@shared.json_option
@shared.store_option
@click.pass_context
def ls(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    selection: "Selection",
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    """List the runs, newest first.

    Example: stepwell ls --project digits --status running --where "lr < 0.01"
    """
    with shared.store_of(ctx, location) as store:
        found = store.overview(selection, limit=None if everything else limit + 1)
        where = store.location
    rows = found if everything else found[:limit]
    if as_json:
        extent = ("points", "last_step", "last_time", "current")
        shared.echo_json(
            [asdict(row.run) | {key: getattr(row, key) for key in extent} for row in rows]
        )
        return
    if not rows:
        chosen = selection.to_json()
        click.echo(f"no run in {where} fits" if chosen else f"no runs in {where}")
        return
    _print(rows)
    if len(found) > len(rows):
        click.echo(f"… more runs; `stepwell ls -n {limit * 4}` or `--all` shows them")


def _print(rows: "Sequence[RunOverview]") -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    cells = [_cells(row) for row in rows]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for place, heading in enumerate(_HEADINGS):
        width = max(len(heading), *(len(row[place].plain) for row in cells))
        table.add_column(heading, no_wrap=True, min_width=width)
    table.add_column("now", overflow="ellipsis", no_wrap=True)
    for row, shown in zip(rows, cells, strict=True):
        values = (f"{name} {shared.short_number(x)}" for name, x in row.current.items())
        table.add_row(*shown, Text("  ".join(values)))
    shared.console().print(table)


def _cells(row: "RunOverview") -> "list[Text]":
    from rich.text import Text  # noqa: PLC0415

    run = row.run
    return [
        Text(run.name, style="bold"),
        Text(shared.short_id(run.run_id), style="cyan"),
        Text("/".join(filter(None, (run.project, run.group_name))) or "–"),
        Text(run.status, style=shared.STATUS_STYLES.get(run.status, "")),
        Text(shared.age(run.created_at)),
        Text(shared.short_duration(run.duration_seconds)),
        Text("–" if row.last_step is None else f"{row.last_step:,}"),
    ]
