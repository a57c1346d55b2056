"""The fold: new records of the journals become rows, each exactly once.

Under the exclusive lease, one transaction inserts what is new and moves each journal's
folded offset. A kill at any instant leaves both done or neither. A journal that has ended
and is folded whole is removed afterwards.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from stepwell.store.base.errors import StoreDamagedError
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.duckdb_instance import roll_back
from stepwell.store.database.lease import SECONDS, Lease
from stepwell.store.database.schema_upgrade import is_outdated, prepare
from stepwell.store.database.table_directory_backup import keep_directory
from stepwell.store.files.owners import owners_if_any
from stepwell.store.journal.continuation import note_folded
from stepwell.store.journal.files import CRASHED, LOST, JournalFile, list_journals
from stepwell.store.journal.format import Header
from stepwell.store.journal.reader import has_record_at, names_between, read_piece
from stepwell.store.journal.writer_alive import is_alive

from .attempts import AttemptsOfFold
from .continued_journals import find_next_files
from .insert_points import PointsOfFold
from .pending import Unreadable, header_of, needs_fold, say_damaged, say_unread
from .rank_ends import settle_ends
from .remove_journals import Folded, settle
from .run_changes import describe_runs
from .run_rows import RunRows
from .sample_journal import sample_stretches
from .segment import GONE, Stretch, declared_names, keep_names, keep_offsets
from .skip_damaged import fold_all_sound

_Offsets = dict[str, tuple[int, str | None, int]]
"""By writer: how far its journal is folded, how it ended, and its attempt."""

BUDGET = 4 * 2**20  # bytes of journals folded in one transaction; bounds the memory


def fold(lease: Lease, seconds: float = SECONDS, *, stops_queries: bool = True) -> None:
    """Bring everything that the journals hold into the database.

    Args:
        lease: The store's.
        seconds: How long to wait for it, each time.
        stops_queries: See `Lease.exclusive`.

    Raises:
        StoreError: If the store cannot be prepared, locked or written.
    """
    if not lease.location.exists():
        return  # the store was moved away, and none is to be made in its old place
    prepare(lease, seconds)
    # This looks at the journals' names, sizes and headers alone: where nothing is new, no
    # lease is taken, and nobody else waits.
    more = needs_fold(lease)
    while more:  # a lease each: others have their turn, and DuckDB gives memory back
        with lease.exclusive(seconds, stops_queries=stops_queries) as connection:
            more = _fold_piece(connection, lease)


def get_ready(lease: Lease, seconds: float = SECONDS) -> None:
    """Do what the first fold would take most of its time for, before one is asked for.

    Raises:
        StoreError: If the store cannot be prepared.
    """

    def rehearse(connection: duckdb.DuckDBPyConnection) -> None:
        insert_stretches(connection, lease, sample_stretches())

    lease.get_ready(rehearse)
    prepare(lease, seconds)


def fold_within(connection: duckdb.DuckDBPyConnection, lease: Lease) -> None:
    """Fold until nothing is left, within an exclusive lease.

    Where it fails, the store is as it was before the piece that failed.

    Raises:
        StoreError: If the database cannot be written.
    """
    while _fold_piece(connection, lease):
        keep_directory(lease.location, connection)  # each piece is a commit
    keep_directory(lease.location, connection)  # the caller may write, too


def _fold_piece(connection: duckdb.DuckDBPyConnection, lease: Lease) -> bool:
    try:
        if is_outdated(connection, lease):
            raise StoreDamagedError(
                f"the database {lease.location} was just removed, or has become an older"
                " one; what the journals hold is recorded in it the next time"
            )
        listed = list_journals(lease.location.journals)

        aside: list[Path] = []

        def some(journals: list[JournalFile]) -> bool:
            # Rows and offsets are committed together, which is what makes a fold exactly
            # once. Files are removed after that: a kill in between leaves a journal that
            # the table says is folded whole, and the next fold removes it (`leftover`).
            connection.execute("BEGIN")
            folded = insert_journals(connection, lease, journals, listed)
            connection.execute("COMMIT")
            # Only now may the lease remember offsets: after a rollback it would pass over
            # records that no row has.
            aside.extend(settle(lease, folded))
            note_folded(lease.location.journals, _still_open(lease, listed))
            return folded.more

        def sample() -> None:
            insert_stretches(connection, lease, sample_stretches())

        more = fold_all_sound(connection, lease, listed, some, sample)
    except duckdb.Error as error:
        roll_back(connection)
        raise explain(error, lease.location) from error
    except BaseException:
        roll_back(connection)
        raise
    say_damaged(lease, aside)
    return more


def insert_journals(
    connection: duckdb.DuckDBPyConnection,
    lease: Lease,
    journals: list[JournalFile],
    listed: list[JournalFile],
) -> Folded:
    """Insert what is new in some journals, within a transaction.

    Args:
        connection: The store.
        lease: Its lease.
        journals: The journals to read.
        listed: All that are in the folder.
    """
    known = _folded_offsets(connection, listed)
    _say_if_older(lease, listed, known)
    folded = find_next_files(connection, _read(lease, journals, known), listed)
    # By all that are listed, as `journals` may be one half of them (see `skip_damaged`):
    # the other half has not vanished.
    vanished = _mark_vanished(connection, known, listed)
    insert_stretches(connection, lease, folded.stretches, vanished)
    return folded


def insert_stretches(
    connection: duckdb.DuckDBPyConnection,
    lease: Lease,
    stretches: list[Stretch],
    vanished: Sequence[tuple[Header, datetime]] = (),
) -> None:
    """Insert what was read, within a transaction.

    Args:
        connection: The store.
        lease: Its lease.
        stretches: What was read.
        vanished: Writers whose journals are gone, and when each was last seen.
    """
    rows = RunRows(connection)
    rows.load([*(s.header.run_id for s in stretches), *(h.run_id for h, _ in vanished)])
    attempts = AttemptsOfFold(connection, lease, rows)
    stretches = attempts.join(stretches, [header.run_id for header, _ in vanished])
    describe_runs(rows, stretches)
    declared = declared_names(connection, stretches)
    points = PointsOfFold(connection, rows.is_new, attempts.several)
    for stretch in stretches:
        points.add(stretch, declared.get(stretch.header.writer, {}))
    points.flush()
    keep_names(connection, stretches)
    keep_offsets(connection, stretches)
    for header, last_sign in vanished:
        numbered = header._replace(number=attempts.number_of(header.run_id, header.attempt))
        rows.end(numbered, "crashed", GONE, last_sign)
    # In this order: what is superseded follows from the totals, which `flush` has brought
    # up to date, and the ends of ranks are read from `journals_`, which `keep_offsets` has.
    attempts.settle(points.moved)
    ended = {stretch.journal.writer for stretch in stretches if stretch.ended is not None}
    lives = {stretch.journal.writer: stretch.alive for stretch in stretches}
    alive = {writer for writer, is_so in (lease.alive | lives).items() if is_so} - ended
    settle_ends(connection, rows, stretches, alive, [h.run_id for h, _ in vanished])
    rows.write()


def _still_open(lease: Lease, listed: list[JournalFile]) -> dict[str, int]:
    return {j.writer: lease.folded[j.writer] for j in listed if j.writer in lease.folded}


def _say_if_older(lease: Lease, journals: list[JournalFile], known: _Offsets) -> None:
    """Warn where the database has forgotten what was folded, as a copy put back has."""
    for journal in journals:
        folded, ended, _ = known.get(journal.writer, (0, None, 0))
        if ended is None and folded < lease.folded.get(journal.writer, 0):
            lease.say_once(
                f"the database {lease.location} is an older one than before; what the"
                " journals hold is recorded in it again, and runs that have ended since are"
                " not in it"
            )


def _folded_offsets(
    connection: duckdb.DuckDBPyConnection, journals: list[JournalFile]
) -> _Offsets:
    query = (
        "select writer, folded_bytes, ended, attempt from journals_"
        " where ended is null or writer in (select unnest(from_json(?, '[\"VARCHAR\"]')))"
    )
    writers = json.dumps([journal.writer for journal in journals])
    found = connection.execute(query, [writers])
    return {writer: (offset, *rest) for writer, offset, *rest in found.fetchall()}


def _read(
    lease: Lease,
    journals: list[JournalFile],
    known: _Offsets,
) -> Folded:
    stretches: list[Stretch] = []
    leftover: list[tuple[JournalFile, int]] = []
    headless: list[JournalFile] = []
    left = BUDGET
    owners = owners_if_any(lease.location.journals)  # once, and not for each file
    for journal in journals:
        offset, ended, attempt = known.get(journal.writer, (0, None, 0))
        # A copy may come again, and longer, when it was removed as that of a crashed run.
        is_longer = ended == CRASHED and has_record_at(journal.path, offset, owners)
        if ended not in {None, LOST} and not is_longer:
            leftover.append((journal, offset))  # folded whole before, and not removed
            continue
        if left <= 0:
            return Folded(stretches, leftover, headless, more=True)
        header = header_of(lease, journal, owners)
        if isinstance(header, Unreadable):
            if header.is_for_good:
                headless.append(journal)
            continue
        # Asked before the file is read: who is dead by now cannot write behind what is read
        # next. The other way round, a writer's last records could be missed.
        alive = is_alive(header, journal)
        begun = lease.header_ends[journal.writer]
        start = offset or begun
        try:
            piece = read_piece(journal.path, start, left, owners)
            # What its names stood for was forgotten at its end.
            before = names_between(journal.path, begun, start if is_longer else 0, owners)
        except OSError as error:  # removed by hand, or not to be read just now
            say_unread(lease, journal, error)
            continue
        # Not for a few bytes of the next file: its rows would lie alone among those of this
        # one, and a question for one metric reads each block that has some of it.
        is_cut = journal.size - start > left
        left = 0 if is_cut else left - (piece.stop - start)
        piece.names = before | piece.names
        if attempt:  # its identity here, where the header says a number
            header = header._replace(attempt=attempt)
        stretches.append(Stretch(journal, header, journal.writer in known, piece, alive))
    more = any(not stretch.piece.is_last for stretch in stretches)
    return Folded(stretches, leftover, headless, more)


def _mark_vanished(
    connection: duckdb.DuckDBPyConnection,
    known: _Offsets,
    journals: list[JournalFile],
) -> list[tuple[Header, datetime]]:
    """Say of vanished journals that they are lost; gives whose, and since when."""
    here = {journal.writer for journal in journals}
    # Their offsets stay. `LOST` is no end: a journal that comes back is folded on from
    # there.
    gone = [
        writer
        for writer, (_, ended, _) in known.items()
        if ended is None and writer not in here
    ]
    if not gone:
        return []
    found = connection.execute(
        "update store.main.journals_ set ended = ?"
        " where writer in (select unnest(?::varchar[]))"
        " returning run_id, rank, attempt, is_primary, last_sign",
        [LOST, gone],
    ).fetchall()
    return [
        (Header(str(run_id), "", "", None, "", "", 0, 0, rank, attempt, primary), last)
        for run_id, rank, attempt, primary, last in found
    ]
