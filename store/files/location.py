"""Where a store is: a path, a `file:` URL, or the variable `STEPWELL_STORE`."""

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

from stepwell.store.base.errors import ConfigurationError, StoreLocationError
from stepwell.store.base.signal_exceptions import raise_if_of_handler

from .database_files import require_database
from .links import real_path
from .owners import JOURNALS, owners_in
from .regular_files import other_kind

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
        return self.database.with_name(self.database.name + JOURNALS)

    def exists(self) -> bool:
        """Whether anything was ever recorded here."""
        return self.database.exists() or self.journals.is_dir()

    def is_same(self, other: "Location") -> bool:
        """Whether *other* is the same store, perhaps by another path.

        Raises:
            StoreLocationError: If it has the same database, and other journals.
        """
        if self == other:
            return True
        # Paths alone do not tell: a folder may be mounted in two places. And two leases of
        # one file would not keep each other out, as locks on files are the process's.
        pairs = ((self.database, other.database), (self.journals, other.journals))
        mine, journals = ((_number(a), _number(b)) for a, b in pairs)
        if _number(self.database.parent) == _number(other.database.parent):
            # A store that nothing was recorded in yet is told by its folder and its name.
            are_absent = {*mine, *journals} == {None}
            is_named_so = self.database.name == other.database.name
            return _is_one(mine) or _is_one(journals) or (are_absent and is_named_so)
        # A database that is mounted by itself has other journals beside it there: calls
        # would go where no reader of the first path looks.
        if _is_one(mine):
            raise StoreLocationError(
                f"{other} is the database {self}, whose journals are beside it there; use"
                " that path"
            )
        return False

    def __str__(self) -> str:
        return str(self.database)


def _number(path: Path) -> tuple[int, int] | None:
    """What tells a file from all others of the system; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_one(numbers: tuple[object, object]) -> bool:
    return numbers[0] is not None and numbers[0] == numbers[1]


def resolve(location: "Location | Path | str | None" = None) -> Location:
    """Say which files a store's location means.

    Args:
        location: A path of a database file, a `file:` URL of one, or None:
            `STEPWELL_STORE`, else `stepwell.duckdb` in the current folder.

    Raises:
        ConfigurationError: If the URL's scheme is not `file`.
        StoreLocationError: If the path is unusable as a file's, or there is a folder, a
            device or the like, or a file of several names.
    """
    if isinstance(location, Location):
        return location
    given = location if location is not None else os.environ.get(VARIABLE)
    text = _text_of(given) if given else DEFAULT_NAME
    path = _from_url(text) if "://" in text or text.startswith("file:") else Path(text)
    try:
        path = real_path(path.expanduser(), of_owner=True)
        if path.is_dir():
            raise StoreLocationError(
                f"{path} is a folder, and a store is a file; try {path / DEFAULT_NAME}"
            )
        require_database(path)
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise StoreLocationError(f"unusable store path {text!r}: {why}") from error
    for character in "?\\":
        if character in str(path):
            raise StoreLocationError(
                f"unusable store path {text!r}: DuckDB takes no path with a {character}"
            )
    return Location(path)


def _text_of(given: "Path | str") -> str:
    text = ""
    try:
        # Its letters, whatever the code of a class of texts makes of them.
        text = str.__str__(os.fsdecode(given))
        text.encode()
    except TypeError:
        kind = type(given).__name__
        raise ConfigurationError(f"store must be a path or a URL, not {kind}") from None
    except UnicodeEncodeError:
        raise StoreLocationError(
            f"unusable store path {text!r}: it is not valid Unicode"
        ) from None
    except Exception as error:  # of the caller's own `__fspath__`
        raise_if_of_handler(error)
        raise ConfigurationError(
            f"store gives no path: its {type(given).__name__} raises"
            f" {type(error).__name__}; give its text"
        ) from error
    return text


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
        StoreLocationError: If it cannot be made or written to, or is a stranger's.
    """
    try:
        # Looked at afterwards, since this takes any folder that is there for its own.
        location.journals.mkdir(parents=True, exist_ok=True)
        require_journals(location.journals)
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


def require_journals(folder: Path) -> None:
    """Refuse a journal folder that somebody else put there.

    Raises:
        StoreLocationError: If it is a link, or a stranger's.
        OSError: If there is none.
    """
    found = folder.lstat()
    database = folder.with_name(folder.name.removesuffix(JOURNALS))
    objection = owners_in(folder.parent, database).objection(found)
    if not stat.S_ISDIR(found.st_mode):
        objection = other_kind(found)
        if objection is None:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if objection:
        raise StoreLocationError(
            f"{folder} is {objection}, and not used for journals; move it away, or choose"
            " another path"
        )
