"""`stepwell watch`."""

from pathlib import Path

import click

from . import _shared as shared


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("--once", is_flag=True, help="Show how the run stands now, and end.")
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
    runs: tuple[str, ...],
    once: bool,
    window: bool,
    stay: bool,
    dark: bool,
) -> None:
    """Follow a run of any process, live or past, until it ends; several as rows.

    Example: stepwell watch last
    """
    references = list(runs) or ["last"]
    if not window:
        from stepwell.viz import watch_in_terminal  # noqa: PLC0415 (loads Rich)

        with shared.store_of(ctx, location) as store:
            watch_in_terminal(store, references, once=once)
        return
    if len(references) > 1 or once:
        raise click.UsageError("a window shows one run, and follows it")
    from stepwell.viz import watch_run  # noqa: PLC0415 (loads matplotlib)

    with shared.store_of(ctx, location) as store:
        if not watch_run(store, references[0], stay=stay, theme="dark" if dark else None):
            ctx.exit(2)
