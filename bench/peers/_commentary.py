"""Sentences about the figures: who is best at what, and where a rival beats Stepwell."""

from _figures import MEASURES, Measure, counts, plain
from _results import Measurement, Outcome, outcome
from _tools import Tool

OURS = "stepwell"
_ALIKE = 1.1  # closer than that, two figures count as equal


def commentary(tools: list[Tool], found: list[Measurement]) -> str:
    """Every measure in which Stepwell has a figure, as three lists."""
    best, equal, lost = [], [], []
    for measure in MEASURES:
        ranked = _ranked(measure, tools, found)
        mine = [value for tool, value in ranked if tool.name == OURS]
        if not measure.better or not mine or len(ranked) < 2:  # noqa: PLR2004
            continue
        first, value = ranked[0]
        place = 1 + sum(_is_better(measure, other, mine[0]) for _, other in ranked)
        if place == 1:
            second, next_value = next(pair for pair in ranked if pair[0].name != OURS)
            line = f"{measure.phrase}: {_with(measure, mine[0])}"
            line += f" (next {second.title}, {_with(measure, next_value)})"
            best.append(line)
            continue
        line = f"{measure.phrase}: {first.title} {_with(measure, value)}, Stepwell"
        line += f" {_with(measure, mine[0])}, place {place} of {len(ranked)}"
        (equal if _ratio(value, mine[0]) < _ALIKE else lost).append(line)
    return (
        "\n\n".join(
            f"{head.format(n=len(lines))}\n\n" + "\n".join(f"- {line}" for line in lines)
            for head, lines in (
                ("**A rival is ahead in {n}:**", lost),
                ("**A rival is ahead by less than a tenth in {n}:**", equal),
                ("**Stepwell is ahead, or level, in {n}:**", best),
            )
            if lines
        )
        or "There is nothing to compare: one tool alone was measured."
    )


def _ranked(
    measure: Measure, tools: list[Tool], found: list[Measurement]
) -> list[tuple[Tool, float]]:
    pairs: list[tuple[Tool, float]] = []
    for tool in tools:
        one: Outcome = outcome(found, tool.name, measure.workload)
        cell = one.cell(measure.name)
        if one and cell is not None and counts(measure, one):
            pairs.append((tool, cell.middle))
    return sorted(pairs, key=lambda pair: pair[1], reverse=measure.better == "high")


def _is_better(measure: Measure, value: float, than: float) -> bool:
    return value < than if measure.better == "low" else value > than


def _ratio(one: float, other: float) -> float:
    low, high = sorted((abs(one), abs(other)))
    return high / low if low else float("inf") if high else 1.0


def _with(measure: Measure, value: float) -> str:
    return f"{plain(value)} {measure.unit}".rstrip()
