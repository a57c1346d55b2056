"""A consistent copy of a store's files, taken without writing to the store.

Writers are kept away only while the files are copied; what the journals hold beyond the
database is folded in the copy. A run that goes on stays `running` in the copy, and its
exit message says as of when.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from stepwell.store.base.errors import StoreError, StoreLocationError
from stepwell.store.database.attach import looking
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.lease import SECONDS, Lease
from stepwell.store.files.database_files import require_files
from stepwell.store.files.hidden_folder import COPY, hidden_folder
from stepwell.store.files.location import Location
from stepwell.store.files.owners import open_ours
from stepwell.store.ingest.ingest import fold
from stepwell.store.journal.files import LOST, follow, list_journals, list_set_aside
from stepwell.store.journal.writer_lock import copy_life_lock


@contextmanager
def snapshot(
    source: Location, beside: Path, seconds: float = SECONDS
) -> Iterator[Location]:
    """A copy of a store in a hidden folder beside a file; gone afterwards.

    The copy has today's schema, every call that had returned, and no journals, except
    those that were set aside as damaged, or could not be folded.

    Args:
        source: The store; a folder that cannot be written to is no obstacle.
        beside: A path in the folder where there is room for it.
        seconds: How long writers of the store are waited for.

    Raises:
        StoreError: If it cannot be locked, read, or copied.
    """
    with hidden_folder(beside, COPY) as folder, ExitStack() as locks:
        lease = Lease(Location(folder / beside.name))
        lease.called = source
        try:
            with looking(source, seconds):
                _copy_files(source, lease.location, locks)
        except OSError as error:
            what, advice = "", "make room, or copy elsewhere"
            if isinstance(error, PermissionError):
                what, advice = f"{error.filename}: ", "check its owner and mode"
            raise StoreLocationError(
                f"cannot copy the store {source} into {folder.parent}:"
                f" {what}{error.strerror or error}; {advice}"
            ) from error
        try:
            fold(lease, seconds)
            with lease.exclusive(seconds) as connection:
                end_journals(connection, source, lease)
        except StoreError as error:  # about the hidden copy, which nobody knows
            error.args = (str(error).replace(str(lease.location), str(source)),)
            raise
        except duckdb.Error as error:
            raise explain(error, source) from error
        finally:
            lease.close()
        remove_locks(lease.location)
        yield lease.location


def remove_locks(location: Location) -> None:
    """Leave a store that nobody uses without its lock files."""
    for lock in (".gate", ".lock"):
        (location.journals / lock).unlink(missing_ok=True)


def _copy_files(source: Location, target: Location, locks: ExitStack) -> None:
    target.journals.mkdir()
    require_files(source.database)
    for suffix in ("", ".wal"):
        file = source.database.with_name(source.database.name + suffix)
        with suppress(FileNotFoundError):
            shutil.copyfile(file, target.database.with_name(target.database.name + suffix))
    # Journals after the database: no fold can come in between, as the lease is held, and
    # what writers append meanwhile only makes the copy newer.
    for path in follow(lambda: [j.path for j in list_journals(source.journals)]):
        copied = _copy_journal(path, target.journals)
        # The fold of the copy must find the writer alive, or the copy would say of each run
        # that goes on that it has crashed.
        copy_life_lock(path, copied, locks)
    for path in list_set_aside(source.journals):
        _copy_journal(path, target.journals)


def _copy_journal(path: Path, folder: Path) -> Path:
    copy = folder / path.name
    with open_ours(path) as file, copy.open("xb") as target:
        shutil.copyfileobj(file, target)
        time = os.fstat(file.fileno()).st_mtime_ns
    os.utime(copy, ns=(time, time))  # which is the heartbeat
    return copy


def end_journals(
    connection: duckdb.DuckDBPyConnection, source: Location, copy: Lease
) -> None:
    """Make a copy of a store stand by itself, without the journals of runs that go on.

    A journal that could not be folded stays: nobody else has what it holds.
    """
    connection.execute("BEGIN")
    # Lost, to the copy: should a journal come there, it is folded on from where it was.
    writers = connection.execute(
        "update store.main.journals_ set ended = ? where ended is null returning writer",
        [LOST],
    ).fetchall()
    connection.execute(
        "update store.main.runs set exit_message = ? where status = 'running' and"
        " exit_message is null",
        [running_elsewhere(source)],
    )
    connection.execute("COMMIT")
    known = {str(row[0]) for row in writers} - copy.passed.keys()
    for journal in list_journals(copy.location.journals):
        if journal.writer in known:
            journal.path.unlink()


def move_journals(source: Location, target: Location) -> None:
    """Take along what a copy could not fold, and what was set aside, to its place."""
    left = [journal.path for journal in list_journals(source.journals)]
    for path in (*left, *list_set_aside(source.journals)):
        target.journals.mkdir(exist_ok=True)
        path.replace(target.journals / path.name)


def running_elsewhere(source: Location) -> str:
    """What a run says that was still going on in a store that it was taken from."""
    return f"as of {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, in {source}"


def force_to_disk(path: Path) -> None:
    """Make a file that nobody has attached, or a folder, survive a loss of power."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
