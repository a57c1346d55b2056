"""What is wrong with a store, and what to do about it; only reads."""

from datetime import UTC, datetime
from pathlib import Path

from stepwell.store.base.errors import StoreError
from stepwell.store.database.attach import looking
from stepwell.store.files.location import Location, existing
from stepwell.store.values.finding import OK, Finding

from .check_database import DatabaseFacts, examine_database
from .check_journals import examine_journals, examine_orphans, present
from .check_machine import (
    examine_access,
    examine_disk,
    examine_file_system,
    examine_locks,
)

SECONDS = 3.0
"""How long the lock is waited for; whoever has it for longer is a finding."""

_MOUNTS = Path("/proc/mounts")


def examine(
    location: Location | Path | str | None = None,
    *,
    seconds: float = SECONDS,
    now: float | None = None,
    free: int | None = None,
    mounts: Path = _MOUNTS,
) -> tuple[Finding, ...]:
    """Look at everything that can be wrong with a store, and write nothing.

    It works beside live writers, and on a store whose database cannot be opened.

    Args:
        location: Where the store is; see `open_store`.
        seconds: How long its lock is waited for.
        now: Seconds since 1970; the present when absent.
        free: Bytes free on its disk; asked of the system when absent.
        mounts: The table of mounted file systems.

    Returns:
        A finding for each thing that was looked at, whether or not it is in order.

    Raises:
        StoreLocationError: If there is no store.
    """
    where = existing(location)
    moment = present() if now is None else now
    utc = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
    locks = examine_locks(where, seconds)
    facts = DatabaseFacts()
    if all(finding.verdict == OK for finding in locks):
        try:
            with looking(where, seconds):
                facts = examine_database(where, utc)
                found = _examine_files(where, facts, moment)
        except StoreError:  # somebody took the lock just now
            found = _examine_files(where, facts, moment)
    else:
        found = _examine_files(where, facts, moment)
    every = [*facts.findings, *found]
    if not any(finding.check == "clock" for finding in every):
        every.append(Finding("clock", OK, "times run forward, and none is in the future"))
    file_system = examine_file_system(where, mounts)
    machine = (*locks, *examine_access(where), examine_disk(where, free))
    return (*every, *machine, file_system)


def _examine_files(where: Location, facts: DatabaseFacts, moment: float) -> list[Finding]:
    return [*examine_journals(where, facts, moment), *examine_orphans(where, facts)]
