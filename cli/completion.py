"""What a shell completes besides commands and options: runs, metrics, and the like."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from . import options as shared

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_KINDS = {
    "names": "run",  # or metrics, in `plot`
    "run": "run",
    "runs": "run",
    "run_a": "run",
    "run_b": "run",
    "metric": "metric",
    "metrics": "metric",
    "project": "project",
    "group": "group",
    "tag": "tag",
    "tags": "tag",
    "figure": "figure",
}
"""Which names each argument or option stands for, by the parameter's own name."""

_STATUSES = ("running", "finished", "failed", "interrupted", "crashed")
_SAFE = re.compile(r"[\w./@%+=-]+")  # what no shell takes apart
_LAST = "last"


class KnownName(click.types.StringParamType):
    """Text that is usually the name of something in the store.

    Args:
        kind: What it is; see `known_names`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Names that begin with *incomplete*; none when anything goes wrong."""
        try:
            return list(self._matches(ctx, incomplete))
        except Exception:  # noqa: BLE001 (a shell in the middle of a line wants no error)
            return []

    def _matches(self, ctx: click.Context, incomplete: str) -> "Iterator[CompletionItem]":
        from click.shell_completion import CompletionItem  # noqa: PLC0415

        from stepwell.store import known_names, visible  # noqa: PLC0415 (loads DuckDB)

        # `--runs` takes several, separated by commas: the last is completed, and the shell
        # replaces the whole word, so those before it are given back.
        *done, begun = incomplete.split(",") if self.kind == "run" else [incomplete]
        before = "".join(f"{reference}," for reference in done)
        names = known_names(self.kind, _location(ctx))
        candidates = _runs(names, begun) if self.kind == "run" else _plain(names)
        seen = set()
        for text, told in candidates:
            if text.startswith(begun) and text not in seen:
                seen.add(text)
                yield CompletionItem(before + text, help=visible(told) if told else None)


class Status(click.types.StringParamType):
    """Text that is how a run stands."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """The statuses that begin with *incomplete*."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415

        return [CompletionItem(each) for each in _STATUSES if each.startswith(incomplete)]


class KindOfFigure(click.types.StringParamType):
    """Text that is the kind of a figure."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """The kinds that begin with *incomplete*."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415

        kinds = ("run", *shared.PLOTS)
        return [CompletionItem(each) for each in kinds if each.startswith(incomplete)]


def complete_names(command: click.Command) -> None:
    """Let a shell complete what the parameters of a command, or of a group's, stand for."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            complete_names(inner)
    for parameter in command.params:
        # Exactly this type: one that is derived from it completes by its own rules, or was
        # put here before.
        if type(parameter.type) is not click.types.StringParamType:
            continue
        if parameter.name == "status":
            parameter.type = Status()
        elif parameter.name in _KINDS:
            parameter.type = KnownName(_KINDS[parameter.name])


def _location(ctx: click.Context) -> Any:
    given = ctx.params.get("location")
    # While a shell completes no command runs, so `ctx.obj` was never set.
    return given or ctx.find_root().params.get("location")


def _runs(
    names: Iterable[tuple[str, str, str]], begun: str
) -> Iterator[tuple[str, str | None]]:
    yield _LAST, "the newest run"
    for name, run_id, status in names:
        short = shared.short_id(run_id)
        if _SAFE.fullmatch(name):
            yield name, f"{short} {status}"
        if short.startswith(begun) and (begun or not _SAFE.fullmatch(name)):
            # Its id will do for a name that the shell would take apart.
            yield short, f"{name} {status}"


def _plain(names: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str | None]]:
    for name, _, told in names:
        if _SAFE.fullmatch(name):
            yield name, told or None
