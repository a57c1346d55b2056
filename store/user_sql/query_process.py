"""The program that runs users' queries: a process that forks one for each query.

The one that forks has no DuckDB of its own and waits; whatever a query does, to memory or
to time, is over when its own process ends. The next process makes its DuckDB ahead, from
the second query on while the one before it runs.
"""

import fcntl
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import duckdb

from stepwell.store.base.errors import QueryError, StepwellError
from stepwell.store.database.duckdb_instance import load_for_texts, new_memory
from stepwell.store.database.file_guard import FileGuard
from stepwell.store.database.lease import lease_of
from stepwell.store.database.turns import WISH
from stepwell.store.files.location import Location, resolve
from stepwell.store.files.lock_file import LockFile

from .answer_frames import END, frame_of_error, frames_of_arrays, frames_of_rows
from .check_query import check
from .wire_format import LENGTH, STATUS, WAITS, loaded, write_all

TIMED_OUT, YIELDED = 1000, 1001
MEMORY = 3 * 2**30
"""Bytes that a query's process may take in addition to what it has when it begins."""

_CONFIG = {
    "threads": 2,
    "memory_limit": "2GB",
    "max_temp_directory_size": "0B",
    "allow_community_extensions": "false",
}
_LOOK_SECONDS = 0.05  # between two looks whether somebody waits for the store
_LONGEST = 500  # characters of an error, which may hold a name or all of the query
_MORE_SECONDS = 5.0  # after which a query's process ends even where nobody ends it


class Request(NamedTuple):
    """A query, and what it may take.

    Attributes:
        database: The store's database file.
        query: What the user wrote.
        wait: Seconds to wait for the store.
        seconds: Seconds that the query may run.
        limit: Rows at most, and one more to know of.
        with_numpy: Whether columns may be arrays.
        yields: Whether it is stopped when somebody needs the store.
    """

    database: str
    query: str
    wait: float
    seconds: float
    limit: int | None
    with_numpy: bool
    yields: bool


