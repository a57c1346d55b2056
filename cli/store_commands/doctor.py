"""`stepwell doctor`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli.output import assemble, echo_json, new_console

if TYPE_CHECKING:
    from stepwell.store import Finding

_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red")}


@click.command()
@shared.json_option
@shared.store_option
@click.pass_context
def doctor(ctx: click.Context, location: Path | None, as_json: bool) -> None:
    """Examine a store: database, journals, locks, disk, clock. It only reads.

    A line for each thing, with what to do. Exit code 0 when all is well, 1 with findings,
    2 when there is no store.

    Example: stepwell doctor --json
    """
    from stepwell.store import examine  # noqa: PLC0415 (loads DuckDB)

    findings = examine(location or ctx.obj)
    if as_json:
        echo_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    if not all(finding.is_ok for finding in findings):
        ctx.exit(1)


def _print(findings: "tuple[Finding, ...]") -> None:

    console = new_console()
    for finding in findings:
        sign, style = _SIGNS[finding.verdict]
        parts = [(sign, style), (f" {finding.check:<12}", "dim"), (finding.message, "")]
        if finding.advice:
            parts.append((f"; {finding.advice}", style))
        console.print(assemble(*parts), soft_wrap=True)
