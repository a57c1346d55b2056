"""Whether the journals hold what a fold has not seen; without reading their records."""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stepwell.store.base.errors import StoreNewerError
from stepwell.store.database.lease import Lease
from stepwell.store.files.owners import Owners, list_strangers
from stepwell.store.journal.files import (
    DAMAGED,
    JournalFile,
    is_named,
    list_journals,
    list_set_aside,
    read_header,
)
from stepwell.store.journal.format import Header
from stepwell.store.journal.writer_alive import FRESH_SECONDS, is_alive


class Unreadable(NamedTuple):
    """Why a journal has no header.

    Attributes:
        is_for_good: Whether it never will have one; else it may be read later.
    """

    is_for_good: bool


def needs_fold(lease: Lease) -> bool:
    """Whether a journal has bytes that are not folded, or has lost its writer.

    Files that look like journals and are a stranger's are named in a warning.
    """
    for path, what in list_strangers(lease.location.journals):
        if is_named(path.name):
            lease.say_once(
                f"{path} is not read, and its points are missing: it is {what};"
                " people share a store by a group (chgrp, chmod g+ws,o-w)"
            )
    if not lease.folded and not lease.alive:  # the first look of this process
        say_damaged(lease, list_set_aside(lease.location.journals))
    for journal in list_journals(lease.location.journals):
        header = header_of(lease, journal)
        if isinstance(header, Unreadable):
            if header.is_for_good:
                return True
        elif is_due(lease, journal, header):
            return True
    return False


def is_due(lease: Lease, journal: JournalFile, header: Header) -> bool:
    """Whether a journal is not as a fold left it, be it folded or passed over."""
    alive = is_alive(header, journal)
    passed = lease.passed.get(journal.writer)
    if passed is not None:
        return passed != (journal.size, alive)
    writer = journal.writer
    # The death of a writer changes no byte of its journal, and yet the run has ended.
    if lease.alive.get(writer) is not alive:
        return True
    # A torn tail stays behind the folded offset. Without this memory each reader would
    # fold, in vain; size and time change as soon as the writer goes on.
    torn = lease.torn.get(writer) == (journal.size, journal.heartbeat)
    return lease.folded.get(writer) != journal.size and not torn


def header_of(
    lease: Lease, journal: JournalFile, owners: Owners | None = None
) -> Header | Unreadable:
    """Who writes a journal, by the lease's memory or from the file.

    Args:
        lease: The store's.
        journal: The file.
        owners: Whose files count in its folder; looked for when absent.
    """
    header = lease.headers.get(journal.writer)
    if header is None:
        try:
            found = read_header(journal.path, owners)
        except OSError as error:
            say_unread(lease, journal, error)
            return Unreadable(is_for_good=False)
        except StoreNewerError as error:
            lease.say_once(f"{journal.path} is not read: {error}")
            return Unreadable(is_for_good=False)
        if found is None:
            # A writer makes the file and writes the header at once; a minute is ample.
            age = time.time() - journal.heartbeat
            return Unreadable(is_for_good=age > FRESH_SECONDS)
        header, end = found
        lease.headers[journal.writer] = header
        lease.header_ends[journal.writer] = end
    return header


def say_damaged(lease: Lease, aside: Iterable[Path]) -> None:
    """Warn, once each, of journals that were set aside: points are missing."""
    for path in aside:
        with suppress(OSError):
            # Of one that was made, and never written to, nothing is missing.
            if is_named(path.name.removesuffix(DAMAGED)) and path.stat().st_size:
                lease.say_once(
                    f"the journal {lease.called.journals / path.name} is damaged, and what"
                    " stands behind the damage is not read; `stepwell repair NEW` saves"
                    " what is whole of it, and removing the file ends this warning"
                )


def say_unread(lease: Lease, journal: JournalFile, error: OSError) -> None:
    """Warn, once, of a journal whose points are missing because it cannot be read."""
    # A file that was removed just now, and a folder of that name, hold no points.
    if not isinstance(error, (FileNotFoundError, IsADirectoryError)):
        why = error.strerror or str(error)
        lease.say_once(
            f"{journal.path} is not read ({why}), and its points are missing; check its"
            " owner and mode"
        )
