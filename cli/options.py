"""Options and outputs that the commands share."""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .output import say

if TYPE_CHECKING:
    from stepwell.store import RunInfo, Store

_Command = TypeVar("_Command", bound=Callable[..., Any])

PLOTS = (
    "curves",
    "slice",
    "contour",
    "history",
    "edf",
    "parallel",
    "importances",
    "leaderboard",
    "report",
)
"""The plots of many runs; named here, too, so that help and completion load no plot."""

STATUS_STYLES = {
    "running": "green",
    "finished": "default",
    "failed": "red",
    "crashed": "red",
    "interrupted": "yellow",
}


def json_option(command: _Command) -> _Command:
    """Add `--json`."""
    add = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return add(command)


def store_option(command: _Command) -> _Command:
    """Add `--store`, which may stand behind the command's name as well as before it."""
    add = click.option(
        "--store",
        "location",
        type=click.Path(readable=False, path_type=Path),
        help="The store's database file.",
    )
    return add(command)


def store_of(ctx: click.Context, location: Path | None) -> "Store":
    """The store that a command is to read.

    Raises:
        StoreLocationError: If there is none.
    """
    from stepwell.store import load_duckdb  # noqa: PLC0415 (takes time)

    # Before anything of the store imports DuckDB in the usual, slower way.
    load_duckdb()
    from stepwell.store import open_store  # noqa: PLC0415 (loads DuckDB)

    store = open_store(location or ctx.obj, create=False)
    # At the end, since each read until then may change what the answer is as of.
    ctx.call_on_close(lambda: _say_as_of(store))
    return store


def _say_as_of(store: "Store") -> None:
    """Say where errors go that an answer lacks the newest, where it does."""
    if store.as_of is not None:
        until = store.as_of.astimezone()
        say(
            f"as of {until:%H:%M:%S}: what was recorded since is not in the database yet",
            err=True,
        )


def run_of(store: "Store", reference: str) -> "RunInfo":
    """The run that is meant; a line where errors go says which, where its name has others.

    Raises:
        RunNotFoundError: No run fits.
        AmbiguousRunError: A part of an id fits several.
    """
    info = store.run(reference)
    others = len(store.runs(reference)) - 1 if info.name == reference else 0
    if others > 0:
        runs = "1 other run has" if others == 1 else f"{others:,} other runs have"
        say(
            f"{reference}: the newest is meant, {short_id(info.run_id)};"
            f" {runs} this name, say the id for one of them",
            err=True,
        )
    return info


@contextmanager
def warnings_as_lines(category: type[Warning]) -> Iterator[None]:
    """Say the warnings of *category* as one line each, where errors go."""
    with warnings.catch_warnings():
        # `catch_warnings` puts this back at the end of the block.
        others = warnings.showwarning

        def show(message: Warning | str, kind: type[Warning], *where: Any) -> None:
            if issubclass(kind, category):
                say(f"Warning: {message}", err=True)
            else:
                others(message, kind, *where)

        warnings.simplefilter("always", category)
        shown: Any = show  # takes all that the other takes
        warnings.showwarning = shown
        yield


def short_number(value: float | None) -> str:
    """A metric's value in at most five significant digits."""
    if value is None:
        return "–"
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    return f"{value:.5g}"


def short_duration(seconds: float) -> str:
    """Seconds as a person says them: `3.2s`, `4m 05s`, `2h 10m`, `3d 4h`."""
    minute, hour, day = 60, 3600, 86400
    if seconds < minute:
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    if whole < hour:
        return f"{whole // minute}m {whole % minute:02d}s"
    if whole < day:
        return f"{whole // hour}h {whole % hour // minute:02d}m"
    return f"{whole // day}d {whole % day // hour}h"


def size(count: float) -> str:
    """Bytes as a person says them: `512 B`, `3.2 MB`."""
    thousand = 1000
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < thousand:
            return f"{count:.3g} {unit}"
        count /= thousand
    return f"{count:.3g} TB"


def keys_in(text: str | None) -> list[str]:
    """The keys of an option that takes several, with commas between."""
    return [key.strip() for key in (text or "").split(",") if key.strip()]


def counted(number: int, thing: str) -> str:
    """A count as a person says it: `1 run`, `2,000 runs`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def age(moment: datetime) -> str:
    """How long ago *moment* was."""
    return f"{short_duration((datetime.now(UTC) - moment).total_seconds())} ago"


def short_id(run_id: str) -> str:
    """The end of an id, which is its random part."""
    return run_id[-8:]
