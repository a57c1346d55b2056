"""CRC-32 of many records of one length at a time.

The same checksum as `zlib.crc32`, two bytes a table look-up and eight bytes a round, over
columns of records instead of one record after the other: per record some tens of
nanoseconds, where a Python loop around zlib takes a microsecond.

Source: the reflected polynomial 0xEDB88320 of ISO 3309; "slicing by N" after Kounavis and
Berry, "A Systematic Approach to Building High Performance, Software-based, CRC Generators"
(ISCC 2005).
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0xEDB88320
_ROWS = 4096  # records a round: what the processor's cache holds


@cache
def _tables() -> tuple[Any, ...]:
    values = np.arange(1 << 16)
    for _ in range(16):
        values = (values >> 1) ^ np.where(values & 1, _POLYNOMIAL, 0)
    first: Any = values.astype(np.uint32)
    tables = [first]
    for _ in range(3):
        last = tables[-1]
        tables.append((last >> 16) ^ first[last & 0xFFFF])
    return tuple(tables)


def count_whole(rows: NDArray[np.uint8]) -> int:
    """How many records, from the first on, end in the right checksum.

    Args:
        rows: A record a row, shape (n, bytes of a record); the checksum is in the last
            four bytes, and the bytes before are an even number of twos.
    """
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        right = _checksums(part[:, :-4]) == part[:, -4:].copy().view("<u4")[:, 0]
        if not right.all():
            return start + int(np.argmin(right))
    return len(rows)


def _checksums(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    one, two, three, four = _tables()
    words = np.ascontiguousarray(np.ascontiguousarray(rows).view("<u2").T)
    crc: Any = np.full(words.shape[1], 0xFFFFFFFF, np.uint32)
    for place in range(0, len(words) - len(words) % 4, 4):
        crc = (
            four[(crc & 0xFFFF) ^ words[place]]
            ^ three[(crc >> 16) ^ words[place + 1]]
            ^ two[words[place + 2]]
            ^ one[words[place + 3]]
        )
    for word in words[len(words) - len(words) % 4 :]:
        crc = (crc >> 16) ^ one[(crc & 0xFFFF) ^ word]
    found: NDArray[np.uint32] = ~crc
    return found
