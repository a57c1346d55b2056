"""`stepwell watch`."""

from pathlib import Path

import click

from . import _shared as shared


@click.command()
@click.argument("run", default="last")
@click.option("--window", is_flag=True, help="Show the run's figure in a window.")
@click.option(
    "--stay/--exit",
    default=True,
    show_default=True,
    help="Keep the window, with the final picture, when the run has ended.",
)
@click.option("--dark", is_flag=True, help="Light lines on a dark ground.")
@shared.store_option
@click.pass_context
def watch(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    run: str,
    window: bool,
    stay: bool,
    dark: bool,
) -> None:
    """Follow a run of any process, live or past.

    Example: stepwell watch last --window
    """
    if not window:
        raise click.UsageError("say where to show it: `stepwell watch RUN --window`")
    from stepwell.viz import watch_run  # noqa: PLC0415 (loads matplotlib)

    with shared.store_of(ctx, location) as store:
        if not watch_run(store, run, stay=stay, theme="dark" if dark else None):
            ctx.exit(2)
