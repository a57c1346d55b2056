"""A second copy of the database's directory, for the day when the file's own is damaged.

DuckDB keeps where each table's rows lie in some blocks of the file, at any place. Without
one of them nothing can be read, though the rows may all be there. A checkpoint writes to
the free parts of these blocks where they are: a process that is killed in the middle of
such a write leaves a block that is half new and half old, and whose checksum is wrong. So
these blocks, and the headers that they belong to, are kept in the journal folder, from
before a checkpoint begins. They are of use only for a file with the same headers: no
checkpoint has been completed since.
"""

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import duckdb

from stepwell.store.files.location import Location
from stepwell.store.files.owners import open_ours
from stepwell.store.files.regular_files import open_anew, open_regular

NAME = ".directory"
_MAGIC = b"stepwell directory 2\n"
_FILE = struct.Struct("<QQ")  # its number, by which it is known from others, and length
_HEADERS = 12_288  # bytes: the main header and the two that take turns
# A header's checksum and number, the places of the directory and of the list of free
# blocks, and the count of blocks come first, eight bytes each.
_BLOCK_BYTES = struct.Struct("<40xQ")  # in either of the two
_ENTRY = struct.Struct("<QI")  # offset and length of what follows
_CHECKSUM = struct.Struct("<I")

Blocks = dict[int, bytes]
"""Parts of a database file by their offsets."""


class _Copy(NamedTuple):
    """What was kept: of which file, how long it was, its headers and blocks."""

    number: int
    size: int
    headers: bytes
    blocks: Blocks


def keep_directory(location: Location, connection: duckdb.DuckDBPyConnection) -> None:
    """Copy the directory, unless the copy is that of the file as it is now.

    The file is read through DuckDB's own descriptor: closing one of ours would let go of
    the lock that DuckDB has on it.

    Args:
        location: The store, which is locked.
        connection: Has its database attached as `store`, and no transaction under way.
    """
    # On a full disk, for one, there is no new copy; the old one is then of no use.
    with suppress(OSError, duckdb.Error):
        file = _descriptor_of(location.database)
        if file is None:
            return
        status = os.fstat(file)
        headers = os.pread(file, _HEADERS, 0)
        # Each checkpoint writes one of the two headers anew, with the next number. So equal
        # headers mean that no checkpoint was completed between the copy and now.
        state = _FILE.pack(status.st_ino, status.st_size) + headers
        target = location.journals / NAME
        if state == _read_state(target):
            return
        query = "select block_id from pragma_metadata_info('store')"
        blocks = [int(row[0]) for row in connection.execute(query).fetchall()]
        new = target.with_name(f"{NAME}.new")
        try:
            _write(new, file, state, blocks)
            # Whole or not at all, since `_read_state` looks at the beginning alone. A kill
            # before this leaves the old copy, which is of another state, and not used.
            new.replace(target)
        except OSError:
            new.unlink(missing_ok=True)
            raise


def file_number(database: Path) -> int:
    """What tells a file from another one that took its place; 0 where there is none."""
    try:
        return database.stat().st_ino
    except OSError:
        return 0


def missing_blocks(location: Location) -> Blocks:
    """What of its directory a database file lacks, or has changed.

    Returns:
        The blocks as they were; none where all are there, or no copy of them is.
    """
    found = _read(location.journals / NAME)
    if found is None:
        return {}
    with suppress(OSError), open_regular(location.database) as file:
        return _differing(file.fileno(), found)
    return {}


def put_blocks(copy: Path, blocks: Blocks) -> None:
    """Write blocks to where they belong in a copy of the file."""
    with copy.open("r+b") as file:
        for offset, data in blocks.items():
            file.seek(offset)
            file.write(data)


def restorable_blocks(location: Location, number: int, file: int) -> Blocks:
    """What a checkpoint that did not come to its end has changed.

    Args:
        location: The store.
        number: The file that was written to, by `file_number`.
        file: Descriptor of the database as it is now.

    Returns:
        The blocks as they were; none where all are, or no copy of that very file is kept,
        or the file was cut, which no checkpoint does to it.
    """
    found, status = _read(location.journals / NAME), os.fstat(file)
    # Three must name one file: who wrote to it, who copied it, and the system now.
    if found is None or not number == found.number == status.st_ino:
        return {}
    return _differing(file, found) if status.st_size >= found.size else {}


def is_open_here(database: Path) -> bool:
    """Whether this process has the file open."""
    with suppress(OSError):
        return _descriptor_of(database) is not None
    return False


def _descriptor_of(database: Path) -> int | None:
    """A descriptor of this process by which a file is open, without opening it anew."""
    wanted = database.stat()
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 (names, and no paths)
        # The listing's own descriptor is among the names, and closed by now.
        with suppress(OSError):
            found = os.fstat(int(name))
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return int(name)
    return None


def _differing(file: int, found: _Copy) -> Blocks:
    # Behind another header the same block may hold anything: what was right when it was
    # copied would overwrite what a later checkpoint put there.
    if os.pread(file, _HEADERS, 0) != found.headers:
        return {}
    return {
        offset: data
        for offset, data in found.blocks.items()
        if os.pread(file, len(data), offset) != data
    }


def _write(target: Path, file: int, state: bytes, blocks: list[int]) -> None:
    (size,) = _BLOCK_BYTES.unpack_from(state, _FILE.size + 4096)
    checksum = 0
    with open_anew(target) as copy:

        def put(data: bytes) -> None:
            nonlocal checksum
            checksum = zlib.crc32(data, checksum)
            copy.write(data)

        put(_MAGIC + state)
        for block in blocks:
            offset = _HEADERS + size * block
            put(_ENTRY.pack(offset, size))
            put(os.pread(file, size, offset))
        # Not forced to the disk: it is for kills, and what a killed process has written
        # stays. Of a copy that the loss of power has torn the checksum tells.
        copy.write(_CHECKSUM.pack(checksum))


def _read_state(path: Path) -> bytes:
    with suppress(OSError), open_ours(path) as file:
        # The beginning alone, since each write asks for it twice, and of 25 million points
        # the copy has 800 kB. The checksum is looked at when the copy is to be used.
        found = file.read(len(_MAGIC) + _FILE.size + _HEADERS)
        return found[len(_MAGIC) :] if found.startswith(_MAGIC) else b""
    return b""


def _read(path: Path) -> _Copy | None:
    try:
        with open_ours(path) as file:
            data = file.read()
    except OSError:
        return None
    end = len(data) - _CHECKSUM.size
    begin = len(_MAGIC) + _FILE.size
    at = begin + _HEADERS
    if end < at or not data.startswith(_MAGIC):
        return None
    if zlib.crc32(data[:end]) != _CHECKSUM.unpack_from(data, end)[0]:
        return None
    number, length = _FILE.unpack_from(data, len(_MAGIC))
    headers, blocks = data[begin:at], {}
    while at < end:
        offset, size = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        blocks[offset] = data[at : at + size]
        at += size
    return _Copy(number, length, headers, blocks)
