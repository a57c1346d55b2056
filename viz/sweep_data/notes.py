"""What the plots that compare runs share: colours and counts."""

from collections.abc import Iterable, Sequence

from stepwell.viz.base.theme import Theme

MOST_COLORED = 7


def run_colors(
    run_ids: Iterable[str], theme: Theme, best: Iterable[str] = ()
) -> dict[str, str]:
    """A colour for each run, the same in every plot of the same runs.

    Up to seven runs have one each, by the order of their ids. Of more runs only *best*
    have colours, in that order, and the others are grey.
    """
    ordered = sorted(set(run_ids))
    if len(ordered) <= MOST_COLORED:
        return dict(zip(ordered, theme.palette, strict=False))
    known = set(ordered)
    first = [run for run in dict.fromkeys(best) if run in known][:MOST_COLORED]
    colors = dict.fromkeys(ordered, theme.neutral)
    return colors | dict(zip(first, theme.palette, strict=False))


def group_colors(names: Sequence[str], theme: Theme) -> dict[str, str]:
    """A colour for each group by its place; grey for those beyond the palette."""
    return dict.fromkeys(names, theme.neutral) | dict(
        zip(dict.fromkeys(names), theme.palette, strict=False)
    )


def counted(number: int, noun: str) -> str:
    """The number with its noun: "1 run", "1,200 runs"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def going_note(status: Sequence[str]) -> str:
    """How many of the runs go on still; empty where none does."""
    going = sum(one == "running" for one in status)
    return f"{going:,} still running" if going else ""


def without_note(number: int) -> str:
    """How many runs have nothing to draw; empty where all have."""
    return f"{number:,} without a value" if number else ""


def noted(*parts: str) -> str:
    """The parts of a note that say something."""
    return " · ".join(part for part in parts if part)
