"""Fresh processes with a time limit, and an end to all that they leave running."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from _environments import Environment
from _tools import Tool
from _worker import MARK

WORKER = Path(__file__).parent / "_worker.py"
_MARK_NAME = "PEERS_SESSION"
_LOOK_SECONDS = 0.2  # between two looks at the memory of a session's processes


class PartError(Exception):
    """A part of a measurement failed; its message is the tool's own words."""


@dataclass
class Session:
    """One measurement of one tool: a folder, and the processes that share it.

    Every process is told the session's mark, and so are those that it starts: that is how
    writers which a tool leaves behind are found, and ended.

    Attributes:
        tool: The tool.
        environment: What it runs in.
        folder: Its own, for the store.
        home: Its home folder, kept between measurements; no account is in it.
        seconds: How long a process may take.
    """

    tool: Tool
    environment: Environment
    folder: Path
    home: Path
    seconds: float
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def start(self, part: str, **given: Any) -> "Running":
        """Start a part of a workload in a fresh process."""
        self.home.mkdir(parents=True, exist_ok=True)
        command = [self.environment.python, os.fspath(WORKER), os.fspath(self.tool.adapter)]
        command += [part, json.dumps(given, default=os.fspath)]
        output, errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")  # noqa: SIM115
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        return Running(process, output, errors, time.monotonic() + self.seconds)

    def call(self, part: str, **given: Any) -> dict[str, Any]:
        """Run a part, and give its figures.

        Raises:
            PartError: If it failed or took too long.
        """
        return self.start(part, **given).figures()

    def watched(self, part: str, **given: Any) -> dict[str, Any]:
        """As `call`, with the most memory that all its processes had together, in MB."""
        running = self.start(part, **given)
        most = 0.0
        over = threading.Event()

        def watch() -> None:
            nonlocal most
            while not over.wait(_LOOK_SECONDS):
                most = max(most, sum(_memory(pid) for pid in self.processes()))

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            found = running.figures()
        finally:
            over.set()
            thread.join()
        return found | {"memory_mb": max(most, found["memory_mb"])}

    def processes(self) -> list[int]:
        """Ids of the living processes of this session."""
        wanted = f"{_MARK_NAME}={self.mark}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = wanted in (path / "environ").read_bytes().split(b"\0")
            except OSError:
                continue  # it ended, or is another user's
            if is_ours:
                found.append(int(path.name))
        return found

    def end(self) -> None:
        """End whatever is left of it."""
        for _ in range(5):
            left = self.processes()
            if not left:
                return
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.1)

    def bytes_on_disk(self) -> int:
        """Size of all that the tool has put into the folder."""
        return sum(p.lstat().st_size for p in self.folder.rglob("*") if p.is_file())

    def _variables(self) -> dict[str, str]:
        kept = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "HOME": os.fspath(self.home),
            "TMPDIR": os.fspath(self.folder),
            "PEERS_FOLDER": os.fspath(self.folder),
            "PYTHONUNBUFFERED": "1",
            "DO_NOT_TRACK": "1",
            "MPLBACKEND": "agg",
            _MARK_NAME: self.mark,
        }


@dataclass
class Running:
    """A process that runs a part."""

    process: subprocess.Popen[bytes]
    output: IO[str]
    errors: IO[str]
    deadline: float

    def figures(self) -> dict[str, Any]:
        """Wait for it, and give its figures.

        Raises:
            PartError: If it failed or took too long.
        """
        limit = self.deadline - time.monotonic()
        try:
            code = self.process.wait(max(0.0, limit))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise PartError("ended by the harness, at its time limit") from None
        self.output.seek(0)
        for line in reversed(self.output.read().splitlines()):
            if line.startswith(MARK):
                found: dict[str, Any] = json.loads(line.removeprefix(MARK))
                if "error" in found:
                    raise PartError(found["error"])
                return found
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors.read().splitlines() if line.strip()]
        raise PartError(lines[-1][:240] if lines else f"it ended with code {code}")

    def kill(self) -> None:
        """Kill the process itself, not those that it started."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _memory(pid: int) -> float:
    """Proportional memory of a process in MB: what several share is counted once."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
