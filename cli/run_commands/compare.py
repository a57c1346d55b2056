"""`stepwell compare` and `stepwell diff`."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.output import assemble, echo_json, new_console, rich_text, say
from stepwell.cli.table import MANY, print_many, shortened

if TYPE_CHECKING:
    from rich.table import Table

    from stepwell.store import Comparison, ConfigRow, MetricRow


@click.command()
@click.argument("run_a", metavar="A")
@click.argument("run_b", metavar="B")
@click.option(
    "--at",
    type=click.Choice(("last", "best")),
    default="last",
    show_default=True,
    help="Which value of each metric.",
)
@click.option("-a", "--all", "everything", is_flag=True, help="Show equal keys, too.")
@shared.json_option
@shared.store_option
@click.pass_context
def compare(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    run_a: str,
    run_b: str,
    at: str,
    everything: bool,
    as_json: bool,
) -> None:
    """Set two runs side by side: where their configurations differ, and their metrics.

    Example: stepwell compare baseline last --at best
    """
    with shared.store_of(ctx, location) as store:
        runs = [shared.run_of(store, run) for run in (run_a, run_b)]
        found = store.compare(runs[0], runs[1], at=at)
    if as_json:
        echo_json(
            _runs(found)
            | {"config": [asdict(row) for row in found.config]}
            | {"metrics": [asdict(row) for row in found.metrics]}
        )
        return
    rows = found.config if everything else found.differences
    if rows:
        _print_config(found, rows)
    else:
        say(_same(found))
    if found.metrics:
        say()
        _print_metrics(found)
    else:
        say("no metrics yet")


@click.command()
@click.argument("run_a", metavar="A")
@click.argument("run_b", metavar="B")
@shared.json_option
@shared.store_option
@click.pass_context
def diff(
    ctx: click.Context, location: Path | None, run_a: str, run_b: str, as_json: bool
) -> None:
    """Show where the configurations of two runs differ.

    Example: stepwell diff baseline last
    """
    with shared.store_of(ctx, location) as store:
        runs = [shared.run_of(store, run) for run in (run_a, run_b)]
        found = store.compare(runs[0], runs[1])
    if as_json:
        rows = [{"key": row.key, "a": row.a, "b": row.b} for row in found.differences]
        echo_json(_runs(found) | {"config": rows})
    elif found.differences:
        _print_config(found, found.differences)
    else:
        say(_same(found))


def _runs(found: "Comparison") -> dict[str, object]:
    runs = {"a": found.run_a, "b": found.run_b}
    return {side: {"run_id": run.run_id, "name": run.name} for side, run in runs.items()}


def _same(found: "Comparison") -> str:
    what = "the same configuration" if found.config else "no configuration"
    return f"{found.run_a.name} and {found.run_b.name} have {what}"


def _table(found: "Comparison", heading: str) -> "Table":
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(heading, no_wrap=True)
    for run in (found.run_a, found.run_b):
        title = assemble((shortened(run.name), "bold"), " ", shared.short_id(run.run_id))
        table.add_column(title, justify="right", overflow="fold")
    return table


def _print_config(found: "Comparison", rows: Sequence["ConfigRow"]) -> None:
    if len(rows) > MANY:
        print_many(("config", *_titles(found)), lambda: map(_config_cells, rows))
    else:
        new_console().print(_config_table(found, rows))


def _print_metrics(found: "Comparison") -> None:
    if len(found.metrics) > MANY:
        headings = ("metric", *_titles(found), "difference", "", "at")
        print_many(headings, lambda: map(_metric_cells, found.metrics))
    else:
        new_console().print(_metrics_table(found))


def _titles(found: "Comparison") -> list[str]:
    runs = (found.run_a, found.run_b)
    return [f"{shortened(run.name)} {shared.short_id(run.run_id)}" for run in runs]


def _config_table(found: "Comparison", rows: Sequence["ConfigRow"]) -> "Table":

    table = _table(found, "config")
    for row in rows:
        style = "" if row.differs else "dim"
        styles = (style or "bold", style, style)
        table.add_row(*map(rich_text, _config_cells(row), styles))
    return table


def _config_cells(row: "ConfigRow") -> tuple[str, ...]:
    return (row.key, *("–" if text is None else text for text in (row.a, row.b)))


def _metrics_table(found: "Comparison") -> "Table":

    table = _table(found, "metric")
    table.add_column("difference", justify="right", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("at", style="dim", no_wrap=True)
    for row in found.metrics:
        styles = ("bold", *("green" if row.better == side else "" for side in "ab"))
        table.add_row(*map(rich_text, _metric_cells(row), (*styles, "", "dim", "dim")))
    return table


def _metric_cells(row: "MetricRow") -> tuple[str, ...]:
    return (
        row.metric,
        _value(row, "a"),
        _value(row, "b"),
        _signed(row.difference),
        "" if math.isnan(row.relative) else f"{row.relative:+.1%}",
        row.at,
    )


def _value(row: "MetricRow", side: str) -> str:
    if row.lacking == side:
        return "–"
    value = row.a if side == "a" else row.b
    return shared.short_number(value) + (" *" if row.better == side else "")


def _signed(value: float) -> str:
    if math.isnan(value):
        return "–"
    return ("+" if value > 0 else "") + shared.short_number(value)
