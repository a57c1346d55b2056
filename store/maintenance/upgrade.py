"""Bringing a store to the schema of this code, and saying so."""

from dataclasses import dataclass
from pathlib import Path

from stepwell.store.database.lease import SECONDS, lease_of
from stepwell.store.database.schema_upgrade import prepare, read_revision
from stepwell.store.files.location import Location, existing


@dataclass(frozen=True, slots=True)
class UpgradedStore:
    """What an upgrade did.

    Attributes:
        location: The database file.
        before: The revision that it had; None where it had no table yet.
        after: The revision that it has; the same where there was nothing to do.
    """

    location: Path
    before: str | None
    after: str | None


def upgrade_store(
    location: Location | Path | str | None = None, *, seconds: float = SECONDS
) -> UpgradedStore:
    """Bring a store to the newest revision; nothing where it has it.

    Opening a store does the same.

    Args:
        location: Where the store is; see `open_store`.
        seconds: How long other processes are waited for.

    Raises:
        StoreLocationError: If there is no store, or no permission to write to it.
        StoreDamagedError: If the file cannot be read, or is no store.
        StoreNewerError: If a newer Stepwell wrote it.
        StoreBusyError: If it stays in use for longer than *seconds*.
    """
    where = existing(location)
    lease = lease_of(where)
    before = None
    if where.database.exists() and where.database.stat().st_size:
        with lease.shared(seconds) as connection:
            before = read_revision(connection, lease)
    prepare(lease, seconds)
    with lease.shared(seconds) as connection:
        after = read_revision(connection, lease)
    return UpgradedStore(where.database, before, after)
