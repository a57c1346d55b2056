"""Journals that go on in another file, as a fold meets them."""

from dataclasses import replace

import duckdb

from ._fold_points import Stretch
from ._fold_settle import Folded
from ._format import SUFFIX
from ._journal_files import JournalFile, is_named
from ._regular import is_there


def find_next_files(
    connection: duckdb.DuckDBPyConnection, folded: Folded, listed: list[JournalFile]
) -> Folded:
    """Look for the files in which journals go on that end here.

    One may have come since the folder was listed: there is then more to read. One that is
    not there, and never was folded, was removed by somebody, or lost with the power.

    Args:
        connection: The store.
        folded: What was read.
        listed: The journals that were in the folder.
    """
    known = {journal.writer for journal in listed}
    continued = {stretch.header.continues for stretch in folded.stretches}
    stretches, more = [], folded.more
    for stretch in folded.stretches:
        following = _next_writer(stretch)
        found = stretch
        if stretch.header.writer in continued:
            found = replace(stretch, is_continued=True)
        if following and following not in known:
            name = f"{stretch.header.run_id}-{following}{SUFFIX}"
            if is_named(name) and is_there(stretch.journal.path.with_name(name)):
                more = True
            elif not _was_folded(connection, following):
                found = replace(stretch, next_is_lost=True)
        stretches.append(found)
    return folded._replace(stretches=stretches, more=more)


def _next_writer(stretch: Stretch) -> str:
    continued = stretch.piece.continued if stretch.piece.is_last else None
    return str(continued.get("writer", "")) if continued else ""


def _was_folded(connection: duckdb.DuckDBPyConnection, writer: str) -> bool:
    query = "select count(*) from journals_ where writer = ?"
    ((count,),) = connection.execute(query, [writer]).fetchall()
    return bool(count)
