"""Changing the store by other means than a run's journal."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from stepwell.store.base.errors import StoreDamagedError

from .duckdb_errors import explain
from .duckdb_instance import roll_back
from .lease import SECONDS, Lease
from .schema_upgrade import is_outdated, prepare


@contextmanager
def writing(lease: Lease, seconds: float = SECONDS) -> Iterator[duckdb.DuckDBPyConnection]:
    """One transaction on the store, alone; what fails leaves the store as it was.

    Yields:
        A connection to the store; valid within the block.

    Raises:
        StoreError: If the store cannot be prepared, locked or written.
    """
    prepare(lease, seconds)
    with lease.exclusive(seconds) as connection:
        try:
            # Since the lease of `prepare` another file may have come in its place.
            if is_outdated(connection, lease):
                raise StoreDamagedError(
                    f"the database {lease.location} was just removed, or has become an"
                    " older one; try again"
                )
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except duckdb.Error as error:
            roll_back(connection)
            raise explain(error, lease.location) from error
        except BaseException:
            roll_back(connection)
            raise
