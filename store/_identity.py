"""Ids of runs and writers."""

import os
import time
import uuid


def new_run_id() -> str:
    """A new UUID of version 7: sorts by the time it was made.

    Source: RFC 9562, section 5.7 (48 bits of milliseconds, then random bits).
    """
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=number))


def as_run_id(given: str) -> str:
    """The run id that a text given by a user stands for: itself, or one made from it."""
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"stepwell:{given}"))


def new_writer_id() -> str:
    """A new id for one writer of a run."""
    return os.urandom(6).hex()
