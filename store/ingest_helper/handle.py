"""The helper process that folds journals while this process trains.

Folding needs DuckDB and numpy. Importing them holds Python's global lock for hundreds of
milliseconds, and decoding holds it again and again, so a thread would stall the training
loop. The helper is a child that ends when its parent does, in whatever way.
"""

import contextlib
import json
import os
import select
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from stepwell.store.base.busy_threads import is_busy_here
from stepwell.store.base.forks import starting_process
from stepwell.store.files.location import Location

if TYPE_CHECKING:
    import subprocess

AWAITED = b"!"
"""Sign behind a request whose end somebody waits for."""

_STOP_SECONDS = 10.0
_END_SECONDS = 1.0  # with nothing left to fold it takes milliseconds
_LOOK_SECONDS = 0.1
_OPTIONS = ("-P", "-W", "ignore", "-c")  # -P: no module of the current folder
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); sys.argv[0] = 'stepwell';"
    " from stepwell.store.ingest_helper.standby import main;"
    " main(sys.argv[2], int(sys.argv[3]))"
)


class FoldHelper:
    """A handle on the helper process of one store.

    Args:
        location: The store.
        born: Now, by `time.monotonic`.
    """

    def __init__(self, location: Location, born: float) -> None:
        self.born = born
        self._lock = threading.RLock()  # a signal's handler may wait within a wait
        self._asked = 0
        self._done = 0
        self._failed = 0
        self._received = b""
        self._process = _start(location)

    @property
    def is_running(self) -> bool:
        """Whether the helper can be asked."""
        process = self._process
        return process is not None and process.poll() is None

    @property
    def is_busy(self) -> bool:
        """Whether a fold is under way, or somebody waits for one."""
        if not self._lock.acquire(blocking=False):
            return True
        try:
            self._receive(0.0)
            return self._asked != self._done and self.is_running
        finally:
            self._lock.release()

    def ask(self) -> bool:
        """Ask for a fold that begins now, without waiting.

        Returns:
            Whether it was asked for; False while another one is under way.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._receive(0.0)
            if self._asked != self._done:
                return False
            self._send()
            return True
        finally:
            self._lock.release()

    def fold(self, seconds: float) -> bool:
        """Ask for a fold that begins now or later, and wait until it is done.

        Returns:
            Whether it was done within *seconds*; False when it failed, too.
        """
        deadline = time.monotonic() + seconds
        with self._lock:
            if not self.is_running:
                return False
            self._send(AWAITED)
            # Any later number will do as well: the helper answers the latest request that
            # it has, which stands for all before it.
            wanted = self._asked
            while self._done < wanted:
                left = deadline - time.monotonic()
                # A handler of a signal may have taken the answer meanwhile.
                if left <= 0 or not self._receive(min(left, _LOOK_SECONDS)):
                    return False
            return self._failed < wanted

    def stop(self, *, is_awaited: bool = True) -> None:
        """Let the helper end: it folds what is left, then exits.

        Args:
            is_awaited: Whether something of this process is left to fold; otherwise its
                end is waited for no longer than it takes without anything in its way.
        """
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            # The end of its input tells the helper to fold what is left, and to exit. A
            # signal could not wait for the end of the fold that it is at.
            if process.stdin:
                process.stdin.close()
        with contextlib.suppress(OSError):
            process.send_signal(signal.SIGCONT)  # one that was stopped would stay for ever
        try:
            _wait_for_end(process, _STOP_SECONDS if is_awaited else _END_SECONDS)
        except Exception:  # noqa: BLE001 (it folds on, and ends by itself)
            process.returncode = 0
            _abandoned.append(process)
        if process.stdout:
            process.stdout.close()

    def forget(self) -> None:
        """After a fork, in the child: the helper is the parent's."""
        process, self._process = self._process, None
        if process is not None:
            process.returncode = 0  # not this process's child: nothing to wait for
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
            _abandoned.append(process)

    def _send(self, sign: bytes = b"") -> None:
        if self._process is None or self._process.stdin is None:
            return
        self._asked += 1
        with contextlib.suppress(OSError):
            os.write(self._process.stdin.fileno(), b"%d%b\n" % (self._asked, sign))

    def _receive(self, seconds: float) -> bool:
        """Take the helper's answers within some time; False when it has gone."""
        if self._process is None or self._process.stdout is None:
            return False
        pipe = self._process.stdout.fileno()
        answer = select.poll()  # not select(), which takes descriptors below 1,024 alone
        answer.register(pipe, select.POLLIN)
        if not answer.poll(1000 * max(0.0, seconds)):
            return True
        data = os.read(pipe, 4096)
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            try:
                number = int(line)
            except ValueError:  # what has the interpreter's name is another program
                self._process.kill()
                return False
            self._done = max(self._done, abs(number))
            if number < 0:
                self._failed = max(self._failed, -number)
        return bool(data)


_abandoned: "list[subprocess.Popen[bytes]]" = []


def _wait_for_end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    # The pipe tells at once; `wait` looks after ever longer pauses.
    if process.stdout:
        closed = select.poll()
        # No event is asked for: the end of a pipe is told of in any case, and answers that
        # nobody has read must not wake this up.
        closed.register(process.stdout.fileno(), 0)
        closed.poll(1000 * seconds)
    process.wait(timeout=seconds)


def _start(location: Location) -> "subprocess.Popen[bytes] | None":
    # A program that was frozen into one file would start itself, and so on.
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    # As the path is now: a notebook, a test or `PYTHONPATH` may have added where this
    # package is, and the helper has to load the same code.
    path = json.dumps([entry or str(os.curdir) for entry in sys.path])
    own = str(os.getpid())
    try:
        import subprocess  # noqa: PLC0415 (slow to import; there may be no descriptor left)

        return subprocess.Popen(
            [sys.executable, *_OPTIONS, _START, path, str(location.database), own],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Ctrl-C at a terminal reaches its whole foreground group; the helper has to
            # live on, and fold the end of the run.
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError):
        return None


helpers: dict[Location, FoldHelper] = {}
"""Those of this process, by the store that each ingests for."""


def fold_in_helper(
    known: dict[Location, FoldHelper], location: Location, seconds: float, *, start: bool
) -> bool:
    """Have a store's helper fold it now; starts one, where that is asked for.

    Args:
        known: The helpers there are, by store.
        location: The store.
        seconds: How long to wait.
        start: Whether to start a helper where there is none.

    Returns:
        Whether it was done within *seconds*.
    """
    if is_busy_here():
        return False  # the helper would wait for the store that this thread has
    with starting_process:
        helper = known.get(location)
        if helper is None and start:
            helper = known[location] = FoldHelper(location, time.monotonic())
    return helper is not None and helper.fold(seconds)
