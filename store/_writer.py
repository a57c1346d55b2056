"""One process writing one run: its journal, and the steps that its front ends share."""

import os
import struct
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zlib import crc32

from ._errors import MetricWarning, StoreWarning
from ._format import (
    CHANGED,
    FINISHED,
    POINTS,
    STARTED,
    Header,
    PointsShape,
    encode_names,
    pack_checksum,
)
from ._identity import new_writer_id
from ._journal import Journal
from ._keeper import keeper
from ._liveness import process_started
from ._location import Location
from ._metrics import PLAIN, STEP_MAX, Problem, clean_metrics, to_step

_MOST_SHAPES = 4096  # tuples of names kept declared at a time
_MOST_WARNINGS = 100  # subjects warned about in one run
_STEPS_COMPARED = 8  # latest steps at which two front ends are compared


class RunWriter:
    """What the front ends of one run in one process share.

    Args:
        location: The store.
        header: Who writes.
        started: The run's metadata, for a writer that starts a run or resumes it.
        current_step: The run's greatest step so far; -1 for a new run.
        synchronous: Whether each record is forced to the disk.

    Raises:
        OSError: If the journal cannot be made.

    Attributes:
        lock: Held while a record is made and written.
        journal: The file.
        shapes: How the points of each declared tuple of names are packed.
        current_step: The greatest step that any front end has said.
        several: Whether more than one front end has joined.
        is_open: Whether records are still taken.
    """

    def __init__(
        self,
        location: Location,
        header: Header,
        started: dict[str, Any] | None,
        *,
        current_step: int = -1,
        synchronous: bool = False,
    ) -> None:
        self.location = location
        self.header = header
        self.first_step = self.current_step = current_step
        self.lock = threading.RLock()
        self.shapes: dict[tuple[str, ...], PointsShape] = {}
        self.several = False
        self.is_open = True
        self._synchronous = synchronous
        self._is_parents = False
        self._recorders = 0
        self._warned: set[str] = set()
        self._lost_said = 0
        self._open_journal()
        if started is not None:
            self.journal.write_json(STARTED, started)

    def _open_journal(self) -> None:
        self.shapes.clear()
        self._declared = 0
        self._said: dict[int, dict[str, tuple[object, float]]] = {}
        self.journal = Journal(
            self.location.journals, self.header, synchronous=self._synchronous
        )

    def ready(self) -> bool:
        """Whether a record can be written; opens a forked child's journal if need be."""
        if self._is_parents and self.is_open:
            self._reopen()
        return self.is_open

    def recorder(self) -> "Recorder":
        """A new front end, with its own step counter."""
        self._recorders += 1
        self.several = self._recorders > 1
        return Recorder(self)

    def change(self, fields: dict[str, Any]) -> None:
        """Record that fields of the run's metadata have new values."""
        with self.lock:
            if self.ready():
                self.journal.write_json(CHANGED, fields)

    def finish(self, status: str, message: str | None) -> None:
        """Record the end; later records are refused."""
        with self.lock:
            if not self.is_open:
                return
            if self._is_parents:
                self.abandon()
                return
            self._say_lost()
            end = {"status": status, "message": message, "time": time.time_ns()}
            self.journal.write_json(FINISHED, end)
            self.abandon()

    def abandon(self) -> None:
        """Stop without a word, as a process does that dies."""
        self.is_open = False
        self.shapes.clear()
        self.journal.close()

    def leave_to_parent(self) -> None:
        """After a fork, in the child: the journal is the parent's.

        The child goes on as a writer of its own, in a journal of its own, when it has
        something to record; the parent stays the one whose end is the run's end.
        """
        self.journal.close()
        self.lock = threading.RLock()
        self.shapes = {}
        self.header = replace(self.header, primary=False)
        self._is_parents = True

    def _reopen(self) -> None:
        pid = os.getpid()
        self.header = replace(
            self.header,
            writer=new_writer_id(),
            pid=pid,
            process_started=process_started(pid) or 0,
        )
        self._is_parents = False
        try:
            self._open_journal()
        except OSError as error:
            self.is_open = False
            warnings.warn(
                f"a forked process cannot record its metrics: {error}",
                StoreWarning,
                stacklevel=2,
            )
        else:
            keeper.add(self)

    def shape(self, names: tuple[str, ...]) -> PointsShape:
        """How points of *names* are packed; declares the names when they are new."""
        shape = self.shapes.get(names)
        if shape is None:
            if len(self.shapes) >= _MOST_SHAPES:
                self.shapes.clear()
            shape = PointsShape(self._declared, len(names))
            if self.journal.write(encode_names(shape.number, names)):
                self._declared += 1
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
            body = shape.pack(
                shape.length,
                POINTS,
                shape.number,
                step,
                time.time_ns(),
                *values.values(),
            )
            self.journal.write(body + pack_checksum(crc32(body)))

    def without_repeated(
        self, speaker: object, step: int, values: dict[str, float]
    ) -> dict[str, float]:
        """Leave out what another front end has said: the same value at the same step."""
        said = self._said.setdefault(step, {})
        fresh = {}
        for name, value in values.items():
            other, known = said.get(name, (speaker, value))
            same = known == value or (known != known and value != value)  # noqa: PLR0124
            if other is speaker or not same:
                fresh[name] = value
                said[name] = (speaker, value)
        if len(self._said) > _STEPS_COMPARED:
            del self._said[next(iter(self._said))]
        return fresh

    def warn(self, problems: list[Problem]) -> None:
        """Say each problem, once a subject."""
        for problem in problems:
            if problem.subject in self._warned or len(self._warned) >= _MOST_WARNINGS:
                continue
            self._warned.add(problem.subject)
            warnings.warn(problem.message, MetricWarning, stacklevel=4)

    def _say_lost(self) -> None:
        lost = self.journal.lost
        if lost > self._lost_said and self.journal.write_json(
            CHANGED, {"lost_calls": lost - self._lost_said}
        ):
            self._lost_said = lost


