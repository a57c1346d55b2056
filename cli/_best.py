"""`stepwell best`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _shared as shared
from ._selection import selection_options

if TYPE_CHECKING:
    from rich.text import Text

    from stepwell.store import Leaderboard, Selection

_WIDEST = 24  # characters of a configuration value
_POINTS = ("best", "last")


def _point(ctx: click.Context, param: click.Parameter, value: str) -> str | int:
    if value in _POINTS:
        return value
    try:
        return int(value)
    except ValueError:
        message = f"{value!r} is neither best, last nor a step"
        raise click.BadParameter(message, ctx, param) from None


@click.command()
@click.argument("metric")
@click.option(
    "--goal",
    type=click.Choice(("min", "max")),
    help="Which is better.  [default: as the metric's name tells]",
)
@click.option(
    "--at",
    metavar="best|last|STEP",
    callback=_point,
    default="best",
    show_default=True,
    help="Where the runs are compared; at a step: the value there or before.",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Runs shown.",
)
@selection_options
@shared.json_option
@shared.store_option
@click.pass_context
def best(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    metric: str,
    goal: str | None,
    at: str | int,
    limit: int,
    as_json: bool,
    selection: "Selection",
) -> None:
    """Rank the runs by METRIC, the best first, with the configuration that varies.

    Example: stepwell best val_loss --where "lr < 0.01" -n 5
    """
    with shared.store_of(ctx, location) as store:
        board = store.leaderboard(metric, goal, at, runs=selection, limit=limit)
        where = store.location
        table = store.sweep_table(runs=selection)
    places = {run_id: place for place, run_id in enumerate(table.run_id.tolist())}
    params = [
        {key: column[places[run_id]] for key, column in table.params.items()}
        for run_id in board.run_id.tolist()
    ]
    if as_json:
        rows = [
            row | {"config": {key: _plain(value) for key, value in given.items()}}
            for row, given in zip(board.rows(), params, strict=True)
        ]
        head = {name: getattr(board, name) for name in ("metric", "goal", "at")}
        shared.echo_json(head | {"runs_without": board.runs_without, "runs": rows})
        return
    if not len(board):
        without = f"; {board.runs_without} have no finite value" * bool(board.runs_without)
        click.echo(f"no run to rank in {where}{without}")
        return
    _print(board, params)


def _print(board: "Leaderboard", params: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("run", no_wrap=True)
    table.add_column("id", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column(Text(board.metric), justify="right", no_wrap=True)
    table.add_column("step", justify="right", no_wrap=True)
    keys = list(params[0])
    for key in keys:
        table.add_column(Text(key), justify="right", no_wrap=True, overflow="ellipsis")
    for rank, (row, given) in enumerate(zip(board.rows(), params, strict=True), 1):
        first = "bold" if rank == 1 else ""
        table.add_row(
            str(rank),
            Text(row["run"], style="bold"),
            Text(shared.short_id(row["run_id"]), style="cyan"),
            Text(row["status"], style=shared.STATUS_STYLES.get(row["status"], "")),
            Text(shared.short_number(row["value"]), style=first),
            Text(f"{row['step']:,}", style="dim"),
            *(_cell(given[key]) for key in keys),
        )
    shared.console().print(table)
    side = "lowest" if board.goal == "min" else "highest"
    point = board.at if isinstance(board.at, str) else f"step {board.at:,}"
    rest = f"; {board.runs_without} without a finite value" if board.runs_without else ""
    click.echo(f"{side} {point} value first{rest}")


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if value != value else value  # noqa: PLR0124 (absent: NaN)


def _cell(value: Any) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    plain = _plain(value)
    if plain is None:
        return Text("–", style="dim")
    shown = plain if isinstance(plain, str) else shared.short_number(plain)
    return Text(shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 1]}…")
