"""Reading the store so that each call that has returned is seen."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime

import duckdb

from stepwell import migrations
from stepwell.store.base.errors import (
    StoreBusyError,
    StoreError,
    StoreLocationError,
    StoreNewerError,
)
from stepwell.store.database.lease import SECONDS, Lease
from stepwell.store.database.schema_upgrade import is_outdated, prepare, read_revision
from stepwell.store.database.turns import QueryRunsError
from stepwell.store.ingest.pending import needs_fold
from stepwell.store.ingest_helper.handle import fold_in_helper, helpers
from stepwell.store.journal.files import list_journals

_OPEN = "open journals"  # what the database says of those that have not ended
# What DuckDB says where the process ever had a sub-interpreter: it takes no array then.
_NO_SCAN = "PandasScan called but GIL was already held"


@contextmanager
def reading(
    lease: Lease, seconds: float = SECONDS, *, fresh: bool = False, bare: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Fold what is new and read, in one lease, so that each returned call is seen.

    Where that cannot be, the lease's `as_of` says what is seen within the block.

    Args:
        lease: The store's.
        seconds: How long to wait for it.
        fresh: Whether a user's query in the way is stopped, and run again afterwards;
            otherwise what is folded is read beside it.
        bare: Whether neither views nor parameters are needed; see `Lease.shared`.

    Yields:
        A connection to the store; valid within the block.

    Raises:
        StoreError: If the store cannot be prepared, locked or read.
    """
    if lease.writable:
        prepare(lease, seconds)
        if not needs_fold(lease):
            with lease.shared(seconds, bare=bare) as connection:
                if _is_as_known(connection, lease):
                    lease.as_of = None
                    yield connection
                    return
        with ExitStack() as stack:
            folded = _fold_first(stack, lease, seconds, fresh=fresh)
            if folded is not None:
                lease.as_of = None
                yield folded
                return
    elif needs_fold(lease):
        lease.say_once(f"{lease.location} is read-only: newest points may be missing")
    with lease.shared(seconds, bare=bare) as connection:
        if read_revision(connection, lease) != migrations.HEAD:
            raise StoreLocationError(
                f"the store {lease.location} has an earlier schema, and cannot be written"
                " to; `stepwell copy` makes a copy of it in today's"
            )
        # Asked within the lease, where nobody can fold: it is true for what is read now.
        lease.as_of = _last_fold(lease) if needs_fold(lease) else None
        yield connection


def is_all_folded(lease: Lease) -> bool:
    """Whether the file holds all that was recorded, by what is known without opening it."""
    if not lease.writable or not lease.prepared or needs_fold(lease):
        return False
    read = lease.guard.read_of_now()
    return read is not None and _OPEN in read and _is_known(read[_OPEN], lease)


def _last_fold(lease: Lease) -> datetime:
    return datetime.fromtimestamp(lease.location.database.stat().st_mtime, UTC)


def _fold_first(
    stack: ExitStack, lease: Lease, seconds: float, *, fresh: bool
) -> duckdb.DuckDBPyConnection | None:
    """A connection that has folded, until *stack* ends; None where it cannot."""
    from stepwell.store.ingest.ingest import fold_within  # noqa: PLC0415 (loads numpy)

    def alone(attempt: ExitStack) -> duckdb.DuckDBPyConnection:
        return attempt.enter_context(lease.exclusive(seconds, stops_queries=fresh))

    with ExitStack() as attempt:
        try:
            connection = alone(attempt)
            if is_outdated(connection, lease):
                attempt.close()
                prepare(lease, seconds)
                connection = alone(attempt)
            fold_within(connection, lease)
        except QueryRunsError:
            return None
        except (StoreBusyError, StoreNewerError):
            raise
        except StoreError as error:
            with suppress(StoreError):  # a full disk is told of once more
                attempt.close()
            if _NO_SCAN in str(error) and fold_in_helper(
                helpers, lease.location, seconds, start=True
            ):
                return None
            lease.say_once(f"reading without the newest points: {error}")
            return None
        # Handed over only when all went well: else the exclusive lease has to be given back
        # here, before the store is read beside others.
        stack.enter_context(attempt.pop_all())
    return connection


def _is_as_known(connection: duckdb.DuckDBPyConnection, lease: Lease) -> bool:
    """Whether all that is folded is there, and no journal that is not was removed."""
    if is_outdated(connection, lease):
        return False
    read = lease.guard.read
    if _OPEN not in read:
        query = "select writer, folded_bytes from store.main.journals_ where ended is null"
        read[_OPEN] = dict(connection.execute(query).fetchall())
    return _is_known(read[_OPEN], lease)


def _is_known(stored: dict[str, int], lease: Lease) -> bool:
    here = {journal.writer for journal in list_journals(lease.location.journals)}
    as_before = all(
        stored.get(w, 0) >= n for w, n in tuple(lease.folded.items()) if w in here
    )
    return as_before and stored.keys() <= here
