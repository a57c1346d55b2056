"""`stepwell best`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, new_console, say
from stepwell.cli.selection_options import selection_options

from .best_table import ranking

if TYPE_CHECKING:
    from stepwell.store import Leaderboard, Selection

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
    params: list[dict[str, Any]] = [
        {key: table.param(key, places[run_id]) for key in table.params}
        if run_id in places  # else it was removed since it was ranked
        else {}
        for run_id in board.run_id.tolist()
    ]
    if as_json:
        rows = [
            row | {"config": given} for row, given in zip(board.rows(), params, strict=True)
        ]
        head = {name: getattr(board, name) for name in ("metric", "goal", "at")}
        echo_json(head | {"runs_without": board.runs_without, "runs": rows})
        return
    if not len(board):
        without = f"; {board.runs_without} have no finite value" * bool(board.runs_without)
        say(f"no run to rank in {where}{without}")
        return
    console = new_console()
    shown, left_out = ranking(board, params, console.width)
    console.print(shown)
    say(_said(board, left_out))


def _said(board: "Leaderboard", left_out: int) -> str:
    side = "lowest" if board.goal == "min" else "highest"
    point = board.at if isinstance(board.at, str) else f"step {board.at:,}"
    rest = f"; {board.runs_without} without a finite value" if board.runs_without else ""
    keys = f"; no room for {shared.counted(left_out, 'key')}, --json has all"
    return f"{side} {point} value first{rest}{keys * bool(left_out)}"
