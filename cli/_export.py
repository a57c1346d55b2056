"""`stepwell export`."""

from dataclasses import asdict
from pathlib import Path

import click

from . import _shared as shared


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(("csv", "parquet")),
    default="parquet",
    show_default=True,
    help="The files' format.",
)
@click.option("--force", is_flag=True, help="Replace the files of an earlier export.")
@shared.json_option
@shared.store_option
@click.pass_context
def export(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    folder: Path,
    form: str,
    force: bool,
    as_json: bool,
) -> None:
    """Write runs and their points into DIR, as two files, with every value exact.

    Example: stepwell export results --format csv
    """
    with shared.store_of(ctx, location) as store:
        made = store.export(folder, form, force=force)
    if as_json:
        shared.echo_json(asdict(made))
        return
    counts = (shared.counted(made.runs, "run"), shared.counted(made.points, "point"))
    for file, count in zip(made.files, counts, strict=True):
        click.echo(f"{file}: {count}, {shared.size(file.stat().st_size)}")
