"""The program of the helper process: folds when asked, and once more at the end."""

import contextlib
import os
import signal
import sys
import threading
import time
from typing import NoReturn

from stepwell.store.database import duckdb_instance
from stepwell.store.database.lease import Lease, lease_of
from stepwell.store.database.schema_upgrade import prepare
from stepwell.store.files.location import Location, resolve
from stepwell.store.ingest.ingest import fold, get_ready

from .leader import FoldTurn
from .requests import FoldRequests

# A fold needs less; DuckDB would keep the blocks of the database file beyond that.
_MEMORY = "48MB"
_PARENT_SECONDS = 1.0  # how often it looks whether its parent still lives
_AHEAD_SECONDS = 0.1  # that it waits for the store before it is asked for a fold
_LAST_SECONDS = 45  # that it may take when its parent has gone; a lock is waited for less


def main(database: str, parent: int) -> NoReturn:
    """Serve a parent, whoever else folds the store.

    Args:
        database: The store's database file.
        parent: Process id of the parent, which may have ended already.
    """
    location = resolve(database)
    serve(location, FoldRequests(parent), FoldTurn(location))


def serve(location: Location, requests: FoldRequests, turn: FoldTurn) -> NoReturn:
    """Fold when the parent asks for it, or others who wish for it, until the parent ends.

    What a fold could not do stays in the journals, for the next.

    Args:
        location: The store.
        requests: What the parent asks.
        turn: The turn to fold; while another process has it, only the parent is served.
    """
    # DuckDB 1.5 looks for pandas at each parameter, 0.3 ms a time where there is none.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    _end_after(requests.parent)
    lease = lease_of(location)
    # One thread, as the other cores are the training's; no folder to spill to, as a fold is
    # cut to fit this memory.
    duckdb_instance.limits.update(threads=1, memory_limit=_MEMORY, temp_directory="")
    with turn.working():
        _prepare_apart(lease)
        requests.receive(0.0)
        is_wished = turn.is_wished()
        # Getting ready is a rehearsal on a sample. Where somebody waits already, the fold
        # itself does as well.
        if not (is_wished or requests.are_due or requests.is_over):
            _get_ready(lease)
    while not requests.is_over:
        if requests.are_due or is_wished:
            is_awaited = requests.is_awaited or turn.is_awaited
            with turn.working():
                is_done = _folded(lease, is_awaited=is_awaited)
            if is_done:
                turn.say_done()
            requests.answer(is_done=is_done)
        # Once a round: whoever had the turn may have ended, and this process, which has
        # loaded DuckDB in any case, can then fold for the others.
        turn.take()
        requests.receive(turn.patience, turn.alarm)
        is_wished = turn.is_wished()
    with turn.working():
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
        # An orphan gets another parent. The end of the pipe would not do: children that the
        # parent has forked may keep it open.
        while os.getppid() == parent:
            signal.alarm(_LAST_SECONDS)
            time.sleep(_PARENT_SECONDS)

    threading.Thread(target=watch, name="stepwell-parent", daemon=True).start()


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


def _get_ready(lease: Lease) -> None:
    with contextlib.suppress(Exception):  # what fails now fails in the fold, and is said
        if lease.location.database.exists():
            get_ready(lease, _AHEAD_SECONDS)


def _folded(lease: Lease, *, is_awaited: bool) -> bool:
    """Whether all is folded; what nobody waits for leaves users' queries alone."""
    try:
        fold(lease, stops_queries=is_awaited)
    except Exception:  # noqa: BLE001 (the parent folds itself then, and says what is wrong)
        return False
    return not lease.passed  # which the parent may have the memory for, or names
