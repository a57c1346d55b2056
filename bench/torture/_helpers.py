"""The library's folding helpers: which has its store's turn, and which stand by."""

import os
import random
import signal
import time
from pathlib import Path

from stepwell.store.files.location import resolve
from stepwell.store.files.lock_file import LockFile
from stepwell.store.ingest_helper.leader import NAME, FoldTurn

from ._processes import Processes
from ._setting import Setting

_PROGRAM = b"ingest_helper.standby"  # is in the command line of each
_PATIENCE = 0.5  # seconds in which there may be somebody to strike, or a fold
_AT_A_FOLD = 0.7  # of the strikes at who has the turn
_LONGEST_FOLD = 0.1  # seconds into a fold
_LONGEST_STOP = 3.0  # seconds; after less than one, others do without who is stopped


class Helpers:
    """The folding helpers of a torture's own processes.

    Args:
        setting: The torture.
        processes: Its processes; nobody else is struck.
    """

    def __init__(self, setting: Setting, processes: Processes) -> None:
        self._setting = setting
        self._processes = processes
        self._turns: dict[Path, tuple[LockFile, FoldTurn]] = {}
        for store in (setting.store, setting.quiet_store):
            location = resolve(store)
            location.journals.mkdir(parents=True, exist_ok=True)
            lock = LockFile(location.journals / NAME)
            self._turns[location.database] = lock, FoldTurn(location)

    def kill_holder(self, whom: float, amount: float) -> None:
        """Kill one that has its turn, mostly at a fold."""
        pid, is_folding = self._holder(whom, random.Random(amount))
        is_killed = self._kill(pid, "kills of a folding helper in its turn")
        if is_killed and is_folding:
            self._setting.count("kills of a folding helper at a fold")

    def kill_stand_by(self, whom: float) -> None:
        """Kill one that has not its turn."""
        self._kill(self._stand_by(whom), "kills of a helper that stands by")

    def stop_holder(self, whom: float, amount: float) -> tuple[int, float] | None:
        """Stop one that has its turn, mostly at a fold.

        Returns:
            Which it is, and for how many seconds.
        """
        draw = random.Random(amount)
        pid, is_folding = self._holder(whom, draw)
        if not self._stop(pid, "stops of a folding helper in its turn"):
            return None
        if is_folding:
            self._setting.count("stops of a folding helper at a fold")
        return pid, draw.random() * _LONGEST_STOP

    def stop_stand_by(self, whom: float, amount: float) -> tuple[int, float] | None:
        """Stop one that has not its turn; gives the same."""
        pid = self._stand_by(whom)
        is_stopped = self._stop(pid, "stops of a helper that stands by")
        return (pid, amount * _LONGEST_STOP) if is_stopped else None

    def _kill(self, pid: int, what: str) -> bool:
        return self._count(what, is_struck=self._processes.kill(pid))

    def _stop(self, pid: int, what: str) -> bool:
        is_ours = pid in self._processes.all()
        is_struck = is_ours and self._processes.send(pid, signal.SIGSTOP)
        return self._count(what, is_struck=is_struck)

    def _count(self, what: str, *, is_struck: bool) -> bool:
        self._setting.count(what if is_struck else "strikes at helpers that found none")
        return is_struck

    def _holder(self, whom: float, draw: random.Random) -> tuple[int, bool]:
        """One that has its turn, 0 for none, and whether it is at a fold."""
        deadline = time.monotonic() + _PATIENCE
        wants_fold = draw.random() < _AT_A_FOLD
        into = draw.random() * _LONGEST_FOLD
        while True:
            found = self._holders()
            folding = [one for one in found if one[1].is_working]
            if folding and wants_fold:
                time.sleep(into)
            is_late = time.monotonic() > deadline
            some = folding or found if is_late or not wants_fold else folding
            if some:
                pid, turn = some[int(whom * len(some))]
                return pid, turn.is_working
            if is_late:
                return 0, False
            time.sleep(0.002)

    def _holders(self) -> list[tuple[int, FoldTurn]]:
        asked = [(lock.holder(), turn) for lock, turn in self._turns.values()]
        return [(pid, turn) for pid, turn in asked if pid]

    def _stand_by(self, whom: float) -> int:
        """One that has not its turn; 0 for none."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            holders = {pid for pid, _ in self._holders()}
            found = [
                pid
                for pid in self._processes.all()
                if pid not in holders and self._is_helper(pid)
            ]
            if found:
                return found[int(whom * len(found))]
            if time.monotonic() > deadline:
                return 0
            time.sleep(0.02)

    def _is_helper(self, pid: int) -> bool:
        """Whether a process is a helper of one of the stores."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        stores = {os.fsencode(database) for database in self._turns}
        return any(_PROGRAM in word for word in words) and bool(stores & set(words))
