"""Reading every whole record of damaged journals.

A journal is written anew from the stretches of whole records that it has, before and
behind damage. The ordinary fold then makes of it what it makes of any.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from stepwell.store.base.errors import StoreNewerError
from stepwell.store.base.ids import as_uuid, first_writer_id, new_run_id, new_writer_id
from stepwell.store.files.location import Location
from stepwell.store.files.owners import list_ours, open_ours
from stepwell.store.journal.damage_scan import JournalScan, scan_journal
from stepwell.store.journal.files import DAMAGED, follow, is_named
from stepwell.store.journal.format import (
    FINISHED,
    MAGIC,
    SUFFIX,
    Header,
    encode_header,
    encode_json,
    journal_name,
)
from stepwell.store.journal.writer_lock import copy_life_lock

_CHUNK = 4 * 2**20  # bytes copied at a time
_UUID_LENGTH = 36
_HEADLESS = "the head of its journal was lost"


@dataclass(frozen=True, slots=True)
class RescuedJournal:
    """What was read of one journal.

    Attributes:
        name: The file's name.
        writer: Id of its writer.
        size: Bytes of the file.
        records: Whole records.
        damaged: Bytes skipped, since no whole record stands there.
        cut: Bytes of a last record that was not written to its end.
        stop: Where the last whole record ends.
        trouble: Why nothing could be read; empty otherwise.
    """

    name: str
    writer: str
    size: int
    records: int
    damaged: int
    cut: int
    stop: int
    trouble: str = ""


Known = dict[str, tuple[int, int, bool]]
"""Rank, attempt, and whether it is primary, by writer; as the database has them."""


def rescue_journals(
    source: Location, target: Location, known: Known, locks: ExitStack
) -> list[RescuedJournal]:
    """Write what is whole of a store's journals into another store's folder.

    What is written anew counts as its living writer's own until *locks* ends.
    """
    target.journals.mkdir(parents=True, exist_ok=True)
    paths = follow(lambda: _entries(source.journals))
    found = [_rescue(path, target.journals, known, locks) for path in paths]
    return [journal for journal in found if journal]


def _entries(folder: Path) -> list[Path]:
    """The files that are, or were, journals: by their names, or by their first bytes."""
    files = [path for path in list_ours(folder) if path.name[0] != "."]
    return [path for path in files if _is_journal(path)]


def _is_journal(path: Path) -> bool:
    if path.name.removesuffix(DAMAGED).endswith(SUFFIX):
        return True
    try:
        with open_ours(path) as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _rescue(
    path: Path, folder: Path, known: Known, locks: ExitStack
) -> RescuedJournal | None:
    try:
        scan = scan_journal(path)
        if not (scan.header or scan.whole or is_named(path.name.removesuffix(DAMAGED))):
            return None  # somebody else's file, as a fold takes it for, too
        status = path.stat()
        header = scan.header or _made_up(path, scan, known)
        made = folder / journal_name(header)
        # A journal may be there twice, set aside and put back: the longer file counts.
        if made.exists() and made.stat().st_size >= status.st_size:
            return RescuedJournal(path.name, header.writer, status.st_size, 0, 0, 0, 0)
        with open_ours(path) as source, made.open("wb") as target:
            target.write(encode_header(header))
            for start, stop in scan.whole:
                source.seek(start)
                for at in range(start, stop, _CHUNK):
                    target.write(source.read(min(_CHUNK, stop - at)))
            if scan.header is None and not scan.has_end:
                # Whether its writer lives cannot be known.
                time = scan.last_time or status.st_mtime_ns
                end = {"status": "crashed", "message": _HEADLESS, "time": time}
                target.write(encode_json(FINISHED, end))
    except (OSError, StoreNewerError) as error:
        return RescuedJournal(path.name, "", 0, 0, 0, 0, 0, " ".join(str(error).split()))
    copy_life_lock(path, made, locks)
    # The time is the heartbeat, by which a fold tells when its writer was last heard of.
    os.utime(made, (status.st_mtime, status.st_mtime))
    stop = max((stop for _, stop in scan.whole), default=0)
    return RescuedJournal(
        path.name,
        header.writer,
        status.st_size,
        scan.records,
        scan.damaged_bytes,
        scan.cut,
        stop,
    )


def _made_up(path: Path, scan: JournalScan, known: Known) -> Header:
    """A header in place of one that is lost; the file's name says whose journal it is."""
    name = path.name.removesuffix(DAMAGED).removesuffix(SUFFIX)
    run_id = as_uuid(name[:_UUID_LENGTH])
    writer = name[_UUID_LENGTH + 1 :] if run_id else ""
    of_writer = known.get(writer) or known.get(first_writer_id(writer))
    rank, attempt, primary = of_writer or (0, 1, scan.has_start)
    return Header(
        run_id=run_id or new_run_id(),
        writer=writer or new_writer_id(),
        name=f"recovered-{(run_id or '')[-8:]}",
        project=None,
        host="",
        machine="",
        pid=0,
        process_started=0,
        rank=rank,
        attempt=attempt,
        primary=primary,
    )