class Recorder:
    """One front end of a run: takes its metrics, and counts its steps.

    Attributes:
        last_step: The greatest step it has said; -1 before the first.
    """

    __slots__ = ("__weakref__", "_writer", "last_step")

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer
        self.last_step = writer.first_step

    def log(  # noqa: C901 (the hot path: one function, no calls that can be spared)
        self, metrics: Mapping[str, Any], step: int | None = None
    ) -> None:
        """Record metrics; when this returns, they survive the death of the process.

        Args:
            metrics: Names and numbers. None is an absent value; nested mappings become
                `outer/inner`; what is no number is warned about and left out.
            step: Training step, any 64-bit integer in any order. None: the larger of
                this front end's last step + 1 and the run's current step.
        """
        writer = self._writer
        try:
            shape = writer.shapes.get(tuple(metrics))
            values = metrics.values()
        except (AttributeError, TypeError):
            shape = None
        if (
            shape is None
            or writer.several
            or (step is not None and type(step) is not int)
            or not PLAIN.issuperset(map(type, values))
        ):
            self._log_with_care(metrics, step)
            return
        with writer.lock:
            if step is None:
                step = self.last_step + 1
                step = max(step, writer.current_step)
            try:
                body = shape.pack(
                    shape.length, POINTS, shape.number, step, time.time_ns(), *values
                )
            except (struct.error, OverflowError):
                body = b""
            else:
                if writer.is_open:
                    writer.journal.write(body + pack_checksum(crc32(body)))
                if step > self.last_step:
                    self.last_step = step
                    writer.current_step = max(writer.current_step, step)
        if not body:
            self._log_with_care(metrics, step)

    def _log_with_care(self, metrics: Any, step: Any) -> None:
        writer = self._writer
        values, problems = clean_metrics(metrics)
        with writer.lock:
            number = min(max(self.last_step + 1, writer.current_step), STEP_MAX)
            if step is not None:
                try:
                    number = to_step(step)
                except (TypeError, OverflowError) as error:
                    message = (
                        f"step {step!r:.40} of type {type(step).__name__} is unusable"
                        f" ({error}); the metrics were recorded at step {number}"
                    )
                    problems.append(Problem("step", message))
            if not writer.ready():
                ended = "the run is finished; later metrics are not recorded"
                problems.append(Problem("run", ended))
            else:
                fresh = values
                if writer.several:
                    fresh = writer.without_repeated(self, number, values)
                writer.write_points(number, fresh)
            self.last_step = max(self.last_step, number)
            writer.current_step = max(writer.current_step, number)
        if problems:
            where = f" (step {number})"
            writer.warn([Problem(p.subject, p.message + where) for p in problems])
