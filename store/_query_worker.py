"""A process that runs queries, from the side that asks; see `_query_process`."""

import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ._query_wire import STATUS, dumped, read_result, write_all

if TYPE_CHECKING:
    from ._query_process import Request
    from ._sql_result import SqlResult

_LATE_SECONDS = 0.7  # after the limit, for whoever ends the query's process to do so


class ProcessEndedError(Exception):
    """The process of a query has ended before its answer did.

    Attributes:
        status: Its exit code, negative for a signal; None when all is gone.
    """

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


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
        self._deadline = 0.0
        os.set_blocking(answers, False)

    def ask(self, request: "Request") -> "SqlResult":
        """Run a query.

        Raises:
            ProcessEndedError: If its process ends before.
            StepwellError: If the query is refused or fails.
        """
        allowed = request.wait + request.seconds + _LATE_SECONDS
        self._deadline = time.monotonic() + min(allowed, 1e6)
        if self._owes_status:
            self._read_status()
        self._drop_answer()
        try:
            write_all(self._requests, dumped(request))
        except OSError:
            raise ProcessEndedError(None) from None
        self._owes_status = True
        return read_result(self._read, request.limit)

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
            left = left[count:]
        return data

    def _await(self) -> None:
        """Wait for more of an answer."""
        poll = select.poll()  # not select(), which takes descriptors below 1,024 alone
        poll.register(self._answers, select.POLLIN)
        poll.register(self._statuses, select.POLLIN)
        left = max(0.0, self._deadline - time.monotonic())
        events = dict(poll.poll(1000 * left))
        if self._answers in events:
            return
        raise ProcessEndedError(self._read_status() if events else None)

    def _read_status(self) -> int:
        self._owes_status = False
        data = os.read(self._statuses, STATUS.size)
        if len(data) != STATUS.size:
            raise ProcessEndedError(None)
        return int(STATUS.unpack(data)[0])

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
