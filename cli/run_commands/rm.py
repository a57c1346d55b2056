"""`stepwell rm`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say
from stepwell.cli.selection_options import require_runs, selection_options

if TYPE_CHECKING:
    from stepwell.store import RemovedRuns, Selection, Store

_MOST_NAMED = 10


@click.command()
@click.argument("names", metavar="[RUN]...", nargs=-1)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@selection_options
@shared.json_option
@shared.store_option
@click.pass_context
def rm(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    selection: "Selection",
    names: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove runs for good, with all their points; asks first.

    Runs are named, chosen by options, or both: then those go that are named and fit. A RUN
    that is the name of several is refused; `--runs NAME` means all of them. A run that
    still goes on is refused, and then none is removed.

    Example: stepwell rm --dry-run bright-otter-12 3f9a1c20

    Example: stepwell rm --project digits --status crashed --where "lr > 0.1"
    """
    from stepwell.store import Selection  # noqa: PLC0415 (a part of the store)

    if not names and selection == Selection():
        raise click.UsageError("say which runs: RUN, or an option such as --project")
    with shared.store_of(ctx, location) as store:
        references = (*_one_each(store, names), *selection.runs)
        # A dry run also before a real one, which asks about the very runs that will go.
        found = store.remove_runs(selection._replace(runs=references), dry_run=True)
        require_runs(found.runs)
        if not dry_run:
            if not yes:
                _ask(found)
            # Only those that were named, though others may fit by now.
            found = store.remove_runs([run.run_id for run in found.runs])
    if as_json:
        removed = [run._asdict() for run in found.runs]
        echo_json({"removed": not dry_run, "points": found.points, "runs": removed})
        return
    word = "would be removed" if dry_run else "removed"
    say(f"{_extent(found)} {word}")
    if dry_run:
        _name(found)


def _one_each(store: "Store", references: tuple[str, ...]) -> list[str]:
    """The id of each reference; a name must not stand for several runs."""
    from stepwell.store import AmbiguousRunError  # noqa: PLC0415

    chosen = []
    for reference in references:
        found = store.runs(reference)
        if len(found) > 1:
            raise AmbiguousRunError(
                reference, [f"{run.name} …{shared.short_id(run.run_id)}" for run in found]
            )
        chosen += [run.run_id for run in found]
    return chosen


def _ask(found: "RemovedRuns") -> None:
    _name(found, err=True)
    click.confirm(f"Remove {_extent(found)} for good?", abort=True, err=True)


def _extent(found: "RemovedRuns") -> str:
    runs = shared.counted(len(found), "run")
    return f"{runs} with {shared.counted(found.points, 'point')}"


def _name(found: "RemovedRuns", *, err: bool = False) -> None:
    for run in found.runs[:_MOST_NAMED]:
        say(
            f"  {run.name}  {shared.short_id(run.run_id)}  {run.status},"
            f" {shared.age(run.created_at)}",
            err=err,
        )
    if len(found) > _MOST_NAMED:
        say(f"  … and {len(found) - _MOST_NAMED:,} more", err=err)
