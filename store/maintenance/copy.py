"""Copying a live store."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stepwell.store.base.errors import StoreDamagedError, StoreLocationError
from stepwell.store.database.lease import SECONDS
from stepwell.store.doctor.check_database import DatabaseFacts, examine_database
from stepwell.store.files.location import Location, existing, resolve
from stepwell.store.journal.files import list_journals
from stepwell.store.values.finding import FAULT

from .snapshot import force_to_disk, move_journals, snapshot


@dataclass(frozen=True, slots=True)
class CopiedStore:
    """What a copy came to.

    Attributes:
        location: The copy's database file.
        runs: How many runs it has.
        points: How many points it has.
        running: How many of the runs go on in the original.
        size: Bytes of its database.
        foreign: What else is in it, which is not Stepwell's.
    """

    location: Path
    runs: int
    points: int
    running: int
    size: int
    foreign: tuple[str, ...] = ()


def copy_store(
    location: Location | Path | str | None,
    target: Path | str,
    *,
    seconds: float = SECONDS,
) -> CopiedStore:
    """Copy a store, beside live writers, with every call that has returned.

    The copy is read from end to end before it appears at its place, whole.

    Args:
        location: Where the store is; see `open_store`.
        target: Path of the copy; nothing may be there.
        seconds: How long its writers are waited for.

    Raises:
        StoreLocationError: If there is no store, or something is at *target*.
        StoreDamagedError: If the store cannot be read as a whole.
        StoreBusyError: If it stays in use for longer than *seconds*.
    """
    source, copy = existing(location), resolve(target)
    require_free(copy)
    with snapshot(source, copy.database, seconds) as made:
        now = datetime.now(UTC).replace(tzinfo=None)
        facts = examine_database(made, now)
        for finding in facts.findings:
            if finding.verdict == FAULT:
                raise StoreDamagedError(
                    f"the store {source} is not whole: {finding.message}; {finding.advice}"
                )
        force_to_disk(made.database)
        # Looked at once more, as the copy took its time, and `replace` asks nobody.
        # Journals go first: what is at the store's place at all is then whole.
        require_free(copy)
        move_journals(made, copy)
        made.database.replace(copy.database)
        force_to_disk(copy.database.parent)
    return CopiedStore(
        copy.database,
        len(facts.runs),
        facts.points,
        _running(facts),
        copy.database.stat().st_size,
        facts.foreign,
    )


def require_free(target: Location) -> None:
    """Make sure that a new store can come to a place.

    Raises:
        StoreLocationError: If something is there.
    """
    if target.database.exists() or list_journals(target.journals):
        raise StoreLocationError(f"{target} is there already; choose another path")


def _running(facts: DatabaseFacts) -> int:
    return sum(status == "running" for _, status, _ in facts.runs.values())
