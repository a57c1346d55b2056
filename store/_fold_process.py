"""The program of the helper process: folds when asked, and once more at the end."""

import contextlib
import os
import select
import signal
import sys
import threading
import time

from . import _memory
from ._fold import fold
from ._fold_helper import AWAITED
from ._lease import Lease, lease_of
from ._location import resolve
from ._prepare import prepare

# A fold needs less; DuckDB would keep the blocks of the database file beyond that.
_MEMORY = "48MB"
_PARENT_SECONDS = 1.0  # how often it looks whether its parent still lives
_LAST_SECONDS = 45  # that it may take when its parent has gone; a lock is waited for less


def main(database: str, parent: int) -> None:
    """Serve the parent over standard input and output until it ends.

    A line in, a number, asks for a fold, with a sign behind it where somebody waits for it;
    the same number out says that it is done, its negative that it failed. What a fold could
    not do stays in the journals, for the next.

    Args:
        database: The store's database file.
        parent: Process id of the parent, which may have ended already.
    """
    with contextlib.suppress(OSError):
        os.nice(5)
    # DuckDB 1.5 looks for pandas at each parameter, 0.3 ms a time where there is none.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    answers = _own_output()
    _end_after(parent)
    lease = lease_of(resolve(database))
    received = b""
    _memory.limits.update(threads=1, memory_limit=_MEMORY, temp_directory="")
    _prepare_apart(lease)
    while True:
        ready, _, _ = select.select([0], [], [], _PARENT_SECONDS)
        data = os.read(0, 4096) if ready else b""
        if (ready and not data) or os.getppid() != parent:
            break
        *lines, received = (received + data).split(b"\n")
        if lines:
            is_awaited = any(line.endswith(AWAITED) for line in lines)
            sign = b"" if _folded(lease, is_awaited=is_awaited) else b"-"
            with contextlib.suppress(OSError):
                os.write(answers, sign + lines[-1].rstrip(AWAITED) + b"\n")
    _folded(lease, is_awaited=True)
    os._exit(0)  # nothing is attached, and the parent waits


def _end_after(parent: int) -> None:
    """Let the system end this process soon after *parent*, whatever it does then.

    The alarm is put off while the parent lives, and rings even within a call that keeps
    Python's lock. A kill at any instant loses nothing: the journals keep what was not
    folded.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})

    signal.alarm(_LAST_SECONDS)

    def watch() -> None:
        while os.getppid() == parent:
            signal.alarm(_LAST_SECONDS)
            time.sleep(_PARENT_SECONDS)

    threading.Thread(target=watch, name="stepwell-parent", daemon=True).start()


def _own_output() -> int:
    """Standard output for the answers alone; what a library prints goes nowhere."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _prepare_apart(lease: Lease) -> None:
    """Make a store in a child: what that loads need not stay in this process."""
    if lease.location.database.exists() or not lease.location.journals.is_dir():
        return
    child = os.fork()
    if child == 0:
        signal.alarm(_LAST_SECONDS)
        with contextlib.suppress(Exception):
            prepare(lease)
        os._exit(0)
    os.waitpid(child, 0)


def _folded(lease: Lease, *, is_awaited: bool) -> bool:
    """Whether all is folded; what nobody waits for leaves users' queries alone."""
    try:
        fold(lease, stops_queries=is_awaited)
    except Exception:  # noqa: BLE001 (the parent folds itself then, and says what is wrong)
        return False
    return not lease.passed  # which the parent may have the memory for, or names
