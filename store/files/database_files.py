"""The files that DuckDB opens for a store by their names, looked at before it does."""

from pathlib import Path

from stepwell.store.base.errors import StoreLocationError

from .owners import owners_in
from .regular_files import UnsafeFileError, other_kind


def require_database(path: Path) -> None:
    """Refuse what DuckDB would wait for or write over, or know by another name, too.

    Raises:
        StoreLocationError: If something is there that is no regular file, or one of
            several names.
        OSError: If the system does not say what is there.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    kind = other_kind(found)
    if kind is not None:
        raise StoreLocationError(
            f"{path} is {kind}, and a store is a file; choose another path"
        )
    if found.st_nlink > 1:
        raise StoreLocationError(
            f"the database {path} has {found.st_nlink} names (hard links), and its"
            " write-ahead log belongs to one of them; remove the others, or put a copy in"
            " its place"
        )


def require_files(path: Path) -> None:
    """Refuse a database that `require_database` does, or with a stranger's log.

    Raises:
        StoreLocationError: If a file is not to be opened.
    """
    from stepwell.migrations import LOGS  # noqa: PLC0415 (0.2 ms of a training's start)

    try:
        require_database(path)
        for suffix in LOGS:
            log = path.with_name(path.name + suffix)
            try:
                found = log.lstat()
            except FileNotFoundError:
                continue
            # DuckDB takes in whatever log lies beside a database as soon as it opens it: in
            # a folder for all, a stranger's log would be rows and tables as he likes them.
            owners_in(path.parent, path).require_file(found, log)
    except UnsafeFileError as error:
        raise StoreLocationError(
            f"{error.filename} is not taken into the database: {error.strerror}; move it"
            " away"
        ) from error
    except OSError:
        return  # DuckDB meets the same, and says it
