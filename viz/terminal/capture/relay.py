"""A small process between a training program and its terminal.

What the program prints arrives through a pseudo-terminal and is written above the live
view; the view's frames arrive through a socket. A process of its own, so that nothing
printed is lost when the program dies, however it dies, and so that a library that prints
much while it holds the interpreter never waits for a thread that needs the interpreter.

Loaded by an interpreter without site packages: it imports the standard library only.
"""

import contextlib
import os
import select
import signal
import socket
import struct
import time

from .output_lines import LiveArea, Paper

FRAME, END = b"F", b"E"
READY = b"."

_QUIET = 0.012  # seconds without output after which it is shown
_PATIENCE = 0.05  # seconds that output waits at most
_SECONDS_FOR_MARK = 1.0


class Relay:
    """Joins output and frames on one terminal.

    Args:
        control: Where frames come from, and where readiness is said.
        output: The master side of the pseudo-terminal that the program writes to.
        terminal: The real terminal.
    """

    def __init__(self, control: socket.socket, output: int, terminal: int) -> None:
        self._control: socket.socket | None = control
        self._output: int | None = output
        self._terminal = terminal
        self._paper = Paper()
        self._area = LiveArea()
        self._frame: list[bytes] = []
        self._received = b""
        self._since: float | None = None

    def run(self) -> None:
        """Until the program has gone, and all who inherited its output."""
        self._ready()
        while self._control is not None:
            self._wait(None if self._since is None else _QUIET)
        # Children may live on with the pseudo-terminal as their output; without a reader
        # they would block once its buffer is full.
        while self._output is not None:  # others still print: plainly, from now on
            self._put(self._received_output())

    def resumed(self) -> None:
        """The program was stopped, and goes on below what the shell printed."""
        self._area.forget()

    def _wait(self, seconds: float | None) -> None:
        sources = [one for one in (self._control, self._output) if one is not None]
        found = select.select(sources, [], [], seconds)[0]
        if self._output in found:
            self._read_output()
            # When the oldest output came that is not shown yet. It is shown at the first
            # pause, so that a burst is one drawing, but after _PATIENCE in any case.
            self._since = self._since or time.monotonic()
        late = self._since is not None and time.monotonic() - self._since > _PATIENCE
        if self._since is not None and (not found or late):
            self._draw()
        if self._control in found:
            self._read_control()

    def _read_output(self) -> None:
        self._paper.feed(self._received_output(), time.monotonic())

    def _received_output(self) -> bytes:
        data = b""
        if self._output is not None:
            with contextlib.suppress(OSError):  # nobody holds the other side any more
                # On Linux a pseudo-terminal whose other side is closed answers EIO instead
                # of b"".
                data = os.read(self._output, 65536)
        if not data:
            self._output = None
        return data

    def _read_control(self) -> None:
        if self._control is None:
            return
        try:
            data = self._control.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self._gone()
            return
        self._received += data
        while len(self._received) >= 5:  # noqa: PLR2004 (kind and length)
            kind, size = self._received[:1], struct.unpack_from("<I", self._received, 1)[0]
            if len(self._received) < 5 + size:
                break
            body, self._received = self._received[5 : 5 + size], self._received[5 + size :]
            self._frame = body.split(b"\n") if body else []
            if kind == END:
                self._finish()
                return
            self._draw()
            self._ready()

    def _finish(self) -> None:
        deadline = time.monotonic() + _SECONDS_FOR_MARK
        # Until the mark that stands behind the program's last output, see `Capture.close`.
        while not self._paper.ended and self._output is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._output], [], [], left)[0]:
                break
            self._read_output()
        self._draw(is_last=True)
        # The program sends a frame only after this word, so that frames never queue up.
        self._ready()
        self._leave()

    def _gone(self) -> None:
        """The program has died: what it had still to say, and the last frame."""
        while self._output is not None and select.select([self._output], [], [], 0.05)[0]:
            self._read_output()
        self._draw(is_last=True)
        self._leave()

    def _leave(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None

    def _ready(self) -> None:
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(READY)

    def _draw(self, *, is_last: bool = False) -> None:
        self._since = None
        try:
            # Asked each time: the terminal may have been resized since.
            columns, rows = os.get_terminal_size(self._terminal)
        except OSError:
            columns, rows = 80, 24
        now = time.monotonic()
        done = self._paper.take_all() if is_last else self._paper.take(now)
        room = max(rows - 1, 1)
        # What is being printed goes before the view where there is no room for both. Lines
        # that scroll out could not be drawn over again.
        tail = self._paper.tail(columns)[-room:]
        lines = tail + self._frame[: room - len(tail)]
        self._put(self._area.drawing(done, lines, columns))

    def _put(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._terminal, data) :]
            # O_NONBLOCK belongs to the open terminal, not to this process: any program that
            # shares it may have set it.
            except BlockingIOError:
                select.select([], [self._terminal], [])
            except OSError:  # the terminal was closed; the program goes on
                return


def main(control: int, output: int, terminal: int) -> None:
    """The program."""
    # SIGTTOU would stop it when the training is in the background and the terminal is set
    # to `tostop`.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)  # it ends when the training does
    relay = Relay(socket.socket(fileno=control), output, terminal)
    signal.signal(signal.SIGCONT, lambda *_: relay.resumed())
    relay.run()
