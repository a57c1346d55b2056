"""Texts that a database can be asked for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stepwell.store.base.errors import ConfigurationError

from .metrics import shown

_NO_LETTERS = frozenset({"Cc", "Zl", "Zp"})
"""Unicode's categories of control characters, and of breaks of lines and paragraphs."""


def check_string(value: object, what: str) -> None:
    """Refuse what is no text at all.

    Raises:
        ConfigurationError: If *value* is not a string.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{what} must be text, not {shown(value)}")


def plain_text(value: Any, what: str) -> str:
    """The letters of a text, without what the code of its own class makes of them.

    Raises:
        ConfigurationError: If *value* is not a string.
    """
    check_string(value, what)
    return str.__str__(value)


def is_any(value: object, *choices: str) -> bool:
    """Whether a value is one of some texts; callable with anything."""
    return isinstance(value, str) and value in choices


def check_text(text: object, what: str) -> None:
    """Refuse what a database cannot be asked for.

    Raises:
        ConfigurationError: If *text* is not a string of valid Unicode.
    """
    try:
        plain_text(text, what).encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(
            f"{what} {shown(text)} is not valid Unicode text"
        ) from error


def check_line(text: object, what: str) -> None:
    """Refuse what is no text of one line, as the lists of a terminal need it.

    Raises:
        ConfigurationError: If *text* is no text, or has a control character.
    """
    check_text(text, what)
    from unicodedata import category  # noqa: PLC0415 (a library of its own)

    if any(category(letter) in _NO_LETTERS for letter in plain_text(text, what)):
        raise ConfigurationError(
            f"{what} must be one line without control characters, not {shown(text)}"
        )


def as_texts(value: str | Sequence[str] | None, what: str) -> tuple[str, ...]:
    """One text, or several, as a tuple.

    Raises:
        ConfigurationError: If a value is not text.
    """
    if value is not None and not isinstance(value, Iterable):
        raise ConfigurationError(
            f"{what} must be text, or several texts, not {shown(value)}"
        )
    texts = (value,) if isinstance(value, (str, bytes)) else tuple(value or ())
    for text in texts:
        check_text(text, what)
    return tuple(plain_text(text, what) for text in texts)


def text_given(value: object, argument: str) -> str:
    """A text that a program gives for a run, without what its class makes of it.

    Raises:
        ConfigurationError: If it is none; what is meant by anything else is not guessed.
    """
    if not isinstance(value, str):
        kind = type(value).__name__
        raise ConfigurationError(f"{argument} must be a text, not {kind} ({shown(value)})")
    return str.__str__(value)


def labels_of(tags: object) -> list[str]:
    """A run's tags, each once, of one text or several.

    Raises:
        ConfigurationError: If they are anything else.
    """
    if not isinstance(tags, Iterable) or isinstance(tags, (bytes, Mapping)):
        kind = type(tags).__name__
        raise ConfigurationError(f"tags must be a list of texts, not {kind}")
    given = [tags] if isinstance(tags, str) else list(tags)
    return list(dict.fromkeys(text_given(label, "tags") for label in given))
