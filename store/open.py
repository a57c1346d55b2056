"""Opening a store."""

from pathlib import Path

from stepwell.store.database.lease import SECONDS, lease_of
from stepwell.store.database.schema_upgrade import prepare
from stepwell.store.files.location import Location, existing, resolve

from .store import Store


def open_store(
    location: Path | str | None = None,
    *,
    create: bool = True,
    seconds: float = SECONDS,
    fresh: bool = False,
) -> Store:
    """Open a store; makes one where there is none.

    Args:
        location: Path of the database file, or a `file:` URL. When absent: the variable
            `STEPWELL_STORE`, else `stepwell.duckdb` in the current folder.
        create: Whether to make a store that does not exist.
        seconds: How long each question waits while other processes use the file.
        fresh: See `Store`.

    Raises:
        StoreLocationError: If it cannot be one, or is absent and *create* is false.
        StoreDamagedError: If the file cannot be read, or is no store.
        StoreNewerError: If a newer Stepwell wrote it.
        StoreBusyError: If it stays in use for longer than *seconds*.
    """
    where = resolve(location) if create else existing(location)
    lease = lease_of(where)
    if not where.database.exists() or lease.writable:
        prepare(lease, seconds, anew=True)
    return Store(where, seconds=seconds, fresh=fresh)


def locate_store(location: Path | str | None = None) -> Location:
    """Where a store is, or would be made; `exists()` says whether it is there.

    Args:
        location: As of `open_store`.

    Raises:
        StoreLocationError: If none can be there.
    """
    return resolve(location)
