"""What is done to the store's files and to the disk."""

import json
import os
import random
import stat
import struct
import subprocess
import time
from pathlib import Path
from zlib import crc32

from stepwell.store import StoreBusyError
from stepwell.store.files.lock_file import LockFile

from ._processes import Processes
from ._setting import Setting

_MAGIC = 16  # bytes before the first record of a journal
_HEADER, _STARTED, _NAMES, _POINTS = 1, 2, 3, 4
_END = 2**61  # behind each call
_FRAME = struct.Struct("<IB3x")
_PATIENCE = 3.0  # seconds
_UNFOLDED = 0.3  # seconds at most in which a writer goes on before the damage


class Damage:
    """Kills a writer and damages its journal, before any fold can see either."""

    def __init__(self, setting: Setting, processes: Processes) -> None:
        self._setting = setting
        self._processes = processes
        journals = Path(f"{setting.store}.journal")
        journals.mkdir(parents=True, exist_ok=True)
        self._journals = journals
        self._gate = LockFile(journals / ".gate")
        self._lock = LockFile(journals / ".lock")

    def holder(self, seconds: float = 0.5) -> int | None:
        """The process that holds the store just now, or the next one to do so."""
        deadline = time.monotonic() + seconds
        while True:
            holder = self._lock.holder()
            if holder is not None or time.monotonic() > deadline:
                return holder
            time.sleep(0.001)

    def strike(self, whom: float, amount: float) -> str | None:
        """Damage the journal of one of the writers.

        Returns:
            What was done; None where the store was in use, or nobody wrote.
        """
        deadline = time.monotonic() + _PATIENCE
        try:
            self._gate.acquire(deadline, exclusive=True)
            self._lock.acquire(deadline, exclusive=True)
        except StoreBusyError:
            return None
        finally:
            self._gate.release()
        try:
            return self._strike(whom, random.Random(amount))
        finally:
            self._lock.release()

    def _strike(self, whom: float, draw: random.Random) -> str | None:
        found = self._journals_of_ours()
        if not found:
            return None
        time.sleep(draw.random() * _UNFOLDED)
        path, pid = found[int(whom * len(found))]
        if not self._processes.kill(pid):
            return None
        while pid in self._processes.all():
            time.sleep(0.002)
        data = bytearray(path.read_bytes())
        # More often near the end, which is not folded yet.
        place = len(data) - int(len(data) ** draw.random())
        for stream, number in calls_behind(bytes(data), place).items():
            with self._setting.excuses.open("a") as file:
                file.write(f"{stream} {number}\n")
        times = path.stat()
        if draw.random() < 0.5:  # noqa: PLR2004
            os.truncate(path, place)
            return "journals truncated"
        data[place] ^= 1 << draw.randrange(8)
        with path.open("r+b") as file:
            file.seek(place)
            file.write(data[place : place + 1])
        os.utime(path, (times.st_atime, times.st_mtime))
        return "journals with a flipped bit"

    def _journals_of_ours(self) -> list[tuple[Path, int]]:
        ours = set(self._processes.all())
        files = [
            path
            for path in sorted(self._journals.glob("*.journal"))
            if stat.S_ISREG(path.lstat().st_mode)
        ]
        found = [(path, writer_of(path.read_bytes())) for path in files]
        return [(path, pid) for path, pid in found if pid in ours]


def records_of(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Kind, bounds and payload of a journal's whole records, read the simplest way."""
    found = []
    offset = _MAGIC
    while offset + 12 <= len(data):
        length, kind = _FRAME.unpack_from(data, offset)
        record = data[offset : offset + length]
        if length < 12 or len(record) < length:  # noqa: PLR2004 (frame and checksum)
            break
        if crc32(record[:-4]) != int.from_bytes(record[-4:], "little"):
            break
        found.append((kind, offset, offset + length, record[8:-4]))
        offset += length
    return found


def writer_of(data: bytes) -> int:
    """The process that a journal says it is written by; 0 where it does not."""
    first = _FRAME.unpack_from(data, _MAGIC)[0] if len(data) > _MAGIC + 8 else 0
    records = records_of(data[: _MAGIC + first])
    try:
        return int(json.loads(records[0][3])["pid"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return 0  # a stranger


def calls_behind(data: bytes, place: int) -> dict[str, int]:
    """For each stream in a journal, its first call whose record ends behind *place*.

    A stream that has no such call has one in danger all the same: its next, which may have
    been under way. Of a run without a call, it is the end that is in danger; so it is where
    a journal had just gone on in a new file.
    """
    names: dict[int, str] = {}
    behind: dict[str, int] = {}
    begun: dict[str, int] = {}
    for kind, _, stop, payload in records_of(data):
        if kind == _HEADER and (header := json.loads(payload)).get("continues"):
            begun = {header["name"]: _END} if header["primary"] else {}
        elif kind == _STARTED:
            begun = {json.loads(payload)["name"]: 0}
        elif kind == _NAMES:
            number = int.from_bytes(payload[:4], "little")
            names[number] = json.loads(payload[4:])[0].split("/")[0]
        elif kind == _POINTS:
            stream = names[int.from_bytes(payload[:4], "little")]
            step = int.from_bytes(payload[4:12], "little", signed=True)
            if stop <= place:
                behind[stream] = max(behind.get(stream, 0), step + 1)
            else:
                behind[stream] = min(behind.get(stream, step), step)
    return behind or begun


class SmallDisk:
    """A disk of some megabytes with a store on it, to be filled to its last byte.

    Args:
        folder: Where it is mounted.
        megabytes: Its size.
    """

    def __init__(self, folder: Path, megabytes: int) -> None:
        folder.mkdir()
        self._folder = folder
        size = f"size={megabytes}m"
        command = ["mount", "-t", "tmpfs", "-o", size, "stepwell-torture", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except OSError:
            self.is_there = False
        else:
            self.is_there = done.returncode == 0

    def fill(self) -> None:
        """Leave no byte."""
        file = os.open(self._folder / "filler", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        try:
            while True:
                os.write(file, bytes(65536))
        except OSError:
            pass
        finally:
            os.close(file)

    def free(self) -> None:
        """Make room again."""
        (self._folder / "filler").unlink(missing_ok=True)

    def remove(self) -> None:
        """Take it away, with all that is on it."""
        if self.is_there:
            subprocess.run(["umount", "-l", str(self._folder)], check=True)
