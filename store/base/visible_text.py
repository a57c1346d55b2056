"""Showing texts that may be anybody's, in a terminal or a message."""

_HIDDEN = frozenset(
    # Letters that are called printable, and show nothing.
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
).union(map(chr, range(0xFE00, 0xFE0E)), map(chr, range(0xE0100, 0xE01F0)))
_BLANKS = " \N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"


def visible(text: str) -> str:
    r"""*text* on one line, with escapes for what nobody would see.

    These are control characters, breaks of lines, and what hides or reorders letters: a
    terminal would obey them, and `\x1b`, `\n` or `\u202e` stands for them.
    """
    if text.isprintable() and (text.isascii() or _HIDDEN.isdisjoint(text)):
        return text
    return "".join(letter if _is_visible(letter) else _escape(letter) for letter in text)


def _is_visible(letter: str) -> bool:
    return letter in _BLANKS or (letter.isprintable() and letter not in _HIDDEN)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
