"""Texts that a database can be asked for."""

from collections.abc import Sequence
from unicodedata import category

from ._errors import ConfigurationError

_NO_LETTERS = frozenset({"Cc", "Zl", "Zp"})
"""Unicode's categories of control characters, and of breaks of lines and paragraphs."""


def check_text(text: object, what: str) -> None:
    """Refuse what a database cannot be asked for.

    Raises:
        ConfigurationError: If *text* is not a string of valid Unicode.
    """
    if not isinstance(text, str):
        raise ConfigurationError(f"{what} must be text, not {text!r}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{what} {text!r} is not valid Unicode text") from error


def check_line(text: object, what: str) -> None:
    """Refuse what is no text of one line, as the lists of a terminal need it.

    Raises:
        ConfigurationError: If *text* is no text, or has a control character.
    """
    check_text(text, what)
    if any(category(letter) in _NO_LETTERS for letter in str(text)):
        raise ConfigurationError(
            f"{what} must be one line without control characters, not {text!r}"
        )


def as_texts(value: str | Sequence[str] | None, what: str) -> tuple[str, ...]:
    """One text, or several, as a tuple.

    Raises:
        ConfigurationError: If a value is not text.
    """
    texts = (value,) if isinstance(value, str) else tuple(value or ())
    for text in texts:
        check_text(text, what)
    return texts
