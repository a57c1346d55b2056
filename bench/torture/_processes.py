"""The processes of a torture: started, counted, reaped, and never left behind."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

_BECOME_REAPER = 36  # PR_SET_CHILD_SUBREAPER, prctl(2)


class Processes:
    """The descendants of this process.

    Args:
        errors: Folder for what they say of errors.
        environment: What they are given besides this process's own environment.
    """

    def __init__(self, errors: Path, environment: dict[str, str]) -> None:
        # Children whose parent is killed become this process's, to be reaped and ended.
        ctypes.CDLL(None).prctl(_BECOME_REAPER, 1, 0, 0, 0)
        self._errors = errors
        self._environment = {**os.environ, **environment}
        self.names: dict[int, str] = {}
        """Those that this process has started itself, and their names."""
        self.killed: set[int] = set()
        """Those that were killed on purpose."""

    def start(self, kind: str, name: str, *arguments: object) -> int:
        """Start `python -m torture`."""
        command = [sys.executable, "-m", "torture", kind, name, *map(str, arguments)]
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND
        file = os.open(self._errors / name, flags, 0o644)
        nothing = os.open(os.devnull, os.O_RDWR)
        files = [(os.POSIX_SPAWN_DUP2, nothing, number) for number in (0, 1)]
        files.append((os.POSIX_SPAWN_DUP2, file, 2))
        pid = os.posix_spawn(command[0], command, self._environment, file_actions=files)
        os.close(file)
        os.close(nothing)
        self.names[pid] = name
        return pid

    def reap(self) -> list[tuple[str, int, int]]:
        """Name, id and exit code of each started process that has ended since."""
        ended = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            name = self.names.pop(pid, None)
            if name is not None:
                ended.append((name, pid, os.waitstatus_to_exitcode(status)))
        return ended

    def errors_of(self, name: str) -> str:
        """The last line that a process said of an error."""
        lines = (self._errors / name).read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def all(self) -> list[int]:
        """All descendants that live, in the order of their ids."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                except OSError:
                    continue
                if fields[0] not in {b"Z", b"X"}:
                    parents.setdefault(int(fields[1]), []).append(int(entry.name))
        found: list[int] = []
        ahead = [os.getpid()]
        while ahead:
            children = parents.get(ahead.pop(), [])
            found += children
            ahead += children
        return sorted(found)

    def kill(self, pid: int) -> bool:
        """Kill a descendant; whether it still was one."""
        if pid not in self.all():
            return False
        self.killed.add(pid)
        return self.send(pid, signal.SIGKILL)

    @staticmethod
    def send(pid: int, number: signal.Signals) -> bool:
        """Send a signal; whether there was somebody to get it."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def end(self) -> list[str]:
        """Kill all that are left; gives their names, and what each was at."""
        rest = self.all()
        names = [f"{self.names.get(pid, f'process {pid}')} ({_state(pid)})" for pid in rest]
        while self.all():
            for pid in self.all():
                self.kill(pid)
            self.reap()
            time.sleep(0.02)
        self.reap()
        return names


def _state(pid: int) -> str:
    """What a process is and what its threads wait for, by proc(5)."""
    folder = Path("/proc", str(pid))
    command = _text(folder / "cmdline")
    state, parent = [*_text(folder / "stat").rpartition(")")[2].split(), "?", "?"][:2]
    waits = ", ".join(_text(path) for path in sorted(folder.glob("task/*/wchan")))
    return f"{command}; state {state}, parent {parent}, waits in {waits}"


def _text(path: Path) -> str:
    try:
        text = path.read_text(errors="replace")
    except OSError as error:  # it has ended
        text = str(error.strerror)
    return " ".join(text.replace("\0", " ").split())[:300]
