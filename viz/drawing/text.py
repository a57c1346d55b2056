"""Texts measured before they are drawn, so that they fit."""

from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.textpath import text_to_path

_FIRST_FAMILY = "DejaVu Sans"
_MORE_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Source Han Sans",
    "WenQuanYi Zen Hei",
    "Hiragino Sans",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Arial Unicode MS",
)
_MISSING = "\N{REPLACEMENT CHARACTER}"
_POINTS_PER_INCH = 72.0
_MEASURED_SIZE = 10.0


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """The font, and the fonts for letters that it lacks, as far as they are there."""
    installed = {font.name for font in fontManager.ttflist}
    return (_FIRST_FAMILY, *(name for name in _MORE_FAMILIES if name in installed))


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """*text* on one line, with a sign in place of each letter that no font has."""
    line = " ".join(text.split())
    return "".join(letter if _is_drawable(letter) else _MISSING for letter in line)


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of *text* in inches, at *size* points; of the widest where it has lines."""
    lines = text.split("\n") if "\n" in text else [text]
    return size * max(sum(_letter_width(c, weight) for c in line) for line in lines)


@lru_cache(maxsize=4096)
def _letter_width(letter: str, weight: str) -> float:
    """Width of *letter*, as `clean` leaves it, in inches a point of the font's size."""
    letter = letter if _is_drawable(letter) else _MISSING
    # Between two letters, as the box of a single one lacks the space around it, and that of
    # a blank is empty.
    return (_measured(f"n{letter}n", weight) - _measured("nn", weight)) / _MEASURED_SIZE


@lru_cache(maxsize=8192)
def _measured(text: str, weight: str) -> float:
    font = FontProperties(family=list(families()), size=_MEASURED_SIZE, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / _POINTS_PER_INCH


def fitted(text: str, size: float, room: float, weight: str = "normal") -> str:
    """*text*, or its beginning and an ellipsis, in at most *room* inches.

    Empty where not even one letter fits.
    """
    text = clean(text)
    if text_width(text, size, weight) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle].rstrip() + "…", size, weight) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low else ""


def shortened(text: str, size: float, room: float, weight: str = "normal") -> str:
    """*text*, or its beginning and its end around an ellipsis, in at most *room* inches.

    The end is the longer part: of the names of runs it tells most.
    """
    text = clean(text)
    if text_width(text, size, weight) <= room:
        return text
    for kept in range(len(text) - 1, 1, -1):
        begins = kept // 3
        cut = text[:begins].rstrip() + "…" + text[len(text) - (kept - begins) :].lstrip()
        if text_width(cut, size, weight) <= room:
            return cut
    return fitted(text, size, room, weight)


@lru_cache(maxsize=4096)
def _is_drawable(letter: str) -> bool:
    return any(_has_glyph(family, letter) for family in families())


def _has_glyph(family: str, letter: str) -> bool:
    path = findfont(FontProperties(family=family), fallback_to_default=True)
    return bool(get_font(path).get_char_index(ord(letter)))
