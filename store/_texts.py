"""Texts that a database can be asked for."""

from collections.abc import Sequence

from ._errors import ConfigurationError


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


def as_texts(value: str | Sequence[str] | None, what: str) -> tuple[str, ...]:
    """One text, or several, as a tuple.

    Raises:
        ConfigurationError: If a value is not text.
    """
    texts = (value,) if isinstance(value, str) else tuple(value or ())
    for text in texts:
        check_text(text, what)
    return texts
