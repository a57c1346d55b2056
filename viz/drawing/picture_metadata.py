"""What a picture says of how it was made, in the metadata of its file.

It is JSON in plain ASCII, at the place for a description that each format has: the text
chunk `Description` of a PNG, `dc:description` of an SVG, and `Subject` in the information
dictionary of a PDF. matplotlib writes it there; here it is found again, without a library.
"""

import io
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from stepwell.store import ConfigurationError

if TYPE_CHECKING:
    from stepwell.store import FigureSpec

MARK = "stepwell"
"""The key that tells our descriptions from others'; its value is the form's version."""

_FORM = 1
_PNG = b"\x89PNG\r\n\x1a\n"
_PLACES = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}
PICTURES = tuple(_PLACES)
"""The suffixes of pictures."""

_MOST_BYTES = 2**26
_MOST_OF_STRINGS = 2**20  # bytes of a PDF's strings, of which ours is the first


def embedded(spec: Mapping[str, Any], suffix: str) -> dict[str, str]:
    """The metadata for matplotlib's `savefig` that keep *spec* in a file with *suffix*.

    The same text for equal specs, whatever the order of their keys.

    Args:
        spec: JSON values.
        suffix: ".png", ".svg" or ".pdf".
    """
    # ASCII, the default of `dumps`, as the text chunk of a PNG holds Latin-1. Sorted, so
    # that equal specs give equal files.
    text = json.dumps({MARK: _FORM, **spec}, sort_keys=True, separators=(",", ":"))
    return {_PLACES[suffix]: text}


def read_embedded(path: str | Path) -> dict[str, Any]:
    """The JSON that a picture keeps.

    Raises:
        ConfigurationError: The file is no picture of ours; the message says why.
        OSError: It can't be read.
    """
    source = Path(path)
    suffix = source.suffix.lower()
    if suffix not in _READERS:
        supported = ", ".join(_READERS)
        raise ConfigurationError(
            f"can't redraw {source.name!r}: a picture's suffix is one of {supported}"
        )
    # Before the file is read: anybody may have sent it.
    if source.stat().st_size > _MOST_BYTES:
        raise ConfigurationError(f"can't redraw {source.name!r}: it is too large")
    for text in _READERS[suffix](source.read_bytes()):
        found = _ours(text)
        if found is not None:
            return found
    raise ConfigurationError(
        f"the picture {source.name!r} does not say how it was made: it was not made by"
        " Stepwell, or another program has removed its description"
    )


def read_spec(path: str | Path) -> "FigureSpec":
    """How a picture was made.

    Args:
        path: A .png, .svg or .pdf that this package has written.

    Raises:
        ConfigurationError: The file is no picture of ours; the message says why.
        OSError: It can't be read.
    """
    from stepwell.store import FigureSpec  # noqa: PLC0415 (loads a part of the store)

    found = read_embedded(path)
    try:
        return FigureSpec.from_json(found)
    except ConfigurationError as error:
        raise ConfigurationError(f"can't redraw {Path(path).name!r}: {error}") from error


def _ours(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or MARK not in found:
        return None
    form = found.pop(MARK)
    if form != _FORM:
        raise ConfigurationError(
            f"the picture was made by a newer Stepwell (form {form!r}); update stepwell"
        )
    return found


def _texts_of_png(content: bytes) -> Iterator[str]:
    """The texts of the chunks tEXt and iTXt. Source: the PNG specification, section 11."""
    if not content.startswith(_PNG):
        return
    place = len(_PNG)
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        data = content[place + 8 : place + 8 + length]
        # Length, kind and check sum take four bytes each. The sum is not checked: what
        # matters is whether the text is JSON of ours.
        place += length + 12
        if kind == b"tEXt":
            yield data.partition(b"\0")[2].decode("latin-1")
        elif kind == b"iTXt":
            # Keyword, compression flag and method, language, translated keyword, text.
            _, _, rest = data.partition(b"\0")
            if rest[:1] == b"\0":
                yield rest[2:].split(b"\0", 2)[-1].decode("utf-8", "replace")


def _texts_of_svg(content: bytes) -> Iterator[str]:
    elements = ET.iterparse(io.BytesIO(content))  # as far as it is asked to
    try:
        for _, element in elements:
            if str(element.tag).rpartition("}")[2] == "description":
                yield "".join(element.itertext())
                element.clear()  # or those within one another are read again and again
    except ET.ParseError:
        return


def _texts_of_pdf(content: bytes) -> Iterator[str]:
    """The strings behind `/Subject`. Source: ISO 32000-1, section 7.3.4."""
    place = 0
    left = _MOST_OF_STRINGS
    # A file may have many strings that never end, each read up to its end: what may be read
    # of all together is bounded, not of each.
    while left > 0 and (found := _SUBJECT.search(content, place)):
        string, place = _string_of_pdf(content, found.end(), found.end() + left)
        left -= place - found.end()
        if string.startswith(b"\xfe\xff"):
            yield string.decode("utf-16", "replace")
        else:
            yield string.decode("latin-1")


def _string_of_pdf(content: bytes, start: int, limit: int) -> tuple[bytes, int]:
    """The string at *start*, and where it ends, at *limit* at the latest."""
    if content[start : start + 1] == b"<":
        end = content.find(b">", start, limit)
        end = min(limit, len(content)) if end < 0 else end + 1
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", content[start:end])
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()), end
    letters = bytearray()
    depth, end = 0, start
    for token in _TOKENS.finditer(content, start, limit):
        text, end = token[0], token.end()
        if text.startswith(b"\\"):
            letters += _unescaped(text[1:])
            continue
        # Parentheses in pairs need no backslash within a string.
        depth += (text == b"(") - (text == b")")
        if depth == 0:
            break
        if text != b"(" or depth > 1:
            letters += text
    return bytes(letters), end


def _unescaped(escape: bytes) -> bytes:
    if escape[:1].isdigit():
        # The standard says to ignore the overflow of three octal digits.
        return bytes([int(escape, 8) % 256])
    if escape in {b"\n", b"\r", b"\r\n"}:
        return b""
    return _ESCAPES.get(escape, escape)


_SUBJECT = re.compile(rb"/Subject\s{0,16}(?=[(<])")
_TOKENS = re.compile(rb"\\(?:[0-7]{1,3}|\r\n|.)|[()]|[^()\\]+", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_READERS: dict[str, Callable[[bytes], Iterator[str]]] = {
    ".png": _texts_of_png,
    ".svg": _texts_of_svg,
    ".pdf": _texts_of_pdf,
}
