"""Bugs to plant in a torture's own processes, to see that the rig catches them."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._setting import Setting

PLANTS = {
    "watermark": "the folded offset is written in a transaction of its own",
    "removal": "a fold removes the journals of dead writers before it commits",
    "torn": "a torn tail is filled up and counted as whole",
    "checksum": "checksums of records are not looked at",
    "buffered": "a call is acknowledged before its record is written",
    "blocked": "a journal that cannot be folded keeps all others from being folded",
    "patient": "who reads waits for somebody's query for as long as it takes",
    "backwards": "times are the computer's clock's, even when that is set back",
}
"""Name of a bug, and what is wrong with it."""


def plant(setting: Setting) -> None:
    """Plant the torture's bug, if it has one, in this process."""
    if setting.plant:
        {
            "watermark": _part_watermark,
            "removal": _remove_early,
            "torn": _fill_torn,
            "checksum": _skip_checksums,
            "buffered": _buffer,
            "blocked": _fold_all_or_none,
            "patient": _wait_for_queries,
            "backwards": _trust_clock,
        }[setting.plant]()


def environment(setting: Setting) -> dict[str, str]:
    """What plants the bug in the helpers, too, which the library starts by itself."""
    if not setting.plant:
        return {}
    here = Path(__file__).parent
    paths = [str(here / "planting"), str(here.parent), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def is_helper() -> bool:
    """Whether this process is one of the library's helpers."""
    return any("ingest_helper.standby" in argument for argument in sys.orig_argv)


def _change(owner: Any, **values: Any) -> None:
    """Put other values in the place of some that are there."""
    for name, value in values.items():
        if name not in vars(owner):
            raise AttributeError(f"{owner.__name__} has no {name} any more")
        setattr(owner, name, value)


class _LateWatermark:
    """A connection that commits what it has before it writes folded offsets."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.held: list[Callable[[], None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *arguments: Any) -> Any:
        if statement == "BEGIN":
            self.held.clear()
        if statement == "COMMIT" and self.held:
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN")
            for write in self.held:
                write()
            self.held.clear()
        return self._connection.execute(statement, *arguments)


def _part_watermark() -> None:
    from stepwell.store.ingest import ingest  # noqa: PLC0415 (loads DuckDB)

    piece, keep = ingest._fold_piece, ingest.keep_offsets  # noqa: SLF001

    def keeping(connection: Any, stretches: Any) -> None:
        kept = [*stretches]
        connection.held.append(lambda: keep(connection, kept))

    _change(
        ingest,
        _fold_piece=lambda connection, lease: piece(_LateWatermark(connection), lease),  # type: ignore[arg-type]
        keep_offsets=keeping,
    )


def _remove_early() -> None:
    from stepwell.store.ingest import ingest  # noqa: PLC0415

    insert = ingest.insert_stretches

    def removing(connection: Any, lease: Any, stretches: Any, vanished: Any = ()) -> None:
        for stretch in stretches:
            if stretch.ended is not None:
                stretch.journal.path.unlink(missing_ok=True)
        insert(connection, lease, stretches, vanished)

    _change(ingest, insert_stretches=removing)


def _fill_torn() -> None:
    from stepwell.store.journal import format as journal_format  # noqa: PLC0415
    from stepwell.store.journal import reader as journal_reader  # noqa: PLC0415

    whole = journal_reader.whole_record

    def filled(view: memoryview, offset: int) -> tuple[int, int, int] | None:
        found = whole(view, offset)
        left = len(view) - offset
        if found is None and left > journal_format.OVERHEAD:
            length, kind = journal_format.unpack_frame(view, offset)
            if kind == journal_format.POINTS and left < length < journal_format.LARGEST:
                return kind, offset + 8, len(view) - (left - 28) % 8
        return found

    _change(journal_reader, whole_record=filled)


def _skip_checksums() -> None:
    from stepwell.store.journal import format as journal_format  # noqa: PLC0415
    from stepwell.store.journal import reader as journal_reader  # noqa: PLC0415

    def trusted(view: memoryview, offset: int) -> tuple[int, int, int] | None:
        if offset + journal_format.OVERHEAD > len(view):
            return None
        length, kind = journal_format.unpack_frame(view, offset)
        stop = offset + length
        if length < journal_format.OVERHEAD or stop > len(view):
            return None
        return kind, offset + 8, stop - 4

    _change(journal_reader, whole_record=trusted, count_whole=len)


def _buffer() -> None:
    from stepwell.store.journal.appender import Journal  # noqa: PLC0415

    write, close = Journal.write, Journal.close
    waiting: dict[int, list[bytes]] = {}

    def late(journal: Journal, record: bytes) -> bool:
        records = waiting.setdefault(id(journal), [])
        records.append(record)
        if len(records) < 20:  # noqa: PLR2004
            return True
        del waiting[id(journal)]
        return write(journal, b"".join(records))

    def closing(journal: Journal) -> None:
        records = waiting.pop(id(journal), [])
        if records:
            write(journal, b"".join(records))
        close(journal)

    _change(Journal, write=late, close=closing)


def _fold_all_or_none() -> None:
    from stepwell.store.ingest import ingest  # noqa: PLC0415

    _change(
        ingest,
        fold_all_sound=lambda _connection, _lease, journals, some, _sample: some(journals),
    )


def _wait_for_queries() -> None:
    from stepwell.store.database import turns  # noqa: PLC0415

    _change(turns, QUERY_SECONDS=3600.0)


def _trust_clock() -> None:
    from stepwell.store.base import run_clock  # noqa: PLC0415
    from stepwell.store.recording import recorder  # noqa: PLC0415

    ahead = time.monotonic_ns() - time.time_ns()

    def by_the_clock() -> int:
        return time.time_ns() + ahead

    _change(recorder, monotonic_ns=by_the_clock)
    _change(run_clock.RunClock, now=lambda clock: by_the_clock() + clock.offset)
