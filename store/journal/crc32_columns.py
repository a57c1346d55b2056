"""CRC-32 of many records of one length at a time.

A record with its checksum behind it leaves the sum in one and the same state, whatever the
record says. So a row of whole records of one length has a checksum that depends on the
length and the number alone, and one call of zlib finds whether all are whole. What differs
in one record is found as surely as by that record's own checksum, since the steps behind it
can be undone; differences in several are missed once in 2**32 times, as by their own.
"""

from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .format import pack_checksum

_BYTES = 2**18  # a round


def count_whole(rows: NDArray[np.uint8]) -> int:
    """How many records, from the first on, end in the right checksum.

    Args:
        rows: A record a row, shape (n, bytes of a record), without gaps; the checksum is in
            the last four bytes.
    """
    count, length = len(rows), rows.shape[1]
    most = max(1, _BYTES // length)
    for start in range(0, count, most):
        # Damage costs one round in which each record is looked at by itself, not the whole
        # table.
        part = rows[start : start + most]
        if crc32(part.data) != _sum_of_whole(length, len(part)):
            return start + _count_one_by_one(part)
    return count


@lru_cache(maxsize=256)
def _sum_of_whole(length: int, count: int) -> int:
    # Any record would do, as all leave the sum in the same state; so each shape of table is
    # computed once.
    nothing = bytes(length - 4)
    return crc32((nothing + pack_checksum(crc32(nothing))) * count)


def _count_one_by_one(rows: NDArray[np.uint8]) -> int:
    for place, row in enumerate(rows):
        if pack_checksum(crc32(row[:-4].data)) != row[-4:].tobytes():
            return place
    return len(rows)
