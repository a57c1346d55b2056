"""Draws cases: runs with one journal or several, each hostile in a way of its own."""

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ._numbers import steps_of, time_of, times_of, value_maker
from ._records import (
    CHANGED,
    DEAD,
    FINISHED,
    FRESH,
    NAMES,
    POINTS,
    RUNNING,
    SILENT,
    STARTED,
    Case,
    Journal,
    Names,
    Points,
    Record,
)
from ._texts import text_of, texts_of

RANK_MAX = 2**15 - 1
_LIVES = (RUNNING, RUNNING, DEAD, DEAD, DEAD, FRESH, SILENT)
_BLOCK, _GROWN = 150, 4
"""Of so many cases one after the other, and of so many blocks, one block's journals grow
between folds: in a store with such a case all journals are folded as often."""
_ATTEMPT_SECONDS = 1000  # from one attempt to the next
_STATUSES = ("finished", "finished", "failed", "interrupted")
_DEEPEST = 60
_HEARTBEATS = (-(2**31), 0, 1, 1_700_000_000, 2**33)


@dataclass(frozen=True, slots=True)
class Here:
    """The process that folds, as a journal's header names its writer.

    Attributes:
        machine: The machine.
        pid: The process.
        started: When it started.
    """

    machine: str
    pid: int
    started: int


