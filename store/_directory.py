"""A second copy of the database's directory, for the day when the file is damaged.

DuckDB keeps where each table's rows lie in some blocks of the file, at any place. Without
one of them nothing can be read, though the rows may all be there. So whoever has written
to the store leaves these blocks, and the headers that they belong to, in the journal
folder. It is of use only for a file with the same headers: nothing has been written since.
"""

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import duckdb

from ._location import Location

NAME = ".directory"
_MAGIC = b"stepwell directory 1\n"
_HEADERS = 12_288  # bytes: the main header and the two that take turns
_BLOCK_BYTES = struct.Struct("<40xQ")  # in either of them
_ENTRY = struct.Struct("<QI")  # offset and length of what follows
_CHECKSUM = struct.Struct("<I")

Blocks = dict[int, bytes]
"""Parts of a database file by their offsets."""


class DirectoryKeeper:
    """Keeps the copy up to date for one process.

    Args:
        location: The store.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._kept = b""
        self._file = 0
        self._headers = b""
        self._blocks: list[int] = []

    def begin(self) -> None:
        """Take note of which file is attached."""
        self._file = _number(self._location.database)

    def look(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Ask which blocks they are, while the store is attached and all is committed."""
        self._blocks = []
        self._headers = _read_headers(self._location.database)
        is_the_same = self._file == _number(self._location.database)
        if is_the_same and self._headers != self._kept:
            query = "select block_id from pragma_metadata_info('store')"
            with suppress(duckdb.Error):  # whoever reads next will say what is wrong
                found = connection.execute(query).fetchall()
                self._blocks = [int(block) for (block,) in found]

    def keep(self) -> None:
        """Copy them, once the store is detached and nobody else can write to it yet."""
        if not self._blocks or _read_headers(self._location.database) != self._headers:
            return
        target = self._location.journals / NAME
        new = target.with_name(f"{NAME}.new")
        try:
            _write(new, self._location.database, self._headers, self._blocks)
            new.replace(target)
        except OSError:  # a full disk, for one: repair may save less, no more than that
            with suppress(OSError):
                new.unlink(missing_ok=True)
        else:
            self._kept = self._headers


def missing_blocks(location: Location) -> Blocks:
    """What of its directory a database file lacks, or has changed.

    Returns:
        The blocks as they were; none where all are there, or no copy of them is.
    """
    found = _read(location.journals / NAME)
    if found is None or found[0] != _read_headers(location.database):
        return {}
    with location.database.open("rb") as file:
        return {
            offset: data
            for offset, data in found[1].items()
            if os.pread(file.fileno(), len(data), offset) != data
        }


def put_blocks(copy: Path, blocks: Blocks) -> None:
    """Write blocks to where they belong in a copy of the file."""
    with copy.open("r+b") as file:
        for offset, data in blocks.items():
            file.seek(offset)
            file.write(data)


def _number(database: Path) -> int:
    try:
        return database.stat().st_ino
    except OSError:
        return 0


def _read_headers(database: Path) -> bytes:
    with suppress(OSError), database.open("rb") as file:
        return file.read(_HEADERS)
    return b""


def _write(target: Path, database: Path, headers: bytes, blocks: list[int]) -> None:
    (size,) = _BLOCK_BYTES.unpack_from(headers, 4096)
    checksum = 0
    with database.open("rb") as source, target.open("wb") as file:

        def put(data: bytes) -> None:
            nonlocal checksum
            checksum = zlib.crc32(data, checksum)
            file.write(data)

        put(_MAGIC + headers)
        for block in blocks:
            offset = _HEADERS + size * block
            put(_ENTRY.pack(offset, size))
            put(os.pread(source.fileno(), size, offset))
        file.write(_CHECKSUM.pack(checksum))


def _read(path: Path) -> tuple[bytes, Blocks] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    end = len(data) - _CHECKSUM.size
    at = len(_MAGIC) + _HEADERS
    if end < at or not data.startswith(_MAGIC):
        return None
    if zlib.crc32(data[:end]) != _CHECKSUM.unpack_from(data, end)[0]:
        return None
    headers, blocks = data[len(_MAGIC) : at], {}
    while at < end:
        offset, size = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        blocks[offset] = data[at : at + size]
        at += size
    return headers, blocks
