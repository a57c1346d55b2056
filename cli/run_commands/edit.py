"""`stepwell tag`, `note` and `rename`: changes of past runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say

if TYPE_CHECKING:
    from stepwell.store import RunInfo


@click.command()
@click.argument("run")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take the tags away.")
@shared.json_option
@shared.store_option
@click.pass_context
def tag(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    run: str,
    tags: tuple[str, ...],
    remove: bool,
    as_json: bool,
) -> None:
    """Give a run tags, or take them away.

    Example: stepwell tag last baseline paper
    """
    with shared.store_of(ctx, location) as store:
        info = store.tag(shared.run_of(store, run).run_id, tags, remove=remove)
    _print(info, f"tags: {', '.join(info.tags) or '–'}", as_json)


@click.command()
@click.argument("run")
@click.argument("text")
@shared.json_option
@shared.store_option
@click.pass_context
def note(
    ctx: click.Context, location: Path | None, run: str, text: str, as_json: bool
) -> None:
    """Set a run's notes; an empty TEXT takes them away.

    Example: stepwell note last "diverged after the warm-up; see the gradients"
    """
    with shared.store_of(ctx, location) as store:
        info = store.note(shared.run_of(store, run).run_id, text)
    _print(info, f"notes: {info.notes or '–'}", as_json)


@click.command()
@click.argument("run")
@click.argument("name")
@shared.json_option
@shared.store_option
@click.pass_context
def rename(
    ctx: click.Context, location: Path | None, run: str, name: str, as_json: bool
) -> None:
    """Give a run another name; its id stays.

    Example: stepwell rename last baseline
    """
    with shared.store_of(ctx, location) as store:
        info = store.rename(shared.run_of(store, run).run_id, name)
    _print(info, "is its name now", as_json)


def _print(info: "RunInfo", change: str, as_json: bool) -> None:
    if as_json:
        echo_json(info._asdict())
    else:
        say(f"{info.name} ({shared.short_id(info.run_id)})  {change}")
