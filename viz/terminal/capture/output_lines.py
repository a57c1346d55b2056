"""What a program prints, as lines, and the lines of a terminal that are drawn again.

Loaded by an interpreter without site packages: it imports the standard library only.
"""

import re
import unicodedata

END_MARK = b"\x1b_stepwell-end\x1b\\"
"""Written behind the last of the program's output."""

_TOKEN = re.compile(
    rb"\x1b\[([0-9;:?<=>]*)[ -/]*([@-~])"  # control sequence: parameters, final byte
    rb"|\x1b[PX^_\]].*?(?:\x1b\\|\x07)"  # a string, such as a title or a link
    rb"|\x1b[ -/]*[0-~]"
    rb"|[\n\r\x08]"
    rb"|[^\x1b\n\r\x08]+",
    re.DOTALL,
)
_BEGIN, _FINISH = b"\x1b[?2026h\x1b[?25l", b"\x1b[?25h\x1b[?2026l"
_RESET = b"\x1b[m"
_LONGEST_LINE = 65536
_MOST_KEPT = 16  # lines above the cursor that a program may still go back to
_FORGET = 5.0  # seconds after which a program is not expected to go up any more


class Paper:
    """What a program prints, as lines: those that are done, and those it may change.

    Knows what progress bars do: carriage return, erasing a line, going up and down.
    """

    def __init__(self) -> None:
        self.ended = False
        self._lines = [b""]
        self._row = 0
        self._at_start = False
        self._rest = b""
        self._colors = b""
        self._reach = 0
        self._reached = 0.0

    def feed(self, data: bytes, now: float) -> None:
        """Take in output."""
        # A read ends anywhere, also within a control sequence, whose first part waits here.
        data = self._rest + data
        if END_MARK in data:
            data = data.replace(END_MARK, b"")
            self.ended = True
        cut = _incomplete_from(data)
        self._rest = data[cut:]
        for match in _TOKEN.finditer(data, 0, cut):
            token = match[0]
            if token == b"\n":
                self._down()
            # A carriage return erases nothing: only a text that follows replaces the line.
            # So "\r\n", as Windows and some tools write it, keeps what stands before.
            elif token == b"\r":
                self._at_start = True
            elif token == b"\x08":
                self._back()
            elif match[2] is not None:
                self._control(match[1], match[2], token, now)
            else:
                self._write(token)

    def take(self, now: float) -> bytes:
        """The lines that are done, each with its end, for the last time."""
        # A program that has lately moved up, such as one with several bars, may do so
        # again: that many lines above its cursor can't be printed for good yet.
        if now - self._reached > _FORGET:
            self._reach = 0
        count = max(0, min(self._row - self._reach, len(self._lines) - 1))
        done, self._lines = self._lines[:count], self._lines[count:]
        self._row -= count
        # A program that never ends its line must not fill the memory.
        if self._lines[-1:] and len(self._lines[-1]) > _LONGEST_LINE:
            done, self._lines, self._row = [*done, *self._lines], [b""], 0
        return b"".join(line + b"\r\n" for line in done)

    def take_all(self) -> bytes:
        """All that there is, for the last time."""
        self._reach = 0
        self._row = len(self._lines) - 1
        done = self.take(0.0) + self._lines[0] + self._rest
        self._lines, self._row, self._rest = [b""], 0, b""
        return done if not done or done.endswith(b"\n") else done + b"\r\n"

    def tail(self, width: int) -> list[bytes]:
        """The lines that are not done, cut to *width*."""
        if self._lines == [b""]:
            return []
        # An empty last line only says that the cursor stands behind a newline.
        lines = self._lines if line_cells(self._lines[-1]) else self._lines[:-1]
        return [cut_line(line, width) for line in lines[-_MOST_KEPT:]]

    def _write(self, text: bytes) -> None:
        if self._at_start:
            self._at_start = False
            self._lines[self._row] = self._colors
        self._lines[self._row] += text

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            # A colour that was not ended goes on in the next line, as on a terminal; each
            # line is drawn by itself, and has to begin with it.
            self._lines.append(self._colors)
            self._at_start = False
        else:
            self._at_start = True

    def _back(self) -> None:
        line = self._lines[self._row]
        # Of a letter of several bytes one can't be taken away without breaking UTF-8.
        if line[-1:].isascii():
            self._lines[self._row] = line[:-1]

    def _control(self, numbers: bytes, final: bytes, token: bytes, now: float) -> None:
        count = int(numbers) if numbers.isdigit() else 1
        if final == b"m":
            plain = numbers in {b"", b"0"}
            self._colors = b"" if plain else (self._colors + token)[-256:]
            # A reset right behind a "\r" must not blank the line, as writing it would.
            if self._at_start and plain:
                return
            self._write(token)
        elif final in b"AF":
            self._reach = max(self._reach, min(count, _MOST_KEPT))
            self._reached = now
            self._row = max(0, self._row - count)
            self._at_start = True
        elif final in b"BE":
            for _ in range(min(count, _MOST_KEPT)):
                self._down()
        elif final in b"KJ":
            self._erase(numbers, final)
        elif final == b"G" and count == 1:
            self._at_start = True

    def _erase(self, numbers: bytes, final: bytes) -> None:
        if final == b"J" and numbers in {b"", b"0"}:
            del self._lines[self._row + 1 :]
        if self._at_start or (final == b"K" and numbers == b"2"):
            self._lines[self._row] = b""


