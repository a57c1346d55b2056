"""Where a store is: a path, a `file:` URL, or the variable `STEPWELL_STORE`."""

import os
from pathlib import Path
from typing import NamedTuple

from ._errors import ConfigurationError, StoreLocationError

DEFAULT_NAME = "stepwell.duckdb"
VARIABLE = "STEPWELL_STORE"


class Location(NamedTuple):
    """The files of one store.

    Attributes:
        database: The DuckDB file; absolute, links resolved.
    """

    database: Path

    @property
    def journals(self) -> Path:
        """The folder of the journals and lock files, beside the database."""
        return self.database.with_name(self.database.name + ".journal")

    def exists(self) -> bool:
        """Whether anything was ever recorded here."""
        return self.database.exists() or self.journals.is_dir()

    def __str__(self) -> str:
        return str(self.database)


def resolve(location: "Location | Path | str | None" = None) -> Location:
    """Say which files a store's location means.

    Args:
        location: A path of a database file, a `file:` URL of one, or None:
            `STEPWELL_STORE`, else `stepwell.duckdb` in the current folder.

    Raises:
        ConfigurationError: If the URL's scheme is not `file`.
        StoreLocationError: If the path is unusable as a file's.
    """
    if isinstance(location, Location):
        return location
    given = location if location is not None else os.environ.get(VARIABLE)
    text = DEFAULT_NAME
    try:
        text = os.fsdecode(given) if given else DEFAULT_NAME
        text.encode()
    except TypeError:
        kind = type(given).__name__
        raise ConfigurationError(f"store must be a path or a URL, not {kind}") from None
    except UnicodeEncodeError:
        raise StoreLocationError(
            f"unusable store path {text!r}: it is not valid Unicode"
        ) from None
    path = _from_url(text) if "://" in text or text.startswith("file:") else Path(text)
    try:
        path = Path(os.path.realpath(path.expanduser()))
        if path.is_dir():
            raise StoreLocationError(
                f"{path} is a folder, and a store is a file; try {path / DEFAULT_NAME}"
            )
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise StoreLocationError(f"unusable store path {text!r}: {why}") from error
    for character in "?\\":
        if character in str(path):
            raise StoreLocationError(
                f"unusable store path {text!r}: DuckDB takes no path with a {character}"
            )
    return Location(path)


def existing(location: "Location | Path | str | None" = None) -> Location:
    """The files of a store that is there; see `resolve`.

    Raises:
        StoreLocationError: If there is none.
    """
    where = resolve(location)
    if not where.exists():
        raise StoreLocationError(
            f"there is no store at {where}; give its path, or set {VARIABLE}"
        )
    return where


def _from_url(text: str) -> Path:
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415 (slow to import)

    parts = urlsplit(text)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        raise ConfigurationError(
            f"store {text!r} has an unknown scheme; use a path, or file:///PATH"
        )
    return Path(unquote(parts.path))


def prepare_folder(location: Location) -> None:
    """Make the journal folder, and the folders above it.

    Raises:
        StoreLocationError: If it cannot be made or written to.
    """
    try:
        location.journals.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StoreLocationError(
            f"cannot keep a store at {location}: {location.journals} is no folder;"
            " move it away"
        ) from error
    except OSError as error:
        raise StoreLocationError(
            f"cannot keep a store at {location}: {error.strerror or error};"
            f" choose another path or set {VARIABLE}"
        ) from error
