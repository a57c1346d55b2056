"""Telling the few different texts of a long column, without an object a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_ROWS = 1000  # below that it does not pay
_LONGEST = 64  # bytes
_SAMPLE = 2000
_MOST = 200
# 2⁶⁴ divided by the golden ratio: a multiplicative hash, whose collisions `coded` rules
# out.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MASKS = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)


def coded(
    data: NDArray[np.uint8], ends: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.uint8], list[str]] | None:
    """The number of each text, and the texts by number; None where they are many or long.

    Args:
        data: Bytes of the texts, one behind the other.
        ends: Where each ends.
    """
    if len(ends) < _LEAST_ROWS:
        return None
    starts = np.concatenate([[0], ends[:-1]])
    lengths = ends - starts
    if int(lengths.max()) > _LONGEST:
        return None
    words = _words(data, starts, lengths)
    keys = lengths.astype(np.uint64)
    for word in words:
        keys = (keys ^ word) * _FACTOR
        keys ^= keys >> np.uint64(32)
    # Not all keys are sorted: a sample has nearly all of a few texts, and only what it
    # lacks is sorted as well.
    known = np.unique(keys[:: max(1, len(keys) // _SAMPLE)])
    codes = _places(known, keys)
    strange = known[codes] != keys
    if strange.any():
        known = np.unique(np.concatenate([known, np.unique(keys[strange])]))
        codes = _places(known, keys)
    if len(known) > _MOST:
        return None
    first = np.empty(len(known), np.int64)
    # Where a place is assigned more than once, the last one stays: backwards, that is the
    # first row of each text.
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    if not all((word == word[first][codes]).all() for word in (lengths, *words)):
        return None  # two texts have one key
    parts = zip(starts[first].tolist(), ends[first].tolist(), strict=True)
    return codes.astype(np.uint8), [data[a:b].tobytes().decode() for a, b in parts]


def _words(
    data: NDArray[np.uint8],
    starts: NDArray[np.integer[Any]],
    lengths: NDArray[np.integer[Any]],
) -> list[NDArray[np.uint64]]:
    """Eight bytes each of all texts, zero behind their ends."""
    count = -(-max(1, int(lengths.max())) // 8)
    padded = np.zeros(len(data) + 8 * count + 8, np.uint8)
    padded[: len(data)] = data
    # Each byte begins a word of this view, which overlap: a text may begin anywhere. The
    # zeros behind the data give the last texts whole words, too.
    eights: NDArray[np.uint64] = np.ndarray(
        (len(padded) - 7,), np.uint64, buffer=padded.data, strides=(1,)
    )
    found = []
    for place in range(0, 8 * count, 8):
        word = eights[starts + place]
        word &= _MASKS[np.clip(lengths - place, 0, 8)]
        found.append(word)
    return found


def _places(known: NDArray[np.uint64], keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    return np.minimum(np.searchsorted(known, keys), len(known) - 1)
