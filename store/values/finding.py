"""What an examination of a store finds."""

from dataclasses import dataclass

OK, WARNING, FAULT = "ok", "warning", "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and how it stands.

    Attributes:
        check: What was looked at, such as `journals`.
        verdict: `ok`; `warning`: nothing is lost, but look at it; `fault`: data is, or may
            be, out of reach.
        message: What was found, in one line.
        advice: What to do about it; empty where there is nothing to do.
    """

    check: str
    verdict: str
    message: str
    advice: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nothing need be done."""
        return self.verdict == OK


def count_of(number: int, thing: str) -> str:
    """A count as a person says it: `1 run`, `2,000 runs`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
