"""The page of tables: a table a workload, a row a tool."""

import os
import platform
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

from _commentary import commentary
from _environments import Environment
from _figures import MEASURES, Measure, is_best, plain
from _markdown import odd_table, quoted, table
from _results import Measurement, Outcome, outcome
from _tools import Tool
from _workloads import Sizes

TEMPLATE = Path(__file__).parent / "page.md"


@dataclass(frozen=True, slots=True)
class Page:
    """What the page is made of.

    Attributes:
        tools: The tools, in the order of the rows.
        environments: An environment a tool.
        found: The measurements.
        sizes: How much was measured.
    """

    tools: list[Tool]
    environments: dict[str, Environment]
    found: list[Measurement]
    sizes: Sizes

    def outcomes(self, workload: str) -> list[tuple[Tool, Outcome]]:
        """The tools that were asked, and what came out."""
        pairs = [(t, outcome(self.found, t.name, workload)) for t in self.tools]
        return [(tool, one) for tool, one in pairs if one]


def write(file: Path, page: Page) -> None:
    """Fill the template with the figures, and write it to *file*."""
    tables = {
        "start": _measured(page, "start"),
        "call": _measured(page, "call", "loop"),
        "million_table": _measured(page, "million"),
        "sweep": _measured(page, "sweep"),
        "writers_table": _measured(page, "writers"),
        "kill": _measured(page, "kill"),
        "odd": odd_table(page.outcomes("odd")),
        "frame": _measured(page, "frame"),
    }
    tables = {
        name: (text or "Not measured.") + _own_words(page, name.removesuffix("_table"))
        for name, text in tables.items()
    }
    amounts = {
        name: f"{amount:,}" if isinstance(amount, int) else f"{amount}"
        for name, amount in asdict(page.sizes).items()
    }
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        amounts
        | tables
        | _circumstances(page)
        | {"commentary": commentary(page.tools, page.found), "versions": _versions(page)}
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(re.sub(r"\n{3,}", "\n\n", text), encoding="utf-8")


def _circumstances(page: Page) -> dict[str, str]:
    days = sorted({one.day for one in page.found}) or ["never"]
    kilobytes = int(Path("/proc/meminfo").read_text(encoding="ascii").split()[1])
    spent = sum(one.seconds for one in page.found)
    return {
        "days": days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
        "rounds": _rounds(page),
        "minutes": f"{spent / 60:.0f}",
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores,"
        f" {kilobytes / 1024**2:.0f} GB of memory, Python {platform.python_version()}",
    }


def _rounds(page: Page) -> str:
    """How often each thing was measured; some of them more often than others, perhaps."""
    counts = Counter((one.tool, one.workload) for one in page.found).values()
    least, most = min(counts, default=0), max(counts, default=0)
    if least != most:
        return f"{least} to {most} rounds"
    return f"{most} round{'s' if most != 1 else ''}"


def _versions(page: Page) -> str:
    rows = [
        (
            tool.title,
            [
                page.environments[tool.name].version or page.environments[tool.name].words,
                tool.setting,
            ],
        )
        for tool in page.tools
    ]
    return table(["tool", "version", "how it is used here"], rows)


def _measured(page: Page, *names: str) -> str:
    """A table of the measures of these workloads, a column a measure."""
    asked = {name: page.outcomes(name) for name in names}
    measures = [m for m in MEASURES if m.workload in names and _is_known(m, asked)]
    rows: dict[str, list[str]] = {}
    for tool in page.tools:
        mine = {name: outcome(page.found, tool.name, name) for name in names}
        if any(mine.values()):
            cells = [_cell(m, mine[m.workload], asked[m.workload]) for m in measures]
            rows[tool.title] = cells
    heads = [f"{m.title}{f', {m.unit}' if m.unit else ''}" for m in measures]
    return table(["tool", *heads], rows.items()) if rows else ""


def _is_known(measure: Measure, asked: dict[str, list[tuple[Tool, Outcome]]]) -> bool:
    return any(one.latest(measure.name) is not None for _, one in asked[measure.workload])


def _cell(measure: Measure, one: Outcome, pairs: list[tuple[Tool, Outcome]]) -> str:
    cell = one.cell(measure.name)
    if cell is None:
        return "failed" if one.words() or one.words(measure.part) else "–"
    if measure.is_text:
        return str(one.latest(measure.name))
    text = plain(cell.middle)
    if len(cell.values) > 1 and min(cell.values) != max(cell.values):
        text += f" ({plain(min(cell.values))}–{plain(max(cell.values))})"
    if is_best(measure, one, [other for _, other in pairs]):
        text = f"**{text}**"
    text += "†" * (measure.is_of_all and not one.least("is_whole"))
    text += "\\*" * (measure.part in (one.latest("derived") or ()))
    return text + (measure.note(one) if measure.note else "")


def _own_words(page: Page, workload: str) -> str:
    lines = [
        f"- {tool.title}{f' ({about})' if about else ''}: {quoted(words)}"
        for tool, one in page.outcomes(workload)
        for words, about in _said(one, page.sizes).items()
    ]
    return "\n".join(["", "", "In their own words:", "", *lines]) if lines else ""


def _said(one: Outcome, sizes: Sizes) -> dict[str, str]:
    """What a tool said, and about what."""
    parts = {part: part for part in ("read", "summary", "leaderboard", "every", "settle")}
    parts |= {f"frame_{length}": f"{length:,} points" for length in sizes.lengths}
    pairs = [(one.words(), ""), *((one.words(part), text) for part, text in parts.items())]
    pairs += [(words, "a writer") for words in one.latest("words") or ()]
    pairs += [(words, value) for value, words in (one.latest("refused") or {}).items()]
    said: dict[str, str] = {}
    for words, about in pairs:
        if words:
            said.setdefault(words, about)
    return said
