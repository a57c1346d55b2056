"""`stepwell plot`: a run's own figure, or metrics of many runs over each other."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stepwell.cli import options as shared
from stepwell.cli.output import echo_json, say
from stepwell.cli.selection_options import require_runs, selection_options

if TYPE_CHECKING:
    from stepwell.store import RunInfo, Selection, Store


@click.command()
@click.argument("names", nargs=-1, metavar="RUN | METRIC...")
@click.option("-m", "--metric", "metrics", multiple=True, help="Plot only this metric.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="PNG, PDF or SVG to write.  [default: RUN's or METRIC's name.png]",
)
@click.option("--group-by", metavar="KEY[,KEY]...", help="A line and a band a group.")
@click.option(
    "--band",
    type=click.Choice(("auto", "quartile", "minmax", "std", "ci")),
    help="What the bands of groups show.  [default: auto]",
)
@click.option("--x", metavar="AXIS", help="step, time, elapsed, or a metric.")
@click.option("--smooth", metavar="HOW", help="ema:0.9, or window:50 for 50 points.")
@click.option("--logx", is_flag=True, help="A logarithmic x axis.")
@click.option("--logy", is_flag=True, help="A logarithmic axis of values.")
@click.option("--dark", is_flag=True, help="Light lines on a dark ground.")
@selection_options
@shared.json_option
@shared.store_option
@click.pass_context
def plot(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    output: Path | None,
    group_by: str | None,
    band: str | None,
    x: str | None,
    smooth: str | None,
    logx: bool,
    logy: bool,
    dark: bool,
    selection: "Selection",
    as_json: bool,
) -> None:
    """Draw a run, as its own visualizer would, or METRICs of many runs.

    Many runs are meant where they are chosen (--runs, --project, --where ...), where one of
    the options of curves is given, or where no run has the name. Each METRIC then has
    a picture of its own. With --metric, several names are those of runs.

    Example: stepwell plot last -m train_loss -m val_loss -o loss.png

    Example: stepwell plot first second -m val_loss

    Example: stepwell plot val_loss --project digits --group-by lr --logy -o val_loss.svg
    """
    from stepwell.store import Selection  # noqa: PLC0415 (a part of the store)

    told = _told(group_by, x=x, smooth=smooth, band=band, logx=logx, logy=logy)
    theme = "dark" if dark else "light"
    is_chosen = selection != Selection()
    if metrics and len(names) > 1:  # runs, and what to draw of them
        selection = selection._replace(runs=(*names, *selection.runs))
        names, metrics, is_chosen = metrics, (), True
    elif metrics and not names and is_chosen:
        names, metrics = metrics, ()
    if not names:
        raise click.UsageError("say which: a run, or metrics of many runs")
    first, *others = names
    are_many = bool(told or is_chosen or others)
    with shared.store_of(ctx, location) as store:
        info = None if are_many else _run(store, first, is_surely=bool(metrics))
        if info is None:
            if metrics:
                raise click.UsageError("--metric is for a single run; name the METRICs")
            drawn = _many(store, names, selection, told, (output, theme), are_many)
        else:
            drawn = _one(store, info, metrics, (output, theme))
    if as_json:
        echo_json(drawn[0] if len(drawn) == 1 else drawn)
    else:
        for one in drawn:
            say(one["picture"])


def _told(group_by: str | None, **others: Any) -> dict[str, Any]:
    """The options that are given, as those of a figure."""
    told = {**others, "group_by": shared.keys_in(group_by)}
    return {name: value for name, value in told.items() if value}


def _run(store: "Store", name: str, *, is_surely: bool) -> "RunInfo | None":
    """The run, or None where it must be a metric."""
    from stepwell.store import RunNotFoundError  # noqa: PLC0415

    try:
        return shared.run_of(store, name)
    except RunNotFoundError:
        if is_surely or not store.runs(limit=1):
            raise
        return None


def _one(
    store: "Store", info: "RunInfo", metrics: tuple[str, ...], look: tuple[Path | None, str]
) -> list[dict[str, str]]:
    from stepwell.viz import picture_name, save_run_figure  # noqa: PLC0415 (matplotlib)

    path = save_run_figure(
        store,
        info.run_id,
        look[0] or picture_name(info.name),
        metrics=list(metrics) or None,
        theme=look[1],
    )
    return [{"run_id": info.run_id, "name": info.name, "picture": str(path)}]


def _many(  # noqa: PLR0913, PLR0917
    store: "Store",
    metrics: tuple[str, ...],
    selection: "Selection",
    told: dict[str, Any],
    look: tuple[Path | None, str],
    is_surely: bool,
) -> list[dict[str, str]]:
    """A picture a metric; *is_surely* says that no run can have been meant."""
    from stepwell.store import (  # noqa: PLC0415 (parts of the store)
        FigureSpec,
        LookupFailedError,
        MetricNotFoundError,
    )
    from stepwell.viz import picture_name, redraw  # noqa: PLC0415 (loads matplotlib)

    require_runs(store.runs(selection, limit=1))
    output, theme = look
    style = {"theme": theme} if theme != "light" else {}
    drawn = []
    for metric in metrics:
        spec = FigureSpec("curves", selection, {"metric": metric} | told, style)
        if output is None:
            target = Path(picture_name(metric))
        elif len(metrics) == 1:
            target = output
        else:
            suffix, before = output.suffix or ".png", f"{output.stem}-"
            target = output.with_name(picture_name(metric, suffix, before))
        try:
            path = redraw(store, spec, target)
        except MetricNotFoundError as error:
            if len(metrics) > 1 and _are_runs(store, metrics):
                raise LookupFailedError(
                    "these are runs; to draw several say what of them:"
                    f" stepwell plot {shlex.join(metrics)} -m METRIC"
                ) from error
            if is_surely:
                raise
            raise LookupFailedError(f"no run {metric!r}, and {error}") from error
        drawn.append({"metric": metric, "picture": str(path)})
    return drawn


def _are_runs(store: "Store", names: tuple[str, ...]) -> bool:
    from stepwell.store import LookupFailedError  # noqa: PLC0415 (a part of the store)

    try:
        return all(store.run(name) for name in names)
    except LookupFailedError:
        return False
