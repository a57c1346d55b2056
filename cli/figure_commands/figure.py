"""`stepwell figure`: figures that are kept by name."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stepwell.cli import options as shared
from stepwell.cli.completion import KindOfFigure
from stepwell.cli.output import assemble, echo_json, new_console, rich_text, say
from stepwell.cli.selection_options import selection_options

if TYPE_CHECKING:
    from stepwell.store import FigureSpec, KeptFigure, Selection


@click.group()
@shared.store_option
@click.pass_context
def figure(ctx: click.Context, location: Path | None) -> None:
    """Keep figures by name: what they show, not what they looked like.

    `stepwell replot NAME` draws them from what the store holds then.

    Example: stepwell figure save newest run --project digits
    """
    ctx.obj = location or ctx.obj


@figure.command()
@click.argument("figure", metavar="NAME")
@click.argument("kind", type=KindOfFigure())
@click.option("-m", "--metric", "metrics", multiple=True, help="A metric that it shows.")
@selection_options
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="What else the plot is told; VALUE is JSON, or text.",
)
@click.option("--dark", is_flag=True, help="Light lines on a dark ground.")
@click.option("--size", metavar="WxH", help="Width and height in inches, such as 6x4.")
@click.option("--dpi", type=int, help="Pixels an inch, of a PNG.")
@click.option("--title", help="A title other than the usual.")
@click.option("--pin", is_flag=True, help="Keep to the runs of now; else follow new ones.")
@shared.json_option
@shared.store_option
@click.pass_context
def save(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    figure: str,
    kind: str,
    metrics: tuple[str, ...],
    selection: "Selection",
    options: tuple[str, ...],
    dark: bool,
    size: str | None,
    dpi: int | None,
    title: str | None,
    pin: bool,
    as_json: bool,
) -> None:
    """Keep a figure as NAME; replaces the one that had the name.

    KIND is `run`, for a run's own panels (those of the newest run that was chosen), or a
    plot of many runs, which needs a metric: curves, history, slice, contour, edf,
    parallel, importances, leaderboard, report.

    Example: stepwell figure save ranking leaderboard -m val_loss --project digits

    Example: stepwell figure save paper curves -m val_loss --size 3.5x2.5 --dpi 300
    """
    from stepwell.store import FigureSpec  # noqa: PLC0415 (a part of the store)
    from stepwell.viz import check_figure  # noqa: PLC0415

    told = _metrics(kind, metrics) | dict(map(_option, options))
    look: dict[str, Any] = {"theme": "dark" if dark else None, "size": _size(size)}
    look |= {"dpi": dpi, "title": title}
    style = {name: value for name, value in look.items() if value is not None}
    spec = FigureSpec(kind, selection, told, style)
    check_figure(spec)
    with shared.store_of(ctx, location) as store:
        kept = store.save_figure(figure, spec, pin=pin)
    if as_json:
        echo_json(_values(kept))
    else:
        say(f"{kept.name}  {_extent(kept.spec)}; `stepwell replot` draws it")


@figure.command("list")
@shared.json_option
@shared.store_option
@click.pass_context
def list_figures(ctx: click.Context, location: Path | None, as_json: bool) -> None:
    """List the kept figures.

    Example: stepwell figure list
    """
    with shared.store_of(ctx, location) as store:
        found = store.figures()
        where = store.location
    if as_json:
        echo_json([_values(kept) for kept in found])
        return
    if not found:
        say(f"no figures in {where}; `stepwell figure save` keeps one")
        return
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("figure", "kind", "runs", "told", "saved"):
        table.add_column(heading)
    for kept in found:
        table.add_row(
            rich_text(kept.name, style="bold"),
            rich_text(kept.spec.kind),
            rich_text(_runs(kept.spec)),
            rich_text(_told(kept.spec) or "–"),
            rich_text(shared.age(kept.saved_at)),
        )
    new_console().print(table)


@figure.command()
@click.argument("figure", metavar="NAME")
@shared.json_option
@shared.store_option
@click.pass_context
def show(ctx: click.Context, location: Path | None, figure: str, as_json: bool) -> None:
    """Show what a figure asks of the store, and which runs that means now.

    Example: stepwell figure show newest
    """
    with shared.store_of(ctx, location) as store:
        kept = store.figure(figure)
        found = store.figure_runs(kept.spec)
    runs = found.runs
    if as_json:
        ids = {
            "run_ids_now": [run.run_id for run in runs],
            "run_ids_gone": list(found.gone),
        }
        echo_json(_values(kept) | ids)
        return

    console = new_console()
    console.print(assemble((kept.name, "bold"), "  ", kept.spec.kind))
    named = ", ".join(run.name for run in runs[:8]) + (", …" if len(runs) > 8 else "")  # noqa: PLR2004
    facts = {
        "runs": _runs(kept.spec),
        "now": f"{shared.counted(len(runs), 'run')}{f': {named}' if named else ''}",
        "gone": shared.counted(len(found.gone), "run") if found.gone else "",
        "told": _told(kept.spec),
        "style": _pairs(kept.spec.style),
        "saved": f"{kept.saved_at.astimezone():%Y-%m-%d %H:%M:%S}",
    }
    for label, value in facts.items():
        if value:
            console.print(assemble((f"{label:<7}", "dim"), value), soft_wrap=True)


@figure.command("rm")
@click.argument("figures", metavar="NAME...", nargs=-1, required=True)
@shared.json_option
@shared.store_option
@click.pass_context
def remove(
    ctx: click.Context, location: Path | None, figures: tuple[str, ...], as_json: bool
) -> None:
    """Keep figures no longer; pictures of them stay as they are.

    Example: stepwell figure rm newest
    """
    with shared.store_of(ctx, location) as store:
        for name in figures:
            store.figure(name)  # all are there, or none goes
        for name in dict.fromkeys(figures):
            store.remove_figure(name)
    if as_json:
        echo_json({"removed": list(dict.fromkeys(figures))})
        return
    for name in dict.fromkeys(figures):
        say(f"{name} removed")


def _metrics(kind: str, metrics: tuple[str, ...]) -> dict[str, Any]:
    names = list(metrics)
    several = kind == "run" or len(names) > 1
    return ({"metrics": names} if several else {"metric": names[0]}) if names else {}


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise click.UsageError(f"--option needs KEY=VALUE, such as logy=true, not {text!r}")
    try:
        return key.strip(), json.loads(value, parse_constant=lambda word: word)
    except ValueError:
        return key.strip(), value


def _size(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        wide, high = (float(part) for part in text.lower().split("x"))
    except ValueError:
        wide = high = math.nan
    if not math.isfinite(wide * high):
        raise click.UsageError(f"--size needs WxH, such as 6x4, not {text!r}")
    return [wide, high]


def _values(kept: "KeptFigure") -> dict[str, Any]:
    return {"name": kept.name, "saved_at": kept.saved_at, **kept.spec.to_json()}


def _extent(spec: "FigureSpec") -> str:
    return " of ".join(filter(None, (spec.kind, _runs(spec))))


def _runs(spec: "FigureSpec") -> str:
    chosen = "; ".join(_conditions(spec)) or "all runs"
    if spec.pinned is None:
        return chosen
    return f"{chosen} (pinned to {shared.counted(len(spec.pinned), 'run')})"


def _conditions(spec: "FigureSpec") -> Iterator[str]:
    for key, value in spec.runs.to_json().items():
        text = ", ".join(value) if isinstance(value, list) else str(value)
        yield text if key in {"runs", "where"} else f"{key} {text}"


def _told(spec: "FigureSpec") -> str:
    return _pairs({key: v for key, v in spec.options.items() if key != "layout"})


def _pairs(values: "dict[str, Any] | Any") -> str:
    return "  ".join(
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in values.items()
    )
