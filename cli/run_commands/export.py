"""`stepwell export`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say
from stepwell.cli.selection_options import require_runs, selection_options

if TYPE_CHECKING:
    from stepwell.store import Selection


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("names", metavar="[RUN]...", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(("csv", "parquet")),
    default="parquet",
    show_default=True,
    help="The files' format.",
)
@click.option("--force", is_flag=True, help="Replace the files of an earlier export.")
@selection_options
@shared.json_option
@shared.store_option
@click.pass_context
def export(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    selection: "Selection",
    folder: Path,
    names: tuple[str, ...],
    form: str,
    force: bool,
    as_json: bool,
) -> None:
    """Write runs and their points into DIR, as two files, with every value exact.

    All runs, those that are named, or those that the options choose.

    Example: stepwell export results --format csv

    Example: stepwell export results baseline --status finished --where "lr < 0.01"
    """
    from stepwell.store import Selection  # noqa: PLC0415 (a part of the store)

    selection = selection._replace(runs=(*names, *selection.runs))
    with shared.store_of(ctx, location) as store:
        if selection != Selection():
            require_runs(store.runs(selection))
        made = store.export(folder, form, runs=selection, force=force)
    if as_json:
        echo_json(asdict(made))
        return
    counts = (shared.counted(made.runs, "run"), shared.counted(made.points, "point"))
    for file, count in zip(made.files, counts, strict=True):
        say(f"{file}: {count}, {shared.size(file.stat().st_size)}")
