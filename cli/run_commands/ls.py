"""`stepwell ls`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.output import Cell, echo_json, say
from stepwell.cli.selection_options import selection_options
from stepwell.cli.table import print_columns, shortened

if TYPE_CHECKING:
    from stepwell.store import RunOverview, Selection

_HEADINGS = ("run", "id", "project", "status", "started", "took", "step", "now")


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
        echo_json(
            [row.run._asdict() | {key: getattr(row, key) for key in extent} for row in rows]
        )
        return
    if not rows:
        chosen = selection.to_json()
        say(f"no run in {where} fits" if chosen else f"no runs in {where}")
        return
    print_columns(_HEADINGS, map(_cells, rows))
    if len(found) > len(rows):
        say(f"… more runs; `-n {limit * 4}` or `--all` besides shows them")


def _cells(row: "RunOverview") -> list[Cell]:
    run = row.run
    project = "/".join(filter(None, (run.project, run.group_name))) or "–"
    values = (f"{name} {shared.short_number(x)}" for name, x in row.current.items())
    color = shared.STATUS_STYLES.get(run.status, "default")
    return [
        (shortened(run.name), {"bold": True}),
        (shared.short_id(run.run_id), {"fg": "cyan"}),
        (shortened(project), {}),
        (run.status, {} if color == "default" else {"fg": color}),
        (shared.age(run.created_at), {}),
        (shared.short_duration(run.duration_seconds), {}),
        ("–" if row.last_step is None else f"{row.last_step:,}", {}),
        ("  ".join(values), {}),
    ]
