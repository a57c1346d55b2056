"""What lies in the journals' folders and was written by no writer of a ledger."""

import os
import random
import stat
from pathlib import Path

from hostile._generator import Here
from hostile._strangers import STRANGERS

from stepwell.store.journal.writer_alive import machine, process_started

from ._setting import Setting

_FROM_THE_START = (
    "a FIFO",
    "a socket",
    "a folder",
    "a link to nothing",
    "a link to a device without end",
    "a start without a time",
)
_KINDS = sorted(STRANGERS)
_MOST = 8  # that come in addition


class Strangers:
    """Puts into a store's folder what is no journal, or none that can be understood.

    Args:
        setting: The torture.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._folders = [
            Path(f"{store}.journal") for store in (setting.store, setting.quiet_store)
        ]
        pid = os.getpid()
        self._here = Here(machine(), pid, process_started(pid) or 0)
        self._put: list[Path] = []
        self._added = 0
        for folder in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            for name in _FROM_THE_START:
                self._add(folder, name, setting.draw(folder, name))

    def add(self, which: float, amount: float) -> None:
        """Put one there; the numbers, from 0 to 1, say which, and where."""
        if self._added >= _MOST:
            return  # each new process tries each of them again, which takes its time
        self._added += 1
        draw = random.Random(amount)
        self._add(draw.choice(self._folders), _KINDS[int(which * len(_KINDS))], draw)
        self._setting.count("strangers in a folder")

    def _add(self, folder: Path, name: str, draw: random.Random) -> None:
        path = STRANGERS[name](folder, self._here, draw)
        with self._setting.strangers.open("a") as file:
            file.write(f"{path}\n")
        if not stat.S_ISREG(path.lstat().st_mode):
            self._put.append(path)

    def gone(self) -> list[Path]:
        """Those that are no files, and that somebody took away."""
        return [path for path in self._put if not os.path.lexists(path)]


def strange_runs(setting: Setting) -> set[str]:
    """The runs that strangers name: nobody knows what is to become of them."""
    lines = setting.strangers.read_text().splitlines()
    return {Path(line).name.rpartition("-")[0] for line in lines}