def make_case(seed: int, number: int, here: Here) -> Case:
    """Case *number* of a seed."""
    draw = random.Random(f"{seed} {number}")
    return _Maker(draw, here, is_grown=number // _BLOCK % _GROWN == 0).case()


class _Maker:
    def __init__(self, draw: random.Random, here: Here, *, is_grown: bool) -> None:
        self._draw = draw
        self._is_grown = is_grown
        self._here = here
        found = str(uuid.UUID(int=draw.getrandbits(128), version=5))
        # Of version 5 where an id was given, of version 7 where not.
        self._run_id = f"{found[:14]}{draw.choice('57')}{found[15:]}"
        self._run = {"name": text_of(draw), "project": self._maybe(text_of)}
        self._pool = texts_of(draw, draw.choice((1, 3, 8)))
        self._makers = [value_maker(draw) for _ in range(3)]
        self._steps = steps_of(draw)

    def case(self) -> Case:
        several = self._draw.random() < 0.3  # noqa: PLR2004
        journals = tuple(self._attempts() if several else self._one_attempt())
        if journals[0].header["format"] == 1 or self._draw.random() < 0.5:  # noqa: PLR2004
            return Case(self._run_id, journals)
        # What one rank of one attempt has written is all in one store.
        writers = {(one.attempt, one.header["rank"]) for one in journals}
        away = {writer for writer in sorted(writers) if self._draw.random() < 0.4}  # noqa: PLR2004
        split = tuple(
            replace(one, is_elsewhere=(one.attempt, one.header["rank"]) in away)
            for one in journals
        )
        return Case(self._run_id, journals if _say_the_same(split) else split)

    def _one_attempt(self) -> Iterator[Journal]:
        draw = self._draw
        fields = draw.choice(({}, {"format": 2, "attempt": draw.randrange(1, 2**31)}))
        for place, rank in enumerate(self._ranks(draw.choice((1, 1, 1, 1, 2, 3, 4)))):
            journal = self._journal(rank, primary=not place)
            began = {"started": draw.choice((0, time_of(draw)))} if fields else {}
            yield replace(journal, header=journal.header | fields | began)

    def _ranks(self, writers: int) -> list[int]:
        """Ranks of a run's writers, the primary one first."""
        return [0, *(self._draw.choice((0, 1, 1, 2, RANK_MAX)) for _ in range(writers - 1))]

    def _attempts(self) -> Iterator[Journal]:
        """Journals of attempts one after the other, each begun by its rank 0."""
        draw = self._draw
        count = draw.choice((2, 2, 3, 4))
        order = list(range(count))
        arrivals = [0] * count
        if self._is_grown:
            arrivals = draw.choice((order, order[::-1], draw.sample(order, count)))
        begin = draw.randrange(10**6, 1_700_000_000)
        before: dict[int, int] = {}  # by rank: identity of the last attempt
        for number in range(count):
            begun = begin + number * _ATTEMPT_SECONDS
            for place, rank in enumerate(sorted({*self._ranks(draw.choice((1, 1, 2, 4)))})):
                identity = draw.randrange(1, 2**31)
                fields = {
                    "attempt": identity,
                    "follows": before.get(rank, 0),
                    "number": draw.choice((1, number + 1)),
                    "started": begun * 10**9 + place * 10**6,
                    "format": 2,
                }
                before[rank] = identity
                # Of all but the last attempt each writer has ended before the next begins.
                is_last = number == count - 1
                journal = self._journal(
                    rank, _LIVES if is_last else (DEAD, SILENT), primary=not place
                )
                yield replace(
                    journal,
                    header=journal.header | fields,
                    heartbeat=journal.heartbeat if is_last else begun + place + 1,
                    attempt=number + 1,
                    arrives=arrivals[number],
                )

    def _maybe(self, make: Callable[[random.Random], Any]) -> Any:
        return make(self._draw) if self._draw.random() < 0.5 else None  # noqa: PLR2004

    def _journal(
        self, rank: int, lives: Sequence[str] = _LIVES, *, primary: bool
    ) -> Journal:
        draw = self._draw
        life = draw.choice(lives)
        header = self._header(life, rank, primary=primary)
        records = list(self._records(header))
        if draw.random() < 0.08:  # noqa: PLR2004 (one in twelve is damaged)
            at = draw.randrange(len(records) + 1)
            records[at : at + 1] = [_spoiled(one, draw) for one in records[at : at + 1]]
        heartbeat = draw.choice(_HEARTBEATS) if life == SILENT else None
        return Journal(
            header=header,
            life=life,
            records=tuple(records),
            tail=draw.random() if draw.random() < 0.15 else 0.0,  # noqa: PLR2004
            heartbeat=heartbeat,
            # Who has died writes no more: a fold would have taken it for the whole.
            cuts=() if life == DEAD else self._cuts(),
        )

    def _cuts(self) -> tuple[float, ...]:
        count = self._draw.choice((0, 0, 1, 2)) if self._is_grown else 0
        return tuple(sorted(self._draw.random() for _ in range(count)))

    def _header(self, life: str, rank: int, *, primary: bool) -> dict[str, Any]:
        draw, here = self._draw, self._here
        is_here = life in {RUNNING, DEAD}
        return {
            "run_id": self._run_id,
            "writer": f"{draw.getrandbits(48):012x}",
            **self._run,
            "host": text_of(draw),
            "machine": here.machine if is_here else f"{text_of(draw)} elsewhere",
            "pid": here.pid if is_here else draw.randrange(2**31),
            # Another process had this one's id before it.
            "process_started": here.started if life == RUNNING else here.started + 1,
            "rank": rank,
            "attempt": 1,
            "primary": primary,
            "format": 1,
        }

    def _records(self, header: dict[str, Any]) -> Iterator[Record]:
        draw = self._draw
        own = "" if header["primary"] else f"{header['writer']} "
        if header["primary"]:
            yield Record(STARTED, self._metadata())
        calls = draw.choice((0, 1, 2, 3, 5, 8, 12, 20, draw.randrange(60)))
        for record in self._calls(calls):
            yield record
            if draw.random() < 0.02:  # noqa: PLR2004
                yield Record(CHANGED, self._change(own))
        if draw.random() < 0.6:  # noqa: PLR2004
            end = {"status": draw.choice(_STATUSES), "time": time_of(draw)}
            yield Record(FINISHED, end | {"message": self._maybe(text_of)})

    def _calls(self, calls: int) -> Iterator[Record]:
        draw = self._draw
        steps = draw.choice((self._steps, steps_of(draw)))
        times = times_of(draw)
        shapes = [self._names() for _ in range(draw.choice((1, 1, 2, 4)))]
        declared: dict[tuple[str, ...], int] = {}
        for _ in range(calls):
            names = draw.choice(shapes)
            if names not in declared:
                declared[names] = len(declared)
                yield Record(NAMES, Names(declared[names], names))
            makers = self._makers
            values = tuple(makers[at % len(makers)]() for at in range(len(names)))
            points = Points(declared[names], next(steps), next(times), values)
            yield Record(POINTS, points)

    def _names(self) -> tuple[str, ...]:
        draw = self._draw
        if draw.random() < 0.003:  # noqa: PLR2004 (a wide call)
            prefix = draw.choice(self._pool)
            return tuple(f"{prefix}/{at}" for at in range(draw.randint(50, 400)))
        most = min(len(self._pool), draw.choice((1, 2, 5)))
        return tuple(draw.sample(self._pool, most))

    def _metadata(self) -> dict[str, Any]:
        draw = self._draw
        return {
            "name": draw.choice((self._run["name"], text_of(draw))),
            "project": self._run["project"],
            "group_name": self._maybe(text_of),
            "tags": [text_of(draw) for _ in range(draw.choice((0, 0, 1, 3)))],
            "notes": self._maybe(text_of),
            "config": self._config(""),
            "time": time_of(draw),
            "host": text_of(draw),
            "pid": draw.choice((0, 1, draw.randrange(2**31))),
            "user_name": self._maybe(text_of),
            "command": text_of(draw),
            "working_dir": text_of(draw),
            "python_version": text_of(draw),
        }

    def _config(self, own: str) -> dict[str, Any]:
        keys = texts_of(self._draw, 3) if self._draw.random() < 0.5 else []  # noqa: PLR2004
        return {own + key: self._setting() for key in keys}

    def _setting(self, depth: int = 0) -> Any:
        draw = self._draw
        deep = draw.randint(1, _DEEPEST) if draw.random() < 0.1 else 1  # noqa: PLR2004
        makers: list[Callable[[], Any]] = [
            lambda: draw.choice((None, True, False, "", "nan", "-inf", "1_0", " 7 ", "٣")),
            lambda: draw.choice((0, -1, 2**53 + 1, -(2**63), 2**64 - 1, 10**18)),
            lambda: draw.choice((0.1, -0.0, 1e308, 5e-324, 1e-7, 1e16, 123456789.125)),
            lambda: text_of(draw),
            lambda: text_of(draw),
            lambda: _deep(deep),
        ]
        if depth < 3:  # noqa: PLR2004
            makers += [
                lambda: [self._setting(depth + 1) for _ in range(draw.randrange(4))],
                lambda: {key: self._setting(depth + 1) for key in texts_of(draw, 3)},
            ]
        return draw.choice(makers)()

    def _change(self, own: str) -> dict[str, Any]:
        draw = self._draw
        fields: dict[str, Any] = {"config": self._config(own)}
        if own:
            return fields
        makers: dict[str, Callable[[], Any]] = {
            "name": lambda: text_of(draw),
            "tags": lambda: [text_of(draw) for _ in range(draw.randrange(4))],
            "notes": lambda: self._maybe(text_of),
            "git_commit": lambda: text_of(draw),
            "git_dirty": lambda: draw.choice((True, False, None)),
            "layout": lambda: self._config(""),
            "lost_calls": lambda: draw.choice((0, 1, 2**40)),
        }
        for name in draw.sample([*makers], draw.randrange(3)):
            fields[name] = makers[name]()
        return fields


def _say_the_same(journals: tuple[Journal, ...]) -> bool:
    """Whether two stores have a point at one time, which a merge may take for one."""
    times: tuple[set[tuple[int, int]], ...] = (set(), set())
    for journal in journals:
        for record in journal.records:
            if isinstance(record.value, Points):
                time = record.value.time // 1000
                times[journal.is_elsewhere].add((journal.header["rank"], time))
    return not times[0].isdisjoint(times[1])


def _spoiled(record: Record, draw: random.Random) -> Record:
    return Record(record.kind, record.value, flipped=draw.random())


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"d": value}
    return value
