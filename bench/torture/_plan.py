"""What a seed decides: the processes that are kept going, and what befalls them when."""

from collections.abc import Iterable
from dataclasses import dataclass

from ._setting import Setting

ACTORS = (
    "plain",
    "threads",
    "fork",
    "clock",
    "spawn",
    "quiet",
    "diverge",
    "again",
    "sweep",
    "sweep",
    "view",
    "query",
    "fold",
    "migrate",
    "copy",
    "compact",
    "ask",
    "look",
    "full",
)
"""Kinds of the processes that are kept going, as many as are named; `full` if it can be."""

FAULTS = {
    "kill": 4,
    "kill_holder": 4,
    "stop": 5,
    "damage": 4,
    "hold": 2,
    "fill": 2,
    "stranger": 1,
    "kill_helper": 3,
    "kill_stand_by": 2,
    "stop_helper": 2,
    "stop_stand_by": 1,
}
"""Kinds of what befalls them, and how often beside each other."""

_FIRST = 1.0  # seconds before anything befalls anybody
_LAST = 1.0  # seconds without, at the end


@dataclass(frozen=True, slots=True)
class Mix:
    """What a torture is made of.

    Attributes:
        rate: Kills, stops and other faults a second.
        actors: Kinds of the processes that are kept going.
        faults: Kinds of what befalls them.
    """

    rate: float = 2.5
    actors: Iterable[str] = ACTORS
    faults: Iterable[str] = tuple(FAULTS)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that befalls a process or the disk.

    Attributes:
        at: Seconds after the start.
        kind: `kill`, `kill_holder`, `stop`, `damage`, `hold`, `fill` or `stranger`;
            `kill_` or `stop_` and `helper`, which has its turn to fold, or `stand_by`.
        whom: From 0 to 1: the place of its victim, or of what it is, among all.
        amount: From 0 to 1: how long, how far, which bit.
    """

    at: float
    kind: str
    whom: float
    amount: float


def make_plan(setting: Setting, seconds: float, mix: Mix) -> list[Event]:
    """What befalls a torture.

    Args:
        setting: The torture.
        seconds: How long it is.
        mix: What it is made of.
    """
    draw = setting.draw("plan")
    # Each kind once, and first, however short or busy it is; the rest as chance has it.
    kinds = [*mix.faults]
    draw.shuffle(kinds)
    weights = [FAULTS[kind] for kind in kinds]
    kinds += draw.choices(kinds, weights, k=max(0, int(seconds * mix.rate) - len(kinds)))
    times = sorted(draw.uniform(_FIRST, max(_FIRST, seconds - _LAST)) for _ in kinds)
    return [
        Event(at, kind, draw.random(), draw.random())
        for at, kind in zip(times, kinds, strict=True)
    ]
