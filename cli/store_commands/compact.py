"""`stepwell compact`."""

from dataclasses import asdict
from pathlib import Path

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say


@click.command()
@shared.json_option
@shared.store_option
@click.pass_context
def compact(ctx: click.Context, location: Path | None, as_json: bool) -> None:
    """Rewrite the database sorted by run, metric and step: smaller, and faster to read.

    Runs may go on meanwhile. It needs as much room again until it is done.

    Example: stepwell compact --store runs.duckdb
    """
    from stepwell.store import compact_store  # noqa: PLC0415 (loads DuckDB)

    done = compact_store(location or ctx.obj)
    if as_json:
        echo_json(asdict(done))
        return
    saved = 100 * (1 - done.after / done.before)
    gain = f"{saved:.0f} % smaller" if saved >= 0 else f"{-saved:.0f} % larger"
    say(
        f"{done.location}: {shared.size(done.before)} before, {shared.size(done.after)} now"
        f" ({gain}), {shared.counted(done.points, 'point')},"
        f" {shared.short_duration(done.seconds)}"
    )
