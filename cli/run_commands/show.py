"""`stepwell show`."""

from collections.abc import Iterator
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.output import assemble, echo_json, new_console, rich_text
from stepwell.cli.table import MANY, print_many

if TYPE_CHECKING:
    from rich.table import Table

    from stepwell.store import MetricSummary, RunInfo

_MOST_NAMES = 20
_HEADINGS = ("current", "min", "at", "max", "at", "mean", "count", "NaN/Inf")


@click.command()
@click.argument("run")
@shared.json_option
@shared.store_option
@click.pass_context
def show(ctx: click.Context, location: Path | None, run: str, as_json: bool) -> None:
    """Show one run: how it stands, its configuration, and what each metric came to.

    Example: stepwell show last
    """
    with shared.store_of(ctx, location) as store:
        info = shared.run_of(store, run)
        summary = store.summary(info)
        last = store.last_attempts(info) if info.attempt > 1 else {}
    if as_json:
        metrics = {
            metric: values._asdict() | {"attempt": last.get(metric, 1)}
            for metric, values in summary.items()
        }
        echo_json(info._asdict() | {"summary": metrics})
        return

    console = new_console()
    style = shared.STATUS_STYLES.get(info.status, "")
    console.print(assemble((info.name, "bold"), "  ", (info.status, style)))
    for label, value in _facts(info):
        console.print(assemble((f"{label:<10}", "dim"), value), soft_wrap=True)
    if summary:
        console.print()
        if len(summary) > MANY:
            print_many(("metric", *_HEADINGS), lambda: starmap(_cells, summary.items()))
        else:
            console.print(_table(summary))
        for line in _earlier(last, info.attempt):
            console.print(assemble((line, "dim")), soft_wrap=True)
    else:
        console.print("no metrics yet")


def _facts(info: "RunInfo") -> Iterator[tuple[str, str]]:
    started = info.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    took = shared.short_duration(info.duration_seconds)
    commit = (info.git_commit or "")[:12] + (" (with changes)" if info.git_dirty else "")
    lost = f"{info.lost_calls:,} calls (the disk refused them)" if info.lost_calls else ""
    config = "  ".join(f"{key}={value}" for key, value in info.config.items())
    facts = {
        "id": info.run_id,
        "project": info.project,
        "group": info.group_name,
        "tags": ", ".join(info.tags),
        "notes": info.notes,
        "started": f"{started}, took {took}"
        + (f", attempt {info.attempt}" if info.attempt > 1 else ""),
        "status" if info.status == "running" else "ended by": info.exit_message,
        "lost": lost,
        "config": config,
        "command": info.command,
        "folder": info.working_dir,
        "git": commit,
        "host": _process(info),
    }
    return ((label, str(value)) for label, value in facts.items() if value)


def _earlier(last: dict[str, int], latest: int) -> Iterator[str]:
    """Lines that name the metrics that the last attempt has not recorded on."""
    for attempt in sorted(set(last.values()) - {latest}):
        names = [metric for metric, number in last.items() if number == attempt]
        more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
        yield f"last points of attempt {attempt}: {', '.join(names[:_MOST_NAMES])}{more}"


def _process(info: "RunInfo") -> str:
    known = {
        "": info.host,
        "process ": info.pid,
        "user ": info.user_name,
        "Python ": info.python_version,
    }
    return ", ".join(f"{what}{value}" for what, value in known.items() if value)


def _table(summary: "dict[str, MetricSummary]") -> "Table":
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("metric")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for metric, values in summary.items():
        cells = _cells(metric, values)
        bad = "red" if values.non_finite else "dim"
        styles = ("bold", "", "", "dim", "", "dim", "", "", bad)
        table.add_row(*map(rich_text, cells, styles))
    return table


def _cells(metric: str, values: "MetricSummary") -> tuple[str, ...]:
    return (
        metric,
        shared.short_number(values.current),
        shared.short_number(values.min),
        "–" if values.min_step is None else f"{values.min_step:,}",
        shared.short_number(values.max),
        "–" if values.max_step is None else f"{values.max_step:,}",
        shared.short_number(values.mean),
        f"{values.count:,}",
        f"{values.non_finite:,}",
    )
