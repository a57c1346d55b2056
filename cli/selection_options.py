"""Options that choose runs, the same for each command that is about several."""

import functools
from collections.abc import Callable, Sized
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--runs",
        multiple=True,
        metavar="RUN[,RUN]...",
        help="Only these: ids, parts of one, names, or `last`.",
    ),
    click.option("-p", "--project", help="Only runs of this project."),
    click.option("-g", "--group", help="Only runs of this group."),
    click.option("-t", "--tag", "tags", multiple=True, help="Only runs with this tag."),
    click.option("--status", multiple=True, help="Only runs that are finished, failed …"),
    click.option("--name", "pattern", help="Only runs of such a name; * and ? fit any."),
    click.option(
        "-w",
        "--where",
        multiple=True,
        metavar="CONDITION",
        help='Only runs configured so: "lr < 0.01", "optimizer = adam".',
    ),
)


def selection_options(command: _Command) -> _Command:
    """Add the options that choose runs; the command gets them as `selection`."""

    @functools.wraps(command)
    def wrapped(  # noqa: PLR0913 (an option an argument)
        *arguments: Any,
        runs: tuple[str, ...],
        project: str | None,
        group: str | None,
        tags: tuple[str, ...],
        status: tuple[str, ...],
        pattern: str | None,
        where: tuple[str, ...],
        **others: Any,
    ) -> Any:
        from stepwell.store import Selection  # noqa: PLC0415 (a part of the store)

        selection = Selection(
            runs=tuple(one for text in runs for one in _references(text)),
            project=project,
            group=group,
            tags=tags,
            status=status,
            name=pattern,
            where=where,
        )
        return command(*arguments, selection=selection, **others)

    added: Any = wrapped
    # Decorators apply from below, and the help lists them from above.
    for option in reversed(_OPTIONS):
        added = option(added)
    return added  # type: ignore[no-any-return]


def _references(text: str) -> list[str]:
    found = [one.strip() for one in text.split(",") if one.strip()]
    if not found:  # such as an unset variable, which must not stand for all runs
        raise click.UsageError(
            f"say which runs: RUN, or an option such as --project, not --runs {text!r}",
            click.get_current_context(),
        )
    return found


def require_runs(found: Sized) -> None:
    """Refuse to go on where the options fit no run.

    Raises:
        LookupFailedError: If *found* is empty.
    """
    from stepwell.store import LookupFailedError  # noqa: PLC0415 (a part of the store)

    if not len(found):
        raise LookupFailedError("no run fits what was chosen; `stepwell ls` lists the runs")
