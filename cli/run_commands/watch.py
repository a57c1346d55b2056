"""`stepwell watch`."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.selection_options import require_runs, selection_options

from .wait_for_store import awaited_store

if TYPE_CHECKING:
    from stepwell.store import Selection, Store


@click.command()
@click.argument("names", metavar="[RUN]...", nargs=-1)
@click.option("--once", is_flag=True, help="Show how the run stands now, and end.")
@click.option("--window", is_flag=True, help="Show the run's figure in a window.")
@click.option(
    "--stay/--exit",
    default=True,
    show_default=True,
    help="Keep the window, with the final picture, when the run has ended.",
)
@click.option("--dark", is_flag=True, help="Light lines on a dark ground.")
@selection_options
@shared.store_option
@click.pass_context
def watch(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    selection: "Selection",
    names: tuple[str, ...],
    once: bool,
    window: bool,
    stay: bool,
    dark: bool,
) -> None:
    """Follow a run of any process, live or past, until it ends; several as rows.

    Where there is no store or run yet, it waits for the first.

    The options choose among the runs that are there, or among those that are named.

    Example: stepwell watch last

    Example: stepwell watch --project digits --status running
    """
    opened = shared.store_of if once else awaited_store
    with suppress(KeyboardInterrupt), opened(ctx, location) as store:
        references = _references(store, names, selection)
        if not window:
            from stepwell.viz import watch_in_terminal  # noqa: PLC0415 (loads Rich)

            watch_in_terminal(store, references, once=once)
            return
        if len(references) > 1 or once:
            raise click.UsageError("a window shows one run, and follows it")
        from stepwell.viz import watch_run  # noqa: PLC0415 (loads matplotlib)

        if not watch_run(store, references[0], stay=stay, theme="dark" if dark else None):
            ctx.exit(2)


def _references(
    store: "Store", names: tuple[str, ...], selection: "Selection"
) -> list[str]:
    from stepwell.store import Selection  # noqa: PLC0415 (a part of the store)

    if selection == Selection():
        return [shared.run_of(store, name).run_id for name in names] or ["last"]
    found = store.runs(selection._replace(runs=(*names, *selection.runs)))
    require_runs(found)
    return [run.run_id for run in found]
