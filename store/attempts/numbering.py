"""How a run's writers group into attempts, whatever stores they wrote to.

Each process that starts, resumes or joins a run draws an id, which its children share;
nobody numbers attempts. In the order of their start, writers of different ranks belong to
one attempt, until a rank comes again whose writers had ended: there the next attempt
begins. Writers of one rank that overlap in time are one attempt.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Part(NamedTuple):
    """One writer's part in a run.

    Attributes:
        attempt: Identity of its attempt.
        rank: The writer's rank.
        follows: Identity of the attempt that it saw ended, of the same rank; or 0.
        started: When it began, in microseconds.
        ended: When it was last heard of; None while it goes on.
        primary: Whether its end is the run's end.
    """

    attempt: int
    rank: int
    follows: int
    started: float
    ended: float | None
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Numbering:
    """A run's attempts as people count them.

    Attributes:
        numbers: By identity: the attempt's number, from 1. Several share one.
        gone: Numbers of attempts, with ranks that had ended before they began and have no
            writer in them.
        standing: The last attempt that can end the run; 0 without one.
    """

    numbers: dict[int, int]
    gone: frozenset[tuple[int, int]]
    standing: int

    @property
    def latest(self) -> int:
        """The run's last attempt; 0 without one."""
        return max(self.numbers.values(), default=0)


@dataclass(slots=True)
class _Span:
    """When an attempt's writers of one rank began, and ended."""

    started: float
    ended: float


@dataclass(slots=True)
class _Attempt:
    follows: int = 0
    started: float = math.inf
    primary: bool = False
    ranks: dict[int, _Span] = field(default_factory=dict)


def number_attempts(parts: Iterable[Part]) -> Numbering:
    """Order a run's attempts, and number them."""
    attempts = _gather(parts)
    starts = _starts(attempts)
    # Ties are broken by what is the same everywhere, so that each store numbers a run
    # alike, in whatever order it met its writers.
    order = sorted(attempts, key=lambda identity: (starts[identity], identity))
    for identity in order:
        _end_what_it_follows(attempts, identity, starts[identity])
    numbers: dict[int, int] = {}
    going: dict[int, list[tuple[float, int]]] = {}  # by rank: ends, and whose they are
    latest, present = 0, set[int]()
    for identity in order:
        ranks, start = attempts[identity].ranks, starts[identity]
        number = 0
        for rank in ranks:
            # Starts only grow from here on, so what has ended by now overlaps with none of
            # those to come.
            going[rank] = [span for span in going.get(rank, ()) if span[0] > start]
            number = max((number, *(known for _, known in going[rank])))
        if not number:
            if not latest or present & ranks.keys():
                latest, present = latest + 1, set()
            number = latest
        # One that joins an attempt of before leaves its rank absent from the latest.
        if number == latest:
            present |= ranks.keys()
        for rank, span in ranks.items():
            going[rank].append((span.ended, number))
        numbers[identity] = number
    ends = (numbers[one] for one in order if attempts[one].primary)
    return Numbering(numbers, _gone(attempts, starts, numbers), max(ends, default=0))


def _gather(parts: Iterable[Part]) -> dict[int, _Attempt]:
    attempts: dict[int, _Attempt] = {}
    for part in parts:
        known = attempts.setdefault(part.attempt, _Attempt())
        known.started = min(known.started, part.started)
        known.follows = known.follows or part.follows
        known.primary |= part.primary
        ended = math.inf if part.ended is None else part.ended
        span = known.ranks.setdefault(part.rank, _Span(part.started, ended))
        span.started = min(span.started, part.started)
        span.ended = max(span.ended, ended)
    return attempts


def _starts(attempts: dict[int, _Attempt]) -> dict[int, float]:
    """When each attempt began: after the one that it saw ended, whatever the clocks say."""
    starts: dict[int, float] = {}
    for begin in attempts:
        chain: dict[int, None] = {}
        identity = begin
        # Headers may be anybody's, so a chain may lead back to itself, and is to end then.
        while identity in attempts and identity not in starts and identity not in chain:
            chain[identity] = None
            identity = attempts[identity].follows
        before = starts.get(identity, -math.inf)
        for known in reversed(chain):
            # A microsecond later is enough to come behind it, where the clock of a machine
            # says earlier.
            before = starts[known] = max(attempts[known].started, before + 1)
    return starts


def _end_what_it_follows(
    attempts: dict[int, _Attempt], identity: int, start: float
) -> None:
    known = attempts[identity]
    before = attempts.get(known.follows)
    if before is None or known.follows == identity:
        return
    for rank in known.ranks.keys() & before.ranks.keys():
        # Who began later saw it ended. The last sign of a writer is the time of a file, and
        # may be later than that; one of which no end is known would else go on for ever.
        before.ranks[rank].ended = min(before.ranks[rank].ended, start)


def _gone(
    attempts: dict[int, _Attempt], starts: dict[int, float], numbers: dict[int, int]
) -> frozenset[tuple[int, int]]:
    begun: dict[int, float] = {}
    ranks: dict[int, dict[int, float]] = {}  # by number and rank: the last end
    for identity, number in numbers.items():
        begun[number] = min(starts[identity], begun.get(number, math.inf))
        ends = ranks.setdefault(number, {})
        for rank, span in attempts[identity].ranks.items():
            ends[rank] = max(span.ended, ends.get(rank, -math.inf))
    gone: set[tuple[int, int]] = set()
    before: dict[int, float] = {}
    for number in sorted(begun):
        gone |= {
            (number, rank)
            for rank, end in before.items()
            if end <= begun[number] and rank not in ranks[number]
        }
        for rank, end in ranks[number].items():
            before[rank] = max(end, before.get(rank, -math.inf))
    return frozenset(gone)
