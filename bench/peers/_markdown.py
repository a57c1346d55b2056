"""Tables and quotations."""

import math
import re
from collections.abc import Iterable

from _results import Outcome
from _tools import Tool
from _writing import ODD

Row = tuple[str, list[str]]


def quoted(words: str) -> str:
    """Words as code: without what depends on the machine, and safe in a table."""
    words = re.sub(r"(/[\w.\-]+){2,}", "…", words)
    return "`" + words.replace("`", "'").replace("|", "¦") + "`"


def table(heads: list[str], rows: Iterable[Row]) -> str:
    """A table: its heads, and rows of a name and cells."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    lines += ["| " + " | ".join([name, *cells]) + " |" for name, cells in rows]
    return "\n".join(lines)


def odd_table(outcomes: list[tuple[Tool, Outcome]]) -> str:
    """What became of odd values."""
    names = (*ODD, "back")
    rows = []
    for tool, one in outcomes:
        found, refused = one.latest("found"), one.latest("refused") or {}
        cells = ["failed"] * len(names)
        if found is not None:
            cells = [_odd_cell(name, found.get(name), refused.get(name)) for name in names]
        rows.append((tool.title, cells))
    heads = ["NaN", "+Inf", "-Inf", "1.7e308", "5e-324", "2⁵³", "2⁷⁰", "True", "None"]
    return table(["tool", *heads, "steps 110, 105, 120"], rows) if rows else ""


def _odd_cell(name: str, found: object, refused: str | None) -> str:
    if refused:
        return "refused"
    if isinstance(found, str) or not found:  # its reader has nothing of that name
        return "absent" if name == "none" else "**dropped**"
    values = list(found) if isinstance(found, list) else [found]
    if name == "back":
        steps = ", ".join(f"{step:g}" for step in values)
        return "kept" if values == [105, 110, 120] else f"→ {steps}"
    text = str(values[0]).strip("'\"")
    return "kept" if _same(name, text) else f"→ {text[:24]}"


def _same(name: str, text: str) -> bool:
    wanted = ODD[name]
    if wanted is None:
        return text in {"None", "nan"}
    try:
        value = float({"True": "1", "False": "0"}.get(text, text))
    except ValueError:
        return False
    return value == wanted or (math.isnan(value) and math.isnan(wanted))
