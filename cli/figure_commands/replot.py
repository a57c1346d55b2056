"""`stepwell replot`."""

from pathlib import Path

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say


@click.command()
@click.argument("figure", metavar="NAME|PICTURE")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="PNG, PDF or SVG to write.  [default: NAME.png; a PICTURE is replaced]",
)
@shared.json_option
@shared.store_option
@click.pass_context
def replot(
    ctx: click.Context,
    location: Path | None,
    figure: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Draw a kept figure again, or a picture, from what the store holds now.

    Pictures that Stepwell made say in their metadata how; any store will do that has
    their runs, or others that fit.

    Example: stepwell replot loss.png -o loss.pdf
    """
    with shared.store_of(ctx, location) as store:
        from stepwell.viz import PlotWarning, redraw  # noqa: PLC0415 (loads matplotlib)

        with shared.warnings_as_lines(PlotWarning):
            path = redraw(store, figure, output)
    if as_json:
        echo_json({"figure": figure, "picture": str(path)})
    else:
        say(path)
