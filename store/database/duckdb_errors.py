"""What DuckDB says of a store's file, as the store's own errors."""

import duckdb

from stepwell.store.base.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreLocationError,
)
from stepwell.store.files.location import Location

# Without their first letters, whose case depends on where in a sentence they stand.
_TROUBLES: tuple[tuple[str, type[StoreError], str], ...] = (
    (
        "nique file handle conflict",
        StoreBusyError,
        "the database {} is held open by this very process, through a DuckDB connection of"
        " its own; close that one",
    ),
    (
        "not a valid DuckDB database",
        StoreDamagedError,
        "{} is not a Stepwell store, nor any DuckDB database; choose another path",
    ),
    (
        "ermission denied",
        StoreLocationError,
        "no permission to open {}; check its owner and mode",
    ),
    (
        "o space left",
        StoreLocationError,
        "the disk of {} is full; make room. The journals keep what is not in the database"
        " yet",
    ),
)
"""What DuckDB says of its file, and the error and message that say it here."""


def explain(error: duckdb.Error, location: Location) -> StoreError:
    """The store's own error for one of DuckDB's about its file."""
    text = str(error)
    line = text.splitlines()[0] if text else type(error).__name__
    if "Could not set lock" in text or "Conflicting lock" in text:
        # DuckDB names the process as `(PID 1234)`, where the system tells which one it is.
        holder = text.partition("PID ")[2].partition(")")[0].split()[:1]
        who = f"process {holder[0]}" if holder else "another program"
        return StoreBusyError(
            f"the database {location} is held open by {who} (a DuckDB shell, perhaps);"
            " close it there. Journals go on meanwhile"
        )
    for words, kind, message in _TROUBLES:
        if words in text:
            return kind(message.format(location))
    # A wrong checksum is a trouble of reading for DuckDB 1.5, and a fatal one for 2.0.
    if isinstance(error, duckdb.IOException) or "Corrupt database file" in text:
        return StoreDamagedError(
            f"the database {location} cannot be read ({line}); put a copy back, or save"
            " by `stepwell repair NEW` what can be read"
        )
    return StoreDamagedError(
        f"the database {location} gave an error: {line}; `stepwell doctor` says more"
    )
