"""Starting the processes that run queries, keeping them for the next, and ending them.

They are started at the first query and end with this process. Two threads that ask at once
have one each.
"""

import atexit
import fcntl
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stepwell.store.base.errors import QueryError, StepwellError
from stepwell.store.base.forks import starting_process
from stepwell.store.database.load_duckdb import load_duckdb

from .worker_handle import ProcessEndedError, QueryWorker

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); sys.argv[0] = 'stepwell';"
    " from stepwell.store.user_sql.start_process import main; main()"
)
_OPTIONS = ("-P", "-W", "ignore", "-c", _START)  # -P: no module of the current folder
_MOST_IDLE = 2
_PIPE_BYTES = 2**20
_TASKS = Path("/proc/self/task")

_lock = threading.RLock()
_idle: list[QueryWorker] = []
_all: set[QueryWorker] = set()


@contextmanager
def worker() -> Iterator[QueryWorker]:
    """A process that runs one query at a time, for as long as the block takes.

    It is kept for the next query unless the block is left half-way.

    Raises:
        QueryError: If the system lets none be started.
    """
    with _lock:
        taken = _idle.pop() if _idle else None
    taken = taken or _started()
    keeps = False
    try:
        yield taken
        keeps = True
    # An error that came as an answer has been read to its end. Whatever else ends the
    # block, such as Ctrl-C, may leave half an answer in the pipes, for the next query.
    except StepwellError:
        keeps = True
        raise
    except ProcessEndedError as ended:
        keeps = ended.status is not None
        raise
    finally:
        with _lock:
            keeps = keeps and len(_idle) < _MOST_IDLE
            if keeps:
                _idle.append(taken)
        if not keeps:
            _end(taken)


def start_ahead() -> None:
    """Let a process come up, where none is idle, while this one does something else.

    Raises:
        QueryError: If the system lets none be started.
    """
    if not _idle:
        started = _started()
        with _lock:
            _idle.append(started)


def _started() -> QueryWorker:
    path = json.dumps([entry or str(os.curdir) for entry in sys.path])
    # A program that was frozen into one file would start itself.
    if not sys.executable or getattr(sys, "frozen", False):
        raise QueryError("Python does not say which program it is, and SQL needs another")
    with starting_process:  # a child that is forked now would keep the pipes open
        theirs, mine = _pipes()
        # All pipes of this process are closed at an exec; what DUP2 makes is not, so the
        # new process has these three and no other.
        actions = [(os.POSIX_SPAWN_DUP2, theirs[place], place) for place in range(3)]
        program = [sys.executable, *_OPTIONS, path]
        try:
            pid = os.posix_spawn(program[0], program, os.environ, file_actions=actions)
        except OSError as error:
            for descriptor in mine:
                os.close(descriptor)
            raise QueryError(
                f"cannot start the process that runs queries: {error.strerror or error}"
            ) from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return _registered(QueryWorker(pid, *mine))


def fork_query_process() -> None:
    """Fork the process of the first query, where this one has a single thread.

    It is quicker than starting it. Nothing happens where forking is not known to be safe,
    such as in a process that has loaded DuckDB.
    """
    try:
        # A fork copies the calling thread alone, and locks as they are: one that another
        # thread held would be locked for ever.
        if len(list(_TASKS.iterdir())) != 1:
            return
    except OSError:
        return  # no Linux
    theirs, mine = _pipes()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            for descriptor in mine:
                os.close(descriptor)
            _serve(*theirs)
        os._exit(1)
    for descriptor in theirs:
        os.close(descriptor)
    with _lock:
        _idle.append(_registered(QueryWorker(pid, *mine)))


def _pipes() -> tuple[list[int], list[int]]:
    """Their ends and ours: of requests, of answers, and of statuses."""
    (request, asks), (answer, answers), (status, statuses) = (_pipe() for _ in range(3))
    with suppress(OSError, AttributeError):  # else it is read in pieces of 64 kB
        fcntl.fcntl(answers, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return [request, answers, statuses], [asks, answer, status]


def _pipe() -> tuple[int, int]:
    """A pipe that is none of the standard streams, where those are closed."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


def _registered(made: QueryWorker) -> QueryWorker:
    if not _all:
        atexit.register(_end_all)
    _all.add(made)
    return made


def _end(ended: QueryWorker) -> None:
    _all.discard(ended)
    ended.stop()


def _end_all() -> None:
    for each in list(_all):
        _end(each)


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 (the parent's may have been held)
    _lock = threading.RLock()
    for each in _all:
        each.forget()
    _all.clear()
    _idle.clear()


os.register_at_fork(after_in_child=_after_fork)


def main() -> None:
    """The program that `worker` starts; its standard streams are the pipes."""
    _serve(0, 1, 2, is_alone=True)


def _serve(requests: int, answers: int, statuses: int, *, is_alone: bool = False) -> None:
    """Serve on pipes, with nothing else of the process that started this one.

    Args:
        requests: See `query_process.serve`.
        answers: See there.
        statuses: See there.
        is_alone: Whether nothing of this process has opened files yet.
    """
    with suppress(OSError):
        os.setsid()  # so that it is ended with all its children
    pipes = [os.dup(pipe) for pipe in (requests, answers, statuses)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):  # a library may print, or DuckDB when it gives up
        os.dup2(nowhere, standard)
    if is_alone:
        # What is above was inherited: `nowhere`, made after the pipes, has the lowest free
        # number.
        os.closerange(nowhere + 1, 1 << 20)
    # DuckDB 1.5 loads pandas, where there is one, to look at a query's parameter.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    load_duckdb()
    from .query_process import serve  # noqa: PLC0415 (loads DuckDB)

    serve(*pipes)
