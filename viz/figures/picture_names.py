"""Names of pictures, made from the names of what they show."""

import os
import unicodedata

_LONGEST = 140  # bytes of a name with its suffix; encrypted folders take 143, others 255

_DIGITS = 8  # of the number that tells names apart
_LONGEST_BEFORE = 96  # bytes of what stands before a name
_RESERVED = {"con", "prn", "aux", "nul"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in range(10)
}


def picture_name(name: str, suffix: str = ".png", before: str = "") -> str:
    """The name of a picture's file; different names never share one.

    The same name always gives the same file. Short names of small letters, digits and
    `-_.` stay as they are, and each `/` becomes `--`. Any other gets a number, since it
    could meet another one in a folder that does not tell capitals from small letters, has
    no form for a letter, or cuts what is long.

    Args:
        name: The name of a metric, a run or a figure.
        suffix: The file's suffix.
        before: What the file's name begins with; its first 96 bytes count.
    """
    parted = name.replace("/", "--")
    readable = "".join(c if c.isalnum() or c in "-_." else "_" for c in parted)
    readable = _encodable(unicodedata.normalize("NFC", readable))
    before = _cut(before, _LONGEST_BEFORE)
    room = _LONGEST - len((before + suffix).encode(errors="replace"))
    is_plain = (
        readable.replace("--", "/") == name
        and readable == readable.casefold()
        and len(readable.encode()) <= room
        and not _ends_with_number(readable)
        and not _is_special(readable)
    )
    if is_plain:
        return f"{before}{readable}{suffix}"
    if _is_special(readable):
        readable = f"_{readable[1:] if readable[:1] in {'.', '-'} else readable}"
    from hashlib import blake2s  # noqa: PLC0415 (slow to import)

    content = name.encode("utf-8", "surrogatepass")
    number = blake2s(content, digest_size=_DIGITS // 2).hexdigest()
    return f"{before}{_cut(readable, room - _DIGITS - 1)}-{number}{suffix}"


def _cut(text: str, size: int) -> str:
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def _encodable(text: str) -> str:
    """*text* with a sign in place of each letter that no file's name can hold here."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return "".join(letter if letter.isascii() else "_" for letter in text)
    return text


def _ends_with_number(text: str) -> bool:
    _, dash, number = text.rpartition("-")
    return bool(dash) and len(number) == _DIGITS and not number.strip("0123456789abcdef")


def _is_special(text: str) -> bool:
    """Whether a file of that name is hidden, an option, or a device of some system."""
    return text[:1] in {"", ".", "-"} or text.partition(".")[0].lower() in _RESERVED
