"""The program of a helper process: it stands by while another one folds its store.

Standing by needs neither DuckDB nor numpy, and so a fifth of the memory. What is asked for
is done when the ended journals of the own parent are folded, which the folder shows: they
are removed then.
"""

import contextlib
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from stepwell.store.base.errors import StoreError
from stepwell.store.database.load_duckdb import load_duckdb
from stepwell.store.files.location import Location, resolve
from stepwell.store.journal.files import JournalFile, list_journals, read_header
from stepwell.store.journal.format import Header
from stepwell.store.journal.writer_alive import is_here
from stepwell.store.journal.writer_lock import has_life_lock

from .leader import FoldTurn
from .requests import FoldRequests

_IDLE_SECONDS = 0.5  # how often the turn is asked for, and the parent looked for
_PAUSE = 0.015  # the same while a fold is waited for
_SILENT_SECONDS = 0.75  # that whoever has the turn may take to begin what is wished for
_LAST_SECONDS = 45.0  # that anything may take when the parent has gone


def main(database: str, parent: int) -> NoReturn:
    """Fold for a parent, or have it folded by the helper of another one.

    Args:
        database: The store's database file.
        parent: Process id of the parent, which may have ended already.
    """
    with contextlib.suppress(OSError):
        # First of all, so that loading DuckDB gives way to the training, too.
        os.nice(5)
    location, requests = resolve(database), FoldRequests(parent)
    turn = FoldTurn(location)
    stand_by(location, requests, turn)
    # Loading may take longer than others wait for a sign of work: they would take this
    # process for stuck, and load DuckDB themselves.
    with turn.working():
        load_duckdb()
        from .main import serve  # noqa: PLC0415 (uses DuckDB)

    serve(location, requests, turn)


@dataclass(slots=True)
class _Wish:
    """A fold that is waited for.

    Attributes:
        journals: Those that it has to take in, as far as they are still there.
        done: What the turn's number of done folds was; None where none is needed.
        since: When whoever has the turn was last seen at work.
    """

    journals: set[Path]
    done: int | None
    since: float

    def is_granted(self, turn: FoldTurn) -> bool:
        """Whether it is done."""
        if not self.journals:
            return self.done is None or turn.done != self.done
        self.journals = {path for path in self.journals if os.path.lexists(path)}
        return not self.journals

    def is_unheard(self, turn: FoldTurn) -> bool:
        """Whether nobody does anything about it: who has the turn is stopped, or fails."""
        if turn.is_working:
            self.since = time.monotonic()
        return time.monotonic() - self.since > _SILENT_SECONDS


def stand_by(location: Location, requests: FoldRequests, turn: FoldTurn) -> None:
    """Have others fold, until it is this process's turn, or it has to fold without.

    Ends the process when the parent has gone and nothing of it is left to fold.
    """
    waiting = _Waiting(location.journals, requests, turn)
    while not turn.take() and not turn.is_of_a_stranger and waiting.goes_on():
        pass
    turn.end_wish()


class _Waiting:
    def __init__(self, folder: Path, requests: FoldRequests, turn: FoldTurn) -> None:
        self._folder = folder
        self._requests = requests
        self._turn = turn
        self._headers: dict[str, Header] = {}
        self._wish: _Wish | None = None
        self._deadline = math.inf

    def goes_on(self) -> bool:
        """Wait a little, and answer what is done; false where this process has to fold."""
        if self._requests.receive(_IDLE_SECONDS if self._wish is None else _PAUSE):
            self._wish = self._new_wish()
            if self._requests.is_over:
                self._deadline = time.monotonic() + _LAST_SECONDS
            if self._wish is None:
                return False
        if time.monotonic() > self._deadline:
            os._exit(0)
        if self._wish is None:
            return True
        if not self._wish.is_granted(self._turn):
            return not self._wish.is_unheard(self._turn)
        if self._requests.is_over:
            os._exit(0)
        self._requests.answer(is_done=True)
        self._turn.end_wish()
        self._wish = None
        return True

    def _new_wish(self) -> _Wish | None:
        """Wish for a fold; None where it could not be seen whether it is done."""
        journals = _ended_journals(self._folder, self._requests.parent, self._headers)
        if journals is None:
            return None
        is_awaited = self._requests.is_awaited or self._requests.is_over
        # Who waits, waits for journals that have ended. There are none left: nothing is to
        # be done.
        if is_awaited and not journals:
            return _Wish(journals, None, time.monotonic())
        # The number is read before the wish is made: behind it, the fold that grants the
        # wish might be counted already, and be waited for in vain.
        wish = _Wish(journals, self._turn.done, time.monotonic())
        self._turn.wish(is_awaited=is_awaited)
        return wish


def _ended_journals(
    folder: Path, parent: int, headers: dict[str, Header]
) -> set[Path] | None:
    """The journals that a process has ended, and nobody has folded; None if unknown."""
    found = set()
    try:
        for journal in list_journals(folder):
            header = _header_of(journal, headers)
            if header is None or header.pid != parent or not is_here(header):
                continue
            lives = has_life_lock(journal.path) if header.locked else None
            if lives is None and journal.path.exists():
                return None
            if lives is False:
                found.add(journal.path)
    except (OSError, StoreError):
        return None
    return found


def _header_of(journal: JournalFile, headers: dict[str, Header]) -> Header | None:
    if journal.writer not in headers:
        with contextlib.suppress(FileNotFoundError):  # folded just now
            read = read_header(journal.path)
            if read is not None:
                headers[journal.writer] = read[0]
    return headers.get(journal.writer)
