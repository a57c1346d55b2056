"""A process that runs queries, from the side that asks; see `query_process`."""

import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from .wire_format import STATUS, WAITS, dumped, read_result

if TYPE_CHECKING:
    from stepwell.store.values.sql_result import SqlResult

    from .query_process import Request

_LATE_SECONDS = 0.7  # after the limit, for whoever ends the query's process to do so


class ProcessEndedError(Exception):
    """The process of a query has ended before its answer did.

    Attributes:
        status: Its exit code, negative for a signal; None when all is gone.
        is_late: Whether nothing is heard of it, as of one that was stopped.
    """

    def __init__(self, status: int | None, *, is_late: bool = False) -> None:
        super().__init__(status)
        self.status = status
        self.is_late = is_late


class QueryWorker:
    """A process that runs queries.

    Args:
        pid: Its number.
        requests: Descriptor that requests are written to.
        answers: Descriptor that answers are read from.
        statuses: Descriptor that the ends of queries are read from.
    """

    def __init__(self, pid: int, requests: int, answers: int, statuses: int) -> None:
        self._pid = pid
        self._requests, self._answers, self._statuses = requests, answers, statuses
        self._owes_status = False
        self._is_up = False
        self._allowed = self._deadline = 0.0
        # So that neither a full pipe nor an empty one can keep the caller beyond the
        # query's time.
        for descriptor in (requests, answers):
            os.set_blocking(descriptor, False)

    def ask(self, request: "Request") -> "SqlResult":
        """Run a query.

        Raises:
            ProcessEndedError: If its process ends before.
            StepwellError: If the query is refused or fails.
        """
        self._allowed = min(request.seconds + _LATE_SECONDS, 1e6)
        # It says so while it waits for the store; it says nothing before it is up.
        self._extend(0.0 if self._is_up else request.wait)
        # In this order: the status says that the last query's process has ended, so that
        # nothing can come into the answers behind what is dropped.
        if self._owes_status:
            self._read_status()
        self._drop_answer()
        self._write(dumped(request))
        self._owes_status = True
        return read_result(self._read, request.limit)

    def _extend(self, more: float = 0.0) -> None:
        self._deadline = time.monotonic() + self._allowed + more

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._requests, left) :]
            except BlockingIOError:
                self._ready({self._requests: select.POLLOUT})
            except OSError:
                raise ProcessEndedError(None) from None

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        left = memoryview(data)
        while left:
            try:
                count = os.readv(self._answers, [left])
            except BlockingIOError:
                self._await()
                continue
            if not count:
                raise ProcessEndedError(None)
            self._is_up = True
            left = left[count:]
        return data

    def _await(self) -> None:
        """Wait for more of an answer."""
        wanted = {self._answers: select.POLLIN, self._statuses: select.POLLIN}
        while self._answers not in self._ready(wanted):
            status = self._next_status()
            if status != WAITS:
                raise ProcessEndedError(status)

    def _ready(self, wanted: dict[int, int]) -> dict[int, int]:
        """Wait until one of some descriptors is ready, or it is too late."""
        poll = select.poll()  # not select(), which takes descriptors below 1,024 alone
        for descriptor, event in wanted.items():
            poll.register(descriptor, event)
        left = max(0.0, self._deadline - time.monotonic())
        events = dict(poll.poll(1000 * left))
        if not events:
            raise ProcessEndedError(None, is_late=True)
        return events

    def _read_status(self) -> int:
        """How the last query's process has ended."""
        while True:
            self._ready({self._statuses: select.POLLIN})
            status = self._next_status()
            if status != WAITS:
                return status

    def _next_status(self) -> int:
        data = os.read(self._statuses, STATUS.size)
        if len(data) != STATUS.size:
            raise ProcessEndedError(None)
        (status,) = STATUS.unpack(data)
        self._is_up = True
        if status == WAITS:
            self._extend()
        else:
            self._owes_status = False
        return int(status)

    def _drop_answer(self) -> None:
        """Forget what there is of an answer whose process ended before its end."""
        with suppress(BlockingIOError):
            while os.read(self._answers, 1 << 16):
                pass

    def stop(self) -> None:
        """End it, whatever it does."""
        self.forget()
        for kill in (os.killpg, os.kill):  # it has no group of its own at first
            with suppress(OSError):
                kill(self._pid, signal.SIGKILL)
        with suppress(OSError):
            os.waitpid(self._pid, 0)

    def forget(self) -> None:
        """Close this side; after a fork, in the child."""
        for descriptor in (self._requests, self._answers, self._statuses):
            with suppress(OSError):
                os.close(descriptor)
