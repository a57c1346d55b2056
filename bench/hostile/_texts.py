"""Texts that nobody expects: of every plane of Unicode, empty, long, full of syntax."""

import random
from collections.abc import Callable

_PLANES, _PLANE = 17, 0x10000
_SURROGATES = range(0xD800, 0xE000)
_LONG, _LONGEST = 2_000, 70_000
_SYNTAX = (
    "'; drop table points; --",
    '"',
    "'",
    "''",
    "\\",
    "\\u0000",
    "$$",
    "?",
    "%s",
    "{}",
    "{0}",
    "`",
    "/*",
    "*/",
    "--",
    "<b>&amp;",
    "[red]",
    "${oops:x}",
    "=1+1",
    "\r\n",
    "\t",
)
_WORDS = (
    "loss",
    "Loss",
    "train/loss",
    "train_loss",
    "train loss",
    "nan",
    "NULL",
    "None",
    "true",
    "0",
    "-0",
    "1e999",
    "inf",
    "store",
    "points",
    "rowid",
)
_PLACES = (
    "/",
    "//",
    "///",
    ".",
    "..",
    "../..",
    "/etc/passwd",
    "a/",
    "/a",
    "a//b",
    "~",
    "C:\\",
)
_MARKS = (
    "\u202e",  # right to left, come what may
    "\u2066",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u2028",
    "\u0301",
    "\ufe0f",
    "\U000e0041",
    "\x1b[31m",
    "\x9b",
    "\x7f",
    "\x85",
)
_ALIKE = (
    "é",
    "e\u0301",
    "ﬁ",
    "fi",
    "Å",
    "\u212b",
    "ß",
    "SS",
    "ss",
    "İ",
    "i̇",
    "\u041a",
    "K",
)


def _of_a_plane(draw: random.Random) -> str:
    first = draw.randrange(_PLANES) * _PLANE
    codes = (first + draw.randrange(_PLANE) for _ in range(draw.randint(1, 8)))
    return "".join(chr(code) for code in codes if code and code not in _SURROGATES)


def _controls(draw: random.Random) -> str:
    codes = [*range(1, 32), *range(127, 160)]
    return "".join(chr(draw.choice(codes)) for _ in range(draw.randint(1, 5)))


def _with_marks(draw: random.Random) -> str:
    word = draw.choice(_WORDS)
    for _ in range(draw.randint(1, 4)):
        place = draw.randint(0, len(word))
        word = word[:place] + draw.choice(_MARKS) + word[place:]
    return word


def _piled(draw: random.Random) -> str:
    return "a" + "".join(
        chr(draw.randint(0x300, 0x36F)) for _ in range(draw.randint(1, 60))
    )


def _long(draw: random.Random) -> str:
    most = _LONGEST if draw.random() < 0.02 else _LONG  # noqa: PLR2004 (now and then)
    return (_of_a_plane(draw) or "x") * draw.randint(1, most // 8)


def _joined(draw: random.Random) -> str:
    return "".join(text_of(draw) for _ in range(2))


def _with_nul(draw: random.Random) -> str:
    return draw.choice(("\0", "a\0b", "\0\0", "loss\0"))


_KINDS: tuple[tuple[Callable[[random.Random], str], int], ...] = (
    (lambda draw: draw.choice(_WORDS), 20),
    (_of_a_plane, 20),
    (_with_marks, 8),
    (_controls, 6),
    (lambda draw: draw.choice(_SYNTAX), 8),
    (lambda draw: draw.choice(_PLACES), 6),
    (lambda draw: draw.choice(_ALIKE), 6),
    (_piled, 3),
    (_joined, 3),
    (_with_nul, 2),
    (_long, 1),
    (lambda draw: " " * draw.randint(0, 3), 2),
)
_MAKERS = [make for make, _ in _KINDS]
_WEIGHTS = [weight for _, weight in _KINDS]


def text_of(draw: random.Random) -> str:
    """One text: valid Unicode, and nothing else is sure."""
    make: Callable[[random.Random], str] = draw.choices(_MAKERS, _WEIGHTS)[0]
    return make(draw)


def texts_of(draw: random.Random, most: int) -> list[str]:
    """Different texts, one at least."""
    return list(dict.fromkeys(text_of(draw) for _ in range(draw.randint(1, most))))
