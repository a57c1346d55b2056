"""Journals that go on in another file, as a fold meets them."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import duckdb

from stepwell.store.base.errors import StoreNewerError
from stepwell.store.base.ids import next_writer_id
from stepwell.store.files.regular_files import is_there
from stepwell.store.journal.files import JournalFile, is_named, read_header
from stepwell.store.journal.format import SUFFIX

from .remove_journals import Folded
from .segment import Stretch

_FOLDED = """
select writer from journals_
where writer in (select unnest(from_json(?, '["VARCHAR"]')))
"""
_ID = re.compile(r"[0-9a-f]+")


def find_next_files(
    connection: duckdb.DuckDBPyConnection, folded: Folded, listed: list[JournalFile]
) -> Folded:
    """Look for the files in which journals go on that end here.

    One may have come since the folder was listed: there is then more to read. One that is
    not there, and never was folded, was removed by somebody, or lost with the power.

    A journal that could not be told where it goes on is met again when its process has
    ended, and the file in which it went on may have been folded, and removed, by then.

    Args:
        connection: The store.
        folded: What was read.
        listed: The journals that were in the folder.
    """
    here = {journal.writer for journal in listed}
    told = {s.journal.writer: writer for s in folded.stretches if (writer := _next_told(s))}
    read = {stretch.header.continues for stretch in folded.stretches}
    untold = {
        stretch.journal.writer: next_writer_id(stretch.journal.writer)
        for stretch in folded.stretches
        if stretch.has_no_more and stretch.header.writer not in read
    }
    # A file that is not in the folder was folded and removed, or is lost. Only the table of
    # journals can tell the one from the other.
    known = _folded(connection, {*told.values(), *untold.values()} - here)
    stretches, more = [], folded.more
    for stretch in folded.stretches:
        writer, found = stretch.journal.writer, stretch
        if stretch.header.writer in read:
            found = replace(stretch, is_continued=True)
        following = told.get(writer)
        if following and following not in here:
            path = _path(stretch, following)
            # The next file is made before the old one is told of it. So where it was not
            # listed, the listing came too early, and another look finds it.
            if path is not None and is_there(path):
                more = True
            elif following not in known:
                found = replace(stretch, next_is_lost=True)
        following = untold.get(writer)
        if following in known or (following and _is_begun(_path(stretch, following))):
            found = replace(stretch, is_continued=True)
            more |= following not in here and following not in known
        stretches.append(found)
    return folded._replace(stretches=stretches, more=more)


def _next_told(stretch: Stretch) -> str:
    continued = stretch.piece.continued if stretch.piece.is_last else None
    return str(continued.get("writer", "")) if continued else ""


def _path(stretch: Stretch, writer: str) -> Path | None:
    name = f"{stretch.header.run_id}-{writer}{SUFFIX}"
    return stretch.journal.path.with_name(name) if is_named(name) else None


def _is_begun(path: Path | None) -> bool:
    """Whether the file is there, with its header: the one before got no record since."""
    try:
        return path is not None and is_there(path) and read_header(path) is not None
    except (OSError, StoreNewerError):
        return False


def _folded(connection: duckdb.DuckDBPyConnection, writers: Iterable[str]) -> set[str]:
    # Others are no names of files, and perhaps no text that DuckDB takes.
    wanted = json.dumps([writer for writer in writers if _ID.fullmatch(writer)])
    if wanted == "[]":
        return set()
    return {writer for (writer,) in connection.execute(_FOLDED, [wanted]).fetchall()}