def serve(requests: int, answers: int, statuses: int) -> None:
    """Answer one query after the other until nobody can ask any more.

    Args:
        requests: Descriptor to read a pickled `Request` from.
        answers: Descriptor that the frames of an answer are written to; see `wire_format`.
        statuses: Descriptor to say on how the process of each query has ended.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A query at which DuckDB aborts must not leave gigabytes of a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    load_for_texts()
    ready: _Child | None = None
    is_first = True
    while True:
        asked, ready = ready or _Child(answers), None
        try:
            data = _read_frame(requests)
            asked.hand(data)
            request: Request = loaded(data)
            if request.with_numpy:
                import numpy  # noqa: F401, PLC0415 (for the next one)
            if not is_first:  # there may be more of them
                with suppress(OSError):
                    ready = _Child(answers, beside=asked)
            status = asked.outcome(request, requests, statuses)
        finally:
            asked.kill()
        if status is None:
            return
        if status and ready:  # what befell the one may have befallen the other
            ready.kill()
            ready = None
        os.write(statuses, STATUS.pack(status))
        is_first = False


def _read_frame(descriptor: int) -> bytes:
    (length,) = LENGTH.unpack(_read(descriptor, LENGTH.size))
    return _read(descriptor, length)


def _read(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = os.read(descriptor, size - len(data))
        if not more:
            os._exit(0)  # who asks has gone
        data += more
    return data


class _Child:
    """The process of the next query."""

    def __init__(self, answers: int, beside: "_Child | None" = None) -> None:
        request, self._request = os.pipe()
        self._life, life = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            with suppress(BaseException):
                self.close()
                if beside:
                    beside.close()  # else that one would not notice the server's end
                _answer(request, answers, life)
            os._exit(1)
        os.close(request)
        os.close(life)

    def hand(self, data: bytes) -> None:
        """Give it its query."""
        with suppress(OSError), os.fdopen(self._request, "wb", closefd=False) as pipe:
            pipe.write(LENGTH.pack(len(data)) + data)

    def outcome(self, request: Request, requests: int, statuses: int) -> int | None:
        """Wait until it has ended, or end it; None when nobody waits for it any more."""
        poll = select.poll()
        poll.register(self._life, select.POLLIN)
        poll.register(requests, 0)  # which tells of the end of the other side
        deadline = float("inf")
        while True:
            if deadline == float("inf") and not self._is_stopped():
                os.write(statuses, STATUS.pack(WAITS))
            left = min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
            events = dict(poll.poll(1000 * left))
            if requests in events:
                return None
            if self._life in events:
                if not os.read(self._life, 1):
                    return self._reap()
                os.write(statuses, STATUS.pack(WAITS))
                # Its time begins when it has the store; how long it waits for that it
                # limits itself, by `Request.wait`.
                deadline = time.monotonic() + request.seconds
            elif time.monotonic() >= deadline:
                return TIMED_OUT
            elif request.yields and _is_wished_for(request.database):
                return YIELDED

    def _is_stopped(self) -> bool:
        if not hasattr(os, "waitid"):
            return False  # macOS
        options = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, options) is not None

    def _reap(self) -> int:
        pid, self.pid = self.pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def kill(self) -> None:
        """End it now, whatever it does; nothing where it has ended."""
        self.close()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self._reap()

    def close(self) -> None:
        """Close this side; in another child, too."""
        for descriptor in (self._request, self._life):
            os.close(descriptor)


def _is_wished_for(database: str) -> bool:
    """Whether somebody waits for a store so that queries should give it up."""
    # Opened at each look: the store may have been removed, and be another by now. Never
    # made: that would be in the way of whoever removes the folder once he has his answer.
    try:
        gate = LockFile(Location(Path(database)).journals / ".gate", makes=False)
    except StepwellError:
        return False
    try:
        return gate.is_signed(WISH)
    finally:
        gate.forget()  # this process has no lock on it that would go with the descriptor


def _answer(requests: int, answers: int, life: int) -> None:
    """Answer one query, and end."""
    memory = new_memory(**_CONFIG)
    with suppress(QueryError, duckdb.Error):
        check(memory, "select 1")  # what takes long the first time
    request: Request = loaded(_read_frame(requests))
    _end_with_server(requests)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    longest = min(request.wait + request.seconds + _MORE_SECONDS, 1e6)
    signal.setitimer(signal.ITIMER_REAL, longest)

    def send(frame: list[object]) -> None:
        for data in frame:
            write_all(answers, data)

    try:
        lease = lease_of(resolve(request.database))
        with lease.querying(memory, request.wait) as connection:
            # Only now: what attaching the store has taken is not the query's, which may
            # take `MEMORY` beyond it.
            _limit_itself()
            os.write(life, b"r")
            _run(connection, lease.guard, request, send)
            os._exit(0)  # which gives back the lock, and DuckDB's
    except StepwellError as error:
        send(frame_of_error(error))
        os._exit(0)


def _end_with_server(requests: int) -> None:
    """Let the end of the process that forked this one end it: nobody else would in time.

    That one holds the pipe's other end, and the pipe's end is a SIGIO, which is fatal.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(requests, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(requests, fcntl.F_GETFL)
    fcntl.fcntl(requests, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([requests], [], [], 0)[0]:
        os._exit(0)  # it had gone before


def _frames(
    connection: duckdb.DuckDBPyConnection, guard: FileGuard, request: Request
) -> Iterator[list[object]]:
    (*first, last), names = check(connection, request.query)
    guard.make_views(connection, names)
    for statement in first:
        connection.execute(statement).fetchall()
    if request.with_numpy and request.limit is None and last.type.name == "SELECT":
        frames = frames_of_arrays(connection.sql(last))
        if frames is not None:
            return frames
    connection.execute(last)
    return frames_of_rows(connection, request.limit)


def _run(
    connection: duckdb.DuckDBPyConnection,
    guard: FileGuard,
    request: Request,
    send: Callable[[list[object]], None],
) -> None:
    try:
        for frame in _frames(connection, guard, request):
            send(frame)
        send(END)
    except StepwellError:
        raise
    except duckdb.Error as error:
        raise QueryError(_one_line(error)) from error
    except MemoryError as error:
        raise QueryError("the query needs more memory than it may have") from error
    except Exception as error:  # a value that Python has no room for
        raise QueryError(_one_line(error)) from error


def _limit_itself() -> None:
    """Let the system refuse what a query has no use for: much memory, and any file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _one_line(error: Exception) -> str:
    said = str(error).partition("\nLINE ")[0].partition("\nStack Trace:")[0]
    line = " ".join(said[: 2 * _LONGEST].split()) or type(error).__name__
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
