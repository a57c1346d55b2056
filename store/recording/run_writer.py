"""One process writing one run: its journal, and the steps that its front ends share."""

import os
import threading
from collections.abc import Mapping
from typing import Any

from stepwell.store.base.errors import MetricWarning, StoreWarning
from stepwell.store.base.ids import new_writer_id
from stepwell.store.base.run_clock import RunClock, present
from stepwell.store.base.warn_caller import warn_caller
from stepwell.store.files.location import Location
from stepwell.store.inputs.metrics import Problem
from stepwell.store.journal.appender import Journal
from stepwell.store.journal.continuation import Chain, change_files
from stepwell.store.journal.format import (
    CHANGED,
    FINISHED,
    STARTED,
    Header,
    PointsShape,
    encode_json,
    encode_names,
    withdraw,
)
from stepwell.store.journal.writer_alive import host_name, machine, process_started
from stepwell.store.process_end.sigterm import watch_termination

from .background import keeper
from .recorder import Recorder

_MOST_SHAPES = 4096  # tuples of names kept declared at a time
_MOST_WARNINGS = 100  # subjects warned about in one run
_CALLS_COMPARED = 8  # latest calls at one step
_STEPS_COMPARED = 8  # latest steps at which two front ends are compared


class RunWriter:
    """What the front ends of one run in one process share.

    Args:
        location: The store.
        header: Who writes.
        started: The run's metadata, for a writer that starts a run or resumes it.
        current_step: The run's greatest step so far; -1 for a new run.
        synchronous: Whether each record is forced to the disk.
        clock: The run's clock, where it has begun; a new one when absent.

    Raises:
        OSError: If the journal cannot be made.

    Attributes:
        lock: Held while a record is made and written.
        journal: The file; another one, when it was large and folded.
        chain: The files before it.
        shapes: How the points of each tuple of names are packed that this file declares.
        current_step: The greatest step that any front end has said.
        several: Whether more than one front end has joined.
        is_open: Whether records are still taken.
        synchronous: Whether each record is forced to the disk.
        clock: Gives the times of its records.
    """

    def __init__(  # noqa: PLR0913 (whose, and how, by keyword)
        self,
        location: Location,
        header: Header,
        started: dict[str, Any] | None,
        *,
        current_step: int = -1,
        synchronous: bool = False,
        clock: RunClock | None = None,
    ) -> None:
        self.location = location
        self.header = header
        self.first_step = self.current_step = current_step
        self.lock = threading.RLock()
        self.shapes: dict[tuple[str, ...], PointsShape] = {}
        self.several = False
        self.is_open = True
        self.synchronous = synchronous
        self.clock = clock or RunClock()
        self._is_parents = False
        self._is_changing = False
        self._end: tuple[str, str | None] | None = None
        self._recorders = 0
        self._warned: set[str] = set()
        self._open_journal(b"" if started is None else encode_json(STARTED, started))

    def _open_journal(self, first: bytes = b"") -> None:
        self._process = os.getpid()  # whose journal it is, whatever a fork's hook came to
        self.shapes.clear()
        self.chain = Chain()
        self._declared = 0
        self._other_size = 0
        self._lost_said = 0
        self._said: dict[int, list[tuple[object, dict[str, float]]]] = {}
        self.journal = Journal(
            self.location.journals, self.header, first, synchronous=self.synchronous
        )

    def ready(self) -> bool:
        """Whether a record can be written; opens a forked child's journal if need be."""
        if self._is_parents and self.is_open:
            self._reopen()
        return self.is_open

    @property
    def points_size(self) -> int:
        """Bytes that were recorded so far, less those of changed metadata."""
        return self.journal.total - self._other_size

    def recorder(self) -> Recorder:
        """A new front end, with its own step counter."""
        with self.lock:
            self._recorders += 1
            self.several = self._recorders > 1
        return Recorder(self)

    def change(self, fields: dict[str, Any]) -> bool:
        """Record that fields of the run's metadata have new values.

        Returns:
            Whether the run goes on; False when it has ended, and nothing was recorded.
        """
        with self.lock:
            if self.ready():
                before = self.journal.size
                self.journal.write_json(CHANGED, fields)
                self._other_size += self.journal.size - before
                return True
        return False

    def finish(self, status: str, message: str | None) -> None:
        """Record the end; later records are refused."""
        with self.lock:
            if not self.is_open:
                return
            if self._is_changing:  # by a collector, in the midst of it
                self._end = status, message
                return
            # A forked child that has recorded nothing has no journal of its own. An end
            # from it would stand in its parent's file, and end the parent's run.
            if self._is_parents or self._process != os.getpid():
                self.abandon()
                return
            self._say_lost()
            end = {"status": status, "message": message, "time": self.clock.now()}
            try:
                self.journal.say_if_removed()  # by a fold it may be, when it has ended
                self.chain.leave()
            finally:
                self.journal.write_json(FINISHED, end)
                self.abandon()

    def abandon(self) -> None:
        """Stop without a word, as a process does that dies."""
        self.is_open = False
        self.shapes.clear()
        self.chain.close()
        self.journal.close()

    def change_files(self) -> None:
        """Go on in a new file, where there can be one; see `journal.continuation`."""
        with self.lock:
            if not self.is_open or self._is_parents or self._process != os.getpid():
                return
            self._is_changing = True
            try:
                change_files(self)
            finally:
                self._is_changing = False
                end, self._end = self._end, None
                if end is not None:
                    self.finish(*end)

    def leave_to_parent(self) -> None:
        """After a fork, in the child: the journal is the parent's.

        The child goes on as a writer of its own, in a journal of its own, when it has
        something to record; the parent stays the one whose end is the run's end.
        """
        self._is_parents = True
        self.lock = threading.RLock()
        # A new lock, as a thread of the parent may have held the old one, and is not here
        # to let go of it. Names are declared anew, since the child's journal is another
        # file.
        self.shapes = {}
        self._is_changing, self._end = False, None
        self.header = self.header._replace(primary=False)
        self.journal.close()
        self.chain.close()

    def _reopen(self) -> None:
        self.header = of_this_process(self.header)
        self._is_parents = False
        try:
            self._open_journal()
        except OSError as error:
            self.is_open = False
            warn_caller(
                f"a forked process cannot record its metrics: {error}", StoreWarning
            )
        else:
            watch_termination()
            keeper.add(self)

    def shape(self, names: tuple[str, ...]) -> PointsShape:
        """How points of *names* are packed; declares the names when they are new."""
        shape = self.shapes.get(names)
        if shape is None:
            if len(self.shapes) >= _MOST_SHAPES:
                known, self.shapes = self.shapes, {}
                withdraw(known)
            shape = PointsShape(self._declared, len(names))
            self._declared += 1
            if self.journal.write(encode_names(shape.number, names)):
                self.shapes[names] = shape
        return shape

    def write_points(self, step: int, values: dict[str, float]) -> None:
        """Record clean values at a clean step."""
        with self.lock:
            if not values or not self.ready():
                return
            self._say_lost()
            names = tuple(values)
            shape = self.shape(names)
            if self.shapes.get(names) is not shape:
                return  # the declaration was refused, so the points would mean nothing
            self.journal.write(shape.record(step, self.clock.now(), values.values()))

    def without_repeated(
        self, speaker: object, step: int, values: Mapping[str, float]
    ) -> dict[str, float]:
        """Leave out what another front end has said: the same value at the same step."""
        said = self._said.setdefault(step, [])
        repeated = {
            name
            for other, known in said
            if other is not speaker
            for name in known.keys() & values.keys()
            if _are_same(known[name], values[name])
        }
        said.append((speaker, dict(values)))
        if len(said) > _CALLS_COMPARED:
            del said[0]
        if len(self._said) > _STEPS_COMPARED:
            del self._said[next(iter(self._said))]
        if not repeated:
            return dict(values)
        return {name: value for name, value in values.items() if name not in repeated}

    def has_repeated(self, speaker: object, step: int, values: Mapping[str, float]) -> bool:
        """Whether another front end has said some of it: a value at the same step."""
        return len(self.without_repeated(speaker, step, values)) < len(values)

    def warn(self, problems: list[Problem]) -> None:
        """Say each problem, once a subject."""
        for problem in problems:
            if problem.subject in self._warned or len(self._warned) >= _MOST_WARNINGS:
                continue
            self._warned.add(problem.subject)
            warn_caller(problem.message, MetricWarning)

    def _say_lost(self) -> None:
        lost = self.journal.lost
        if lost > self._lost_said and self.journal.write_json(
            CHANGED, {"lost_calls": lost - self._lost_said}
        ):
            self._lost_said = lost


def of_this_process(header: Header) -> Header:
    """The header of a further writer of a run: this process, whose end is not the run's."""
    pid = os.getpid()
    return header._replace(
        writer=new_writer_id(),
        host=host_name() if header.host else "",  # which is not to be recorded
        machine=machine(),
        pid=pid,
        process_started=process_started(pid) or 0,
        primary=False,
        started=present(),
    )


def _are_same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)  # noqa: PLR0124 (NaN)