def _incomplete_from(data: bytes) -> int:
    """Where a sequence begins that has not ended yet; the length where there is none."""
    start = data.rfind(b"\x1b")
    if start < 0 or len(data) - start > 4096:  # noqa: PLR2004 (no sequence is so long)
        return len(data)
    # ESC backslash ends a string, and begins nothing.
    if data[start : start + 2] == b"\x1b\\" and start:
        return len(data)
    match = _TOKEN.match(data, start)
    return len(data) if match and match.end() > start + 1 else start


def cut_line(line: bytes, width: int) -> bytes:
    """*line* without what is beyond *width* cells; colours are ended."""
    found: list[bytes] = []
    room = width
    for match in _TOKEN.finditer(line):
        token = match[0]
        if token[:1] == b"\x1b":
            found.append(token)
            continue
        kept = ""
        for letter in token.decode("utf-8", "replace").expandtabs(8):
            room -= cells(letter)
            if room < 0:
                break
            kept += letter
        found.append(kept.encode())
    return b"".join(found) + (_RESET if b"\x1b" in line else b"")


def cells(letter: str) -> int:
    """How many cells a character takes."""
    if letter < "\x7f":
        return int(letter >= " ")
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Cf", "Cc", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def line_cells(line: bytes) -> int:
    """How many cells a line takes on the screen."""
    texts = [m[0] for m in _TOKEN.finditer(line) if m[0][:1] != b"\x1b"]
    text = b"".join(texts).decode("utf-8", "replace")
    return len(text) if text.isascii() else sum(map(cells, text))


class LiveArea:
    """The last lines of a terminal, drawn again and again.

    Between two drawings the cursor stands below them, visible, and no mode is set: at
    any instant the terminal could be left to a shell.
    """

    def __init__(self) -> None:
        self._shown: list[bytes] = []
        self._width = 0

    def forget(self) -> None:
        """What was drawn is no longer there; the next drawing begins at the cursor."""
        self._shown = []

    def drawing(self, done: bytes, lines: list[bytes], width: int) -> bytes:
        """What to write so that *done* stands above *lines*, and both are seen."""
        shown, self._shown = self._shown, lines
        height = len(shown)
        if width < self._width:  # the terminal has wrapped what was too long
            height = sum(max(1, -(-line_cells(line) // max(width, 1))) for line in shown)
        same = not done and len(shown) == len(lines) and width == self._width
        self._width = width
        up = b"\r" + (b"\x1b[%dA" % height if height else b"")
        if not same:
            drawn = b"".join(line + _RESET + b"\r\n" for line in lines)
            return _BEGIN + up + b"\x1b[J" + done + _RESET + drawn + _FINISH
        if shown == lines:
            return b""
        parts = [
            # What has not changed is passed over: fewer bytes on a slow connection.
            b"\n" if old == new else b"\x1b[2K" + new + _RESET + b"\r\n"
            for old, new in zip(shown, lines, strict=True)
        ]
        return _BEGIN + up + b"".join(parts) + b"\r\x1b[J" + _FINISH
