"""Joining other stores into one, by run id: what is there already stays, and once."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from stepwell import migrations
from stepwell.store.base.errors import ConfigurationError
from stepwell.store.database.attach import attach, attached_file, looking, reaching
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.duckdb_instance import roll_back, run_apart
from stepwell.store.database.lease import SECONDS, Lease, lease_of
from stepwell.store.database.schema_upgrade import prepare, read_revision
from stepwell.store.files.location import Location, existing, resolve
from stepwell.store.ingest.ingest import fold, fold_within
from stepwell.store.ingest.rank_ends import settle_merged
from stepwell.store.ingest.totals import recount
from stepwell.store.journal.files import list_journals
from stepwell.store.schema.contents import (
    foreign_contents,
    require_tables,
    tables_in,
    wrong_tables,
)

from .merge_runs import merge_figures, merge_journals, merge_runs
from .point_chunks import (
    MOST,
    add_points,
    choose_groups,
    count_chosen,
    fingerprints,
    in_pieces,
)
from .snapshot import snapshot

# Writers of other machines that are not heard of; their journals may yet go on.
_SILENT = """
create or replace temp table silent as select unnest(from_json(?, '["VARCHAR"]')) as writer
"""


@dataclass(frozen=True, slots=True)
class MergedStore:
    """What was taken from one store.

    Attributes:
        location: Its database file.
        new: How many of its runs were not here.
        grown: How many of its runs were here, and gained points or came to an end.
        same: How many of its runs were here as they are there.
        points: How many points were taken.
        figures: How many kept figures were taken.
        foreign: What else is there, which is not Stepwell's, and was not taken.
    """

    location: Path
    new: int
    grown: int
    same: int
    points: int
    figures: int
    foreign: tuple[str, ...] = ()


def merge_stores(
    others: Iterable[Location | Path | str],
    location: Location | Path | str | None = None,
    *,
    seconds: float = SECONDS,
) -> list[MergedStore]:
    """Take the runs of other stores into this one; nothing is written to the others.

    A run that is here already gains the points that it has there and not here, each once;
    merging a second time changes nothing. What the journals of another store hold is
    taken, too. A run that goes on there is `running` here, as of now.

    Args:
        others: Where the other stores are.
        location: The store that grows; made when it is not there. See `open_store`.
        seconds: How long other processes are waited for, each time.

    Raises:
        ConfigurationError: If a store is to be merged into itself.
        StoreError: If one cannot be locked, read or written. What was taken before stays.
    """
    here = resolve(location)
    sources = [existing(other) for other in others]
    if here in sources:
        raise ConfigurationError(f"{here} cannot be merged into itself")
    lease = lease_of(here)
    prepare(lease, seconds)  # it may be new
    fold(lease, seconds)
    return [_merge(lease, source, seconds) for source in sources]


def _merge(lease: Lease, source: Location, seconds: float) -> MergedStore:
    with ExitStack() as stack:
        readable = source
        if not _is_plain(source, seconds):
            readable = stack.enter_context(
                snapshot(source, lease.location.database, seconds)
            )
        merged = merge_from(lease, source, readable, seconds)
        with looking(readable, seconds), attached_file(readable.database) as connection:
            return replace(merged, foreign=tuple(foreign_contents(connection)))


def _is_plain(source: Location, seconds: float) -> bool:
    """Whether the database alone has everything, in today's schema."""
    with looking(source, seconds):
        if list_journals(source.journals) or not source.database.exists():
            return False
        try:
            with attached_file(source.database) as connection:
                return read_revision(connection, lease_of(source)) == migrations.HEAD
        except duckdb.Error as error:
            raise explain(error, source) from error


def merge_from(
    lease: Lease, source: Location, readable: Location, seconds: float
) -> MergedStore:
    """Take the runs of a store whose database alone has everything.

    Args:
        lease: The store that grows.
        source: The other store, as it is to be called.
        readable: Where its database is.
        seconds: How long other processes are waited for, each time.

    Raises:
        StoreError: If one cannot be locked, read or written.
    """
    with reaching(lease, readable.database):
        return _take(lease, source, readable, seconds)


def _take(
    lease: Lease, source: Location, readable: Location, seconds: float
) -> MergedStore:
    with _both(lease, readable, seconds) as connection:
        # Each step leaves a store that can be merged again after a kill: descriptions and
        # attempts come before points, and the journals' offsets last. An offset that came
        # before its points would say of records that they are here, and a fold would pass
        # over them.
        there, here = (fingerprints(connection, name) for name in ("other", "store"))
        more = {
            group[0]
            for group, (count, _) in there.items()
            if count > here.get(group, (0, 0))[0]
        }
        connection.execute("BEGIN")
        runs = merge_runs(connection, more, source)
        figures = merge_figures(connection)
        connection.execute("COMMIT")
    grown, points = set(runs.updated), 0
    fresh = {group: found[0] for group, found in there.items() if group not in here}
    other = {
        group: count
        for group, (count, hashed) in there.items()
        if here.get(group, (count, hashed)) != (count, hashed)
    }
    for piece in (*in_pieces(fresh), *in_pieces(other)):
        size = sum(there[group][0] for group in piece)
        with _both(lease, readable, seconds) as connection:
            taken = _merge_piece(connection, piece, 1 + size // MOST)
        points += sum(taken.values())
        grown |= taken.keys()
    with _both(lease, readable, seconds) as connection:
        connection.execute("BEGIN")
        merge_journals(connection)
        settle_merged(connection, runs.known)
        connection.execute("COMMIT")
    grown -= runs.added
    return MergedStore(
        source.database,
        len(runs.added),
        len(grown),
        runs.count - len(runs.added) - len(grown),
        points,
        figures,
    )


@contextmanager
def _both(
    lease: Lease, other: Location, seconds: float
) -> Iterator[duckdb.DuckDBPyConnection]:
    """This store, to write to, and another as `other`, to read; this one's calls folded."""
    with looking(other, seconds), lease.exclusive(seconds) as connection:
        fold_within(connection, lease)
        try:
            attach(connection, other.database, "other", "READ_ONLY")
        except duckdb.Error as error:
            raise explain(error, other) from error
        silent = [writer for writer, lives in lease.alive.items() if not lives]
        connection.execute(_SILENT, [json.dumps(silent)])
        try:
            require_tables(wrong_tables(tables_in(connection, "other")), other)
            yield connection
        except duckdb.Error as error:
            roll_back(connection)
            raise explain(error, lease.location) from error
        except BaseException:
            roll_back(connection)
            raise
        finally:
            run_apart(connection, "DETACH other")


def _merge_piece(
    connection: duckdb.DuckDBPyConnection, piece: list[tuple[str, str]], parts: int
) -> dict[str, int]:
    """Points taken, by run."""
    connection.execute("BEGIN")
    choose_groups(connection, piece)
    before = count_chosen(connection)
    add_points(connection, "other", parts)
    after = count_chosen(connection)
    taken = {run: n - before.get(run, 0) for run, n in after.items()}
    taken = {run: n for run, n in taken.items() if n}
    if taken:
        recount(connection, chosen=True, also="other")
    connection.execute("drop table temp.chosen")
    connection.execute("COMMIT")
    return taken
