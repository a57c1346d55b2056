"""Ids of runs, of their attempts, and of writers."""

import os
from zlib import crc32

from .run_clock import present

_NUMBERS = 1_000_000  # ids of attempts up to here are numbers, as they all were once
_WRITER_BYTES = 6
_DIGITS = 32
_URLS = bytes.fromhex("6ba7b8119dad11d180b400c04fd430c8")  # `uuid.NAMESPACE_URL`
_RANDOM_RUN = "7"  # version of the UUID of a run that was begun without an id


def new_run_id() -> str:
    """A new UUID of version 7: sorts by the time it was made.

    Source: RFC 9562, section 5.7 (48 bits of milliseconds, then random bits).
    """
    milliseconds = max(0, present() // 1_000_000)
    number = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    return _spelled(_with_version(number, 7))


def as_run_id(given: str) -> str:
    """The run id that a text given by a user stands for: itself, or one made from it."""
    return as_uuid(given) or _uuid_of_name(f"stepwell:{given}")


def as_uuid(text: str) -> str | None:
    """A text that says a UUID, in its usual form; None for any other."""
    # As Python's `uuid.UUID` reads it; to import that takes longer than a small question.
    digits = text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "")
    try:
        return _spelled(int(digits, 16)) if len(digits) == _DIGITS else None
    except ValueError:
        return None


def _uuid_of_name(name: str) -> str:
    """A UUID of version 5, in the namespace of URLs.

    Source: RFC 9562, section 5.5 (of a SHA-1, with version and variant set).
    """
    try:  # what `hashlib` would find, without OpenSSL, which takes 5 ms to load
        from _sha1 import sha1  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError:
        from hashlib import sha1  # noqa: PLC0415

    digest = sha1(_URLS + name.encode()).digest()  # an id, and no secret
    return _spelled(_with_version(int.from_bytes(digest[:16]), 5))


def _with_version(number: int, version: int) -> int:
    number = number & ~(0xF << 76) | version << 76
    return number & ~(0x3 << 62) | 2 << 62


def _spelled(number: int) -> str:
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def new_writer_id() -> str:
    """A new id for one writer of a run."""
    # By the system: the generator of a program may be seeded, and is the same in each
    # forked child, whose journals would have one name.
    return os.urandom(_WRITER_BYTES).hex()


def first_writer_id(writer: str) -> str:
    """The id of a writer's first file, by that of any; see `journal.continuation`."""
    return writer[: 2 * _WRITER_BYTES]


def next_writer_id(writer: str) -> str:
    """The id of the file in which a writer goes on, by that of the one before.

    Files are read in the order of their names, and so in that in which they were written.
    """
    first = first_writer_id(writer)
    number = int(writer.removeprefix(first) or "0", 16) + 1
    # Of a fixed length, or the tenth would come before the second.
    return f"{first}{number:06x}"


def new_attempt_id() -> int:
    """A new id for the attempt of a process that begins now; at random, of 31 bits."""
    return _beyond_numbers(int.from_bytes(os.urandom(4)))


def attempt_id_of(run_id: str, number: int, writer: str) -> int:
    """The id of an attempt that was told by its number, by one of its writers.

    A run of random id began in one place, and its first attempt is the same everywhere.
    Any other attempt may have its number in several stores.
    """
    if number <= 1 and run_id[14] == _RANDOM_RUN:
        return 1
    return _beyond_numbers(crc32(f"{run_id}/{number}/{writer}".encode()))


def _beyond_numbers(drawn: int) -> int:
    return _NUMBERS + 1 + drawn % (2**31 - _NUMBERS - 1)
