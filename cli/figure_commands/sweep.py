"""`stepwell sweep` and `stepwell report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say
from stepwell.cli.selection_options import require_runs, selection_options

if TYPE_CHECKING:
    from stepwell.store import Selection


def _look_options(command: Any) -> Any:
    """Add what both commands take."""
    for option in (
        click.option("--dark", is_flag=True, help="Light lines on a dark ground."),
        click.option(
            "--goal",
            type=click.Choice(("min", "max")),
            help="Which is better.  [default: as the metric's name tells]",
        ),
        click.option("-m", "--metric", required=True, help="What the runs are judged by."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("plots", nargs=-1, type=click.Choice(shared.PLOTS), metavar="[PLOT]...")
@_look_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sweep"),
    show_default=True,
    help="Folder for the pictures.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("png", "svg", "pdf")),
    default="png",
    show_default=True,
    help="What the pictures are.",
)
@click.option(
    "--params",
    metavar="KEY[,KEY]...",
    help="Draw by these parameters.  [default: those that explain most]",
)
@selection_options
@shared.json_option
@shared.store_option
@click.pass_context
def sweep(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    selection: "Selection",
    plots: tuple[str, ...],
    metric: str,
    goal: str | None,
    output: Path,
    form: str,
    params: str | None,
    dark: bool,
    as_json: bool,
) -> None:
    """Draw plots of a sweep, a picture each.

    PLOT is curves, slice, contour, history, edf, parallel, importances, leaderboard or
    report; without one it draws all of them. What a sweep cannot give, such as a contour
    where one parameter varies, is left out with a word why.

    Example: stepwell sweep curves importances -m val_loss -p digits -o pictures

    Example: stepwell sweep -m accuracy --goal max --params lr,batch_size
    """
    with shared.store_of(ctx, location) as store:
        require_runs(store.runs(selection, limit=1))
        from stepwell.viz import save_sweep  # noqa: PLC0415 (loads matplotlib)

        drawn = save_sweep(
            store,
            metric,
            output,
            plots,
            params=shared.keys_in(params),
            runs=selection,
            goal=goal,
            theme="dark" if dark else "light",
            suffix=f".{form}",
        )
    for name, why in drawn.left_out.items():
        say(f"{name} left out: {why}", err=True)
    if as_json:
        echo_json({name: str(path) for name, path in drawn.files.items()})
        return
    for path in drawn.files.values():
        say(path)


@click.command()
@_look_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.png"),
    show_default=True,
    help="PNG, PDF or SVG to write.",
)
@selection_options
@shared.json_option
@shared.store_option
@click.pass_context
def report(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    selection: "Selection",
    metric: str,
    goal: str | None,
    output: Path,
    dark: bool,
    as_json: bool,
) -> None:
    """Draw one page about a sweep: curves, parameters, importances and the best runs.

    Example: stepwell report -m val_loss -p digits -o report.pdf
    """
    with shared.store_of(ctx, location) as store:
        require_runs(store.runs(selection, limit=1))
        from stepwell.viz import report as draw  # noqa: PLC0415 (loads matplotlib)

        theme = "dark" if dark else "light"
        path = draw(store, metric, output, runs=selection, goal=goal, theme=theme)
    if as_json:
        echo_json({"metric": metric, "picture": str(path)})
    else:
        say(path)
