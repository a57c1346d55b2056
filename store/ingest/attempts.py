"""The attempts of one fold: new writers join them, and what they supersede is marked."""

import json
from collections.abc import Iterable
from dataclasses import replace

import duckdb

from stepwell.store.attempts.first_format import identities_of_numbers
from stepwell.store.attempts.numbering import Numbering, Part, number_attempts
from stepwell.store.attempts.rows import Writer, mark_superseded, renumber, select_writers
from stepwell.store.database.lease import Lease

from .run_rows import RunRows, to_microseconds
from .segment import Stretch

_INSERT = """
insert into store.main.attempts_
select
    unnest(from_json(?, '["UUID"]')), unnest(from_json(?, '["INTEGER"]')),
    unnest(from_json(?, '["SMALLINT"]')), unnest(from_json(?, '["VARCHAR"]')),
    unnest(from_json(?, '["INTEGER"]')),
    make_timestamp(unnest(from_json(?, '["BIGINT"]'))),
    unnest(from_json(?, '["INTEGER"]'))
"""


class AttemptsOfFold:
    """What a fold knows of the attempts that it writes to.

    Args:
        connection: The store, within an exclusive lease and a transaction.
        lease: Its lease, which remembers whose writer lived.
        rows: The rows of the runs, loaded.

    Attributes:
        several: Ids of runs that have more than one attempt.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, lease: Lease, rows: RunRows
    ) -> None:
        self.several: set[str] = set()
        self._connection = connection
        self._lease = lease
        self._rows = rows
        self._numberings: dict[str, Numbering] = {}
        self._unsettled: set[str] = set()

    def join(self, stretches: list[Stretch], ended: Iterable[str] = ()) -> list[Stretch]:
        """Take up the writers of stretches; gives these in the order of their attempts.

        Args:
            stretches: What the fold has read.
            ended: Ids of runs of which another writer was found to have ended.
        """
        new = [stretch for stretch in stretches if not stretch.known]
        begun = {stretch.header.run_id for stretch in new}
        changed = begun.union(ended, (s.header.run_id for s in stretches if self._ends(s)))
        runs = [stretch.header.run_id for stretch in stretches]
        known = {run: self._rows.attempt(run) for run in dict.fromkeys((*runs, *changed))}
        stored = select_writers(
            self._connection,
            # A run of one attempt that no new writer joins has no order to be found: in the
            # usual fold this list is empty.
            [run for run, last in known.items() if last > 1 or (last and run in begun)],
            silent=[writer for writer, lives in self._lease.alive.items() if not lives],
        )
        told = identities_of_numbers((stretch.header for stretch in new), stored)
        stretches = [_as_told(stretch, told) for stretch in stretches]
        new = [stretch for stretch in stretches if not stretch.known]
        writers = {run: self._as_of_now(known, stretches) for run, known in stored.items()}
        self._number(stored, writers, new)
        self._unsettled = {
            run
            for run in changed & self._numberings.keys()
            if self._numberings[run].latest > 1 or known[run] > 1
        }
        numbered = [
            replace(stretch, header=stretch.header._replace(number=self.number(stretch)))
            for stretch in stretches
        ]
        return sorted(numbered, key=lambda s: (s.header.run_id, s.header.number, began(s)))

    def number(self, stretch: Stretch) -> int:
        """The number of a stretch's attempt."""
        return self.number_of(stretch.header.run_id, stretch.header.attempt)

    def number_of(self, run_id: str, attempt: int) -> int:
        """The number of an attempt of a run."""
        numbering = self._numberings.get(run_id)
        return numbering.numbers.get(attempt, 1) if numbering else 1

    def settle(self, moved: Iterable[str]) -> None:
        """Write what later attempts supersede by now, when all points are inserted.

        Args:
            moved: Ids of runs in which a metric began, or at an earlier step.
        """
        for run_id, numbering in self._numberings.items():
            self._rows.number_attempts(run_id, numbering.latest)
        wanted = self._unsettled.union(moved)
        mark_superseded(
            self._connection, {run: self._numberings[run] for run in sorted(wanted)}
        )

    def _ends(self, stretch: Stretch) -> bool:
        lived = self._lease.alive.get(stretch.journal.writer)
        return stretch.ended is not None or lived is not stretch.alive

    def _as_of_now(self, known: list[Writer], stretches: list[Stretch]) -> list[Writer]:
        ends = {stretch.journal.writer: _ended(stretch) for stretch in stretches}
        return [
            writer._replace(part=writer.part._replace(ended=ends[writer.writer]))
            if writer.writer in ends
            else writer
            for writer in known
        ]

    def _number(
        self,
        stored: dict[str, list[Writer]],
        writers: dict[str, list[Writer]],
        new: list[Stretch],
    ) -> None:
        joined = {run: list(known) for run, known in writers.items()}
        for stretch in new:
            writer = Writer(stretch.header.writer, 0, _part(stretch))
            joined.setdefault(stretch.header.run_id, []).append(writer)
        self._numberings = {
            run: number_attempts(writer.part for writer in known)
            for run, known in joined.items()
        }
        for run, known in stored.items():
            numbers = self._numberings[run].numbers
            standing = (numbers[w.part.attempt] for w in known if w.part.primary)
            self._rows.stand(run, max(standing, default=0))
        renumber(self._connection, stored, self._numberings)
        self._insert(new)
        self.several = {
            run for run, numbering in self._numberings.items() if numbering.latest > 1
        }

    def _insert(self, new: list[Stretch]) -> None:
        if not new:
            return
        rows = [
            (s.header.run_id, s.header.attempt, s.header.rank, s.header.writer,
             s.header.follows, began(s), self.number(s))
            for s in new
        ]  # fmt: skip
        columns = [json.dumps(column) for column in zip(*rows, strict=True)]
        self._connection.execute(_INSERT, columns)


def _as_told(stretch: Stretch, told: dict[str, int]) -> Stretch:
    identity = told.get(stretch.header.writer)
    if identity is None:
        return stretch
    return replace(stretch, header=stretch.header._replace(attempt=identity))


def began(stretch: Stretch) -> int:
    """When a stretch's writer began, in microseconds; as far as an old journal tells."""
    header, piece = stretch.header, stretch.piece
    if header.started:
        return to_microseconds(header.started)
    if piece.started is not None and isinstance(piece.started.get("time"), int):
        return to_microseconds(piece.started["time"])
    # The header of the first format has no time, and a later piece no start: the points'
    # own times are the next best, and the file's time the last resort.
    times = [int(block.times.min()) for block in piece.blocks if len(block.times)]
    return to_microseconds(min(times, default=int(stretch.journal.heartbeat * 1e9)))


def _part(stretch: Stretch) -> Part:
    header = stretch.header
    began_at = began(stretch)
    return Part(
        header.attempt,
        header.rank,
        header.follows,
        began_at,
        _ended(stretch),
        header.primary,
    )


def _ended(stretch: Stretch) -> float | None:
    is_over = stretch.ended is not None or not stretch.alive
    return stretch.last_sign / 1000 if is_over else None
