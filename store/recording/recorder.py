"""One front end of a run: where a training loop's calls arrive."""

import struct
from collections.abc import Mapping
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from stepwell.store.base.signal_exceptions import raise_if_of_handler
from stepwell.store.inputs.metrics import (
    PLAIN,
    STEP_MAX,
    Problem,
    clean_metrics,
    shown,
    to_step,
)

if TYPE_CHECKING:
    import threading

    from stepwell.store.base.run_clock import RunClock
    from stepwell.store.journal.appender import Journal
    from stepwell.store.journal.format import Header, PointsShape

    class _Writer(Protocol):
        """What is asked of a run's writer here; see `run_writer`."""

        header: Header
        first_step: int
        current_step: int
        several: bool
        is_open: bool
        lock: threading.RLock
        shapes: dict[tuple[str, ...], PointsShape]
        journal: Journal
        clock: RunClock

        def ready(self) -> bool: ...
        def write_points(self, step: int, values: dict[str, float]) -> None: ...
        def without_repeated(
            self, speaker: object, step: int, values: Mapping[str, float]
        ) -> dict[str, float]: ...
        def has_repeated(
            self, speaker: object, step: int, values: Mapping[str, float]
        ) -> bool: ...
        def warn(self, problems: list[Problem]) -> None: ...


_are_plain = PLAIN.issuperset  # looked up once


class Recorder:
    """One front end of a run: takes its metrics, and counts its steps.

    Attributes:
        last_step: The greatest step it has said; -1 before the first.
    """

    __slots__ = ("__weakref__", "_writer", "last_step")

    def __init__(self, writer: "_Writer") -> None:
        self._writer = writer
        self.last_step = writer.first_step

    @property
    def seconds(self) -> float:
        """Seconds since this process began its part of the run."""
        writer = self._writer
        return (monotonic_ns() + writer.clock.offset - writer.header.started) / 1e9

    def log(  # noqa: C901, PLR0912 (the hot path: no calls that can be spared)
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
        except Exception as error:  # noqa: BLE001 (whatever it is, it is no dict)
            raise_if_of_handler(error)
            shape, values = None, {}.values()
        if (
            shape is None
            or (step is not None and type(step) is not int)
            or not _are_plain(map(type, values))
        ):
            self._log_with_care(metrics, step)
            return
        lock = writer.lock
        try:  # as `with` does, which takes 150 ns more
            lock.acquire()
            if step is None:
                step = self.last_step + 1
                if step < writer.current_step:  # noqa: PLR1730 (max() costs 60 ns more)
                    step = writer.current_step
            try:
                now = monotonic_ns() + writer.clock.offset
                packed = shape.pack(shape.head, step, now, *values)
            except (struct.error, OverflowError) as error:
                raise_if_of_handler(error)
                packed = b""
            # The long way then leaves out what another front end has said, and records the
            # rest.
            if writer.several and writer.has_repeated(self, step, metrics):
                packed = b""
            if packed:
                record = shape.seal(packed, crc32(packed))
                if writer.is_open:
                    writer.journal.write(record)
                if step > self.last_step:
                    self.last_step = step
                    if step > writer.current_step:  # noqa: PLR1730
                        writer.current_step = step
        except BaseException:  # also a handler's that ran as soon as the lock was ours
            try:  # noqa: SIM105 (no call before the release: a handler may run in any)
                lock.release()
            except RuntimeError:  # it ran while the lock was another thread's
                pass
            raise
        lock.release()
        if not packed:
            self._log_with_care(metrics, step)

    def _log_with_care(self, metrics: Any, step: Any) -> None:
        writer = self._writer
        values, problems = clean_metrics(metrics)
        of_the_step: list[Problem] = []
        with writer.lock:
            number = min(max(self.last_step + 1, writer.current_step), STEP_MAX)
            if step is not None:
                try:
                    number = to_step(step)
                except Exception as error:  # noqa: BLE001 (a step's own code may raise)
                    raise_if_of_handler(error)
                    why = shown(error, str)
                    message = (
                        f"step {shown(step)} of type {type(step).__name__} is unusable"
                        f" ({why}); the metrics were recorded at step {number}"
                    )
                    of_the_step.append(Problem("step", message))
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
        if problems or of_the_step:
            where = f" (step {number})"
            told = [Problem(p.subject, p.message + where) for p in problems]
            writer.warn(of_the_step + told)
