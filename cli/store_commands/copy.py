"""`stepwell copy`."""

from dataclasses import asdict
from pathlib import Path

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say


@click.command()
@click.argument("target", metavar="DEST", type=click.Path(path_type=Path))
@shared.json_option
@shared.store_option
@click.pass_context
def copy(ctx: click.Context, location: Path | None, target: Path, as_json: bool) -> None:
    """Copy a store to DEST while runs go on, with every call that has returned.

    The copy is one file. It is read from end to end before it appears. Runs that go on
    stay `running` in it, as of the moment of the copy.

    Example: stepwell copy backup.duckdb
    """
    from stepwell.store import copy_store  # noqa: PLC0415 (loads DuckDB)

    made = copy_store(location or ctx.obj, target)
    if as_json:
        echo_json(asdict(made))
        return
    extent = f"{shared.counted(made.runs, 'run')}, {shared.counted(made.points, 'point')}"
    running = (
        f"; {shared.counted(made.running, 'run')} still going on" if made.running else ""
    )
    say(f"{made.location}: {extent}, {shared.size(made.size)}{running}")
    if made.foreign:
        say(f"with what is not Stepwell's: {', '.join(made.foreign)}", err=True)
