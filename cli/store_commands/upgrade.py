"""`stepwell upgrade`."""

from dataclasses import asdict
from pathlib import Path

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say


@click.command()
@shared.json_option
@shared.store_option
@click.pass_context
def upgrade(ctx: click.Context, location: Path | None, as_json: bool) -> None:
    """Bring a store of an earlier Stepwell to this one's schema.

    Any other command does so by itself; this one says what was done. An earlier Stepwell
    can't open the store afterwards.

    Example: stepwell upgrade --store runs.duckdb
    """
    from stepwell.store import upgrade_store  # noqa: PLC0415 (loads DuckDB)

    done = upgrade_store(location or ctx.obj)
    if as_json:
        echo_json(asdict(done))
    elif done.before == done.after:
        say(f"{done.location} is current (revision {done.after})")
    else:
        before = done.before or "nothing"
        say(f"{done.location}: from revision {before} to {done.after}")
