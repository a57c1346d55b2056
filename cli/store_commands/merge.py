"""`stepwell merge`."""

from dataclasses import asdict
from pathlib import Path

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say


@click.command()
@click.argument(
    "others",
    metavar="OTHER...",
    nargs=-1,
    required=True,
    type=click.Path(readable=False, path_type=Path),
)
@shared.json_option
@shared.store_option
@click.pass_context
def merge(
    ctx: click.Context, location: Path | None, others: tuple[Path, ...], as_json: bool
) -> None:
    """Take the runs of OTHER stores into this one, by run id, each point once.

    Merging again takes only what is new there. Nothing is written to the others, which may
    be copies of a cluster's stores, with their journals beside them.

    Example: stepwell merge cluster/a.duckdb cluster/b.duckdb
    """
    from stepwell.store import merge_stores  # noqa: PLC0415 (loads DuckDB)

    done = merge_stores(others, location or ctx.obj)
    if as_json:
        echo_json([asdict(one) for one in done])
        return
    for one in done:
        parts = [f"{one.new} new", f"{one.grown} grown", f"{one.same} as before"]
        line = f"{one.location}: {shared.counted(one.points, 'point')} taken; runs:"
        line = f"{line} {', '.join(parts)}"
        if one.figures:
            line += f"; {shared.counted(one.figures, 'figure')}"
        if one.foreign:
            line += f"; not taken: {', '.join(one.foreign)}"
        say(line)
