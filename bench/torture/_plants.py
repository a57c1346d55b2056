"""Bugs to plant in a torture's own processes, to see that the rig catches them."""

import os
import sys
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
    return any("_fold_start" in argument for argument in sys.orig_argv)


class _LateWatermark:
    """A connection that commits what it has before it writes a folded offset."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._held: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *arguments: Any) -> Any:
        if "journals_ set folded_bytes" in statement or "into journals_" in statement:
            self._held.append((statement, *arguments))
            return self._connection
        if statement == "COMMIT":
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN")
            for held in self._held:
                self._connection.execute(*held)
            self._held.clear()
        return self._connection.execute(statement, *arguments)


def _part_watermark() -> None:
    from stepwell.store import _fold  # noqa: PLC0415 (loads DuckDB)

    once = _fold._fold_once  # noqa: SLF001
    _fold._fold_once = (  # noqa: SLF001
        lambda connection, lease: once(
            _LateWatermark(connection),  # type: ignore[arg-type]
            lease,
        )
    )


def _remove_early() -> None:
    from stepwell.store import _fold  # noqa: PLC0415

    insert = _fold.insert_stretch

    def removing(connection: Any, stretch: Any) -> None:
        if stretch.ended is not None:
            stretch.journal.path.unlink(missing_ok=True)
        insert(connection, stretch)

    _fold.insert_stretch = removing


def _fill_torn() -> None:
    from stepwell.store import _format, _recover  # noqa: PLC0415

    whole = _recover.whole_record

    def filled(view: memoryview, offset: int) -> tuple[int, int, int] | None:
        found = whole(view, offset)
        left = len(view) - offset
        if found is None and left > _format.OVERHEAD:
            length, kind = _format.unpack_frame(view, offset)
            if kind == _format.POINTS and left < length < _format.LARGEST:
                return kind, offset + 8, len(view) - (left - 28) % 8
        return found

    _recover.whole_record = filled


def _skip_checksums() -> None:
    from stepwell.store import _format, _recover  # noqa: PLC0415

    def trusted(view: memoryview, offset: int) -> tuple[int, int, int] | None:
        if offset + _format.OVERHEAD > len(view):
            return None
        length, kind = _format.unpack_frame(view, offset)
        stop = offset + length
        if length < _format.OVERHEAD or stop > len(view):
            return None
        return kind, offset + 8, stop - 4

    _recover.whole_record = trusted
    _recover.count_whole = len


def _buffer() -> None:
    from stepwell.store._journal import Journal  # noqa: PLC0415

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

    Journal.write, Journal.close = late, closing  # type: ignore[method-assign]


def _fold_all_or_none() -> None:
    from stepwell.store import _fold  # noqa: PLC0415

    _fold.fold_all_sound = lambda _connection, _lease, journals, some, _sample: some(
        journals
    )


def _wait_for_queries() -> None:
    from stepwell.store import _turns  # noqa: PLC0415

    _turns.QUERY_SECONDS = 3600.0
