"""The terminal of this process, shared between its output and a live view."""

import contextlib
import fcntl
import os
import select
import socket
import struct
import sys
import termios
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from .output_lines import END_MARK
from .relay import END, FRAME, READY

if TYPE_CHECKING:
    import subprocess

_SECONDS_TO_START = 5.0
_SECONDS_TO_END = 3.0
_STANDARD = (1, 2)
_CLEAR_BELOW = b"\x1b[?2026l\x1b[?25h\x1b[m\r\x1b[J"
_START = (  # the two modules alone, without the packages that they are in
    "import sys, types; package = types.ModuleType('relay');"
    " package.__path__ = [sys.argv[1]]; sys.modules['relay'] = package;"
    " from relay.relay import main; main(*map(int, sys.argv[2:]))"
)

_captures: "weakref.WeakSet[Capture]" = weakref.WeakSet()
_is_prepared = False
_left: "list[subprocess.Popen[bytes]]" = []  # they end when nobody prints any more


class Capture:
    """Has all that the process and its children print appear above a live view.

    Descriptors 1 and 2 lead to a process that owns the terminal, see `relay`,
    so that it makes no difference who prints, and how. Until `close`.

    Raises:
        OSError: If there is no terminal to share, or it can't be.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._is_open = False
        self._is_free = False
        self._kept: dict[int, int] = {}
        # The real terminal, kept under a number of its own before 1 leads elsewhere.
        self._terminal = os.dup(1)
        try:
            name = os.ttyname(1)
            # A stream that the user sent into a file or a pipe stays there.
            shared = [fd for fd in _STANDARD if os.isatty(fd) and os.ttyname(fd) == name]
            self._output, slave = os.openpty()
        except OSError:
            os.close(self._terminal)
            raise
        try:
            _make_transparent(slave)
            self._slave_size: tuple[int, int] | None = None
            self._fit(slave)
            self._control = self._start()
            self._redirect(shared, slave)
        except BaseException:
            os.close(self._terminal)
            os.close(self._output)
            raise
        finally:
            # From now on only 1 and 2, and what inherits them, hold this side: when the
            # last of them is closed the relay reads the end of the output.
            os.close(slave)
        self._is_open = True
        _remember(self)

    def _start(self) -> socket.socket:
        import subprocess  # noqa: PLC0415 (slow to import)

        ours, theirs = socket.socketpair()
        modules = Path(__file__).parent
        # The master stays open here as well: if the relay dies, `_salvage` reads from it
        # what had not been printed yet.
        handed = (theirs.fileno(), self._output, self._terminal)
        # Without site packages and environment variables it starts in a few hundredths of a
        # second, and nothing of the user's can be imported into it.
        command = [sys.executable, "-I", "-S", "-c", _START, str(modules)]
        try:
            self._process = subprocess.Popen(
                [*command, *map(str, handed)],
                pass_fds=handed,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                close_fds=True,
            )
            theirs.close()
            ours.settimeout(_SECONDS_TO_START)
            # Output is redirected only when somebody is there to pass it on.
            if ours.recv(1) != READY:
                raise OSError("the process that shares the terminal did not start")
            self._is_free = True
        except BaseException:
            ours.close()
            theirs.close()
            raise
        return ours

    def _redirect(self, shared: list[int], slave: int) -> None:
        _flush()
        for descriptor in shared:
            self._kept[descriptor] = os.dup(descriptor)
            os.dup2(slave, descriptor)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal."""
        try:
            columns, rows = os.get_terminal_size(self._terminal)
        except OSError:
            return 80, 24
        return columns or 80, rows or 24

    @property
    def is_open(self) -> bool:
        """Whether the live view can still be drawn."""
        return self._is_open and self._owner == os.getpid()

    def show(self, frame: bytes) -> None:
        """Draw a frame, its lines separated by newlines; skipped while one is drawn."""
        if not self.is_open:
            return
        try:
            self._listen(0.0)
            # Asked for with each frame, since a handler of SIGWINCH would be the program's
            # to set.
            self._fit(1)
            if self._is_free:
                self._is_free = False
                self._send(FRAME, frame)
        except OSError:  # the process has gone: the terminal is ours again
            self._restore()
            self._salvage()

    def close(self, frame: bytes) -> None:
        """Draw the last frame behind all output so far, and give the terminal back."""
        if not self.is_open:
            return
        _flush()
        with contextlib.suppress(OSError):
            if self._kept:
                # Output and frames reach the relay by two ways. The mark lets it read all
                # output that was printed before, and draw the last frame behind it.
                os.write(min(self._kept), END_MARK)
        self._restore()
        try:
            # A relay that is still busy with a frame takes the last one when it has said
            # so.
            if self._is_free or self._listen(_SECONDS_TO_END):
                self._send(END, frame)
                self._listen(_SECONDS_TO_END)
        except OSError:
            self._salvage()
        self._close_descriptors()
        try:
            self._process.wait(timeout=0.1)
        except Exception:  # noqa: BLE001 (its children go on printing; it serves them)
            # Held, as `Popen` warns when a process that still runs is collected.
            _left.append(self._process)

    def leave_to_parent(self) -> None:
        """After a fork, in the child: what it prints still goes above the view."""
        if self._is_open:
            self._is_open = False
            self._close_descriptors()

    def _restore(self) -> None:
        self._is_open = False
        _flush()
        for descriptor, kept in self._kept.items():
            os.dup2(kept, descriptor)
            os.close(kept)
        self._kept.clear()

    def _salvage(self) -> None:
        """Print what was still on its way to a process that has died."""
        with contextlib.suppress(OSError):
            os.write(self._terminal, _CLEAR_BELOW)  # it may have died while it drew
            while select.select([self._output], [], [], 0.05)[0]:
                os.write(self._terminal, os.read(self._output, 65536))

    def _close_descriptors(self) -> None:
        self._control.close()
        for descriptor in (self._output, self._terminal):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _listen(self, seconds: float) -> bool:
        if not select.select([self._control], [], [], seconds)[0]:
            return False
        if not self._control.recv(64):
            raise OSError("the process that shares the terminal has gone")
        self._is_free = True
        return True

    def _send(self, kind: bytes, frame: bytes) -> None:
        self._control.settimeout(_SECONDS_TO_END)
        self._control.sendall(kind + struct.pack("<I", len(frame)) + frame)

    def _fit(self, descriptor: int) -> None:
        """Let programs that ask for the size of their terminal find that of the real."""
        size = self.size
        if size != self._slave_size:
            self._slave_size = size
            packed = struct.pack("HHHH", size[1], size[0], 0, 0)
            fcntl.ioctl(descriptor, termios.TIOCSWINSZ, packed)


def _make_transparent(slave: int) -> None:
    """Let bytes pass a pseudo-terminal as they are: the real one does the rest."""
    attributes = termios.tcgetattr(slave)
    # Index 1 holds the output modes, 3 the local ones. With OPOST the bytes
    # would be changed here, a newline to "\r\n", and once more by the real terminal.
    attributes[1] &= ~termios.OPOST
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(slave, termios.TCSANOW, attributes)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, absent, or somebody's own
            stream.flush()


def _remember(capture: Capture) -> None:
    global _is_prepared  # noqa: PLW0603 (once a process)
    _captures.add(capture)
    if not _is_prepared:
        _is_prepared = True
        os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    for capture in list(_captures):
        capture.leave_to_parent()
