"""The calls of a stream that a store must have, and those that it may have."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._ledger import Said, diverging_value, odd_value, value_of


@dataclass(frozen=True, slots=True)
class Calls:
    """What is expected of a store.

    Attributes:
        said: The stream.
        must: Numbers of the calls that must be there.
        may: Numbers of those that may be.
        is_whole: Whether it is a store, not a copy of it.
        is_damaged: Whether damage may have taken some.
    """

    said: Said
    must: NDArray[np.int64]
    may: NDArray[np.int64]
    is_whole: bool = True
    is_damaged: bool = False

    @classmethod
    def of(cls, said: Said, excuses: dict[str, int], least: int | None = None) -> "Calls":
        """What is expected of a store, or of a copy with *least* of the calls."""
        done = np.array(sorted(said.done), np.int64)
        following = 1 + max([-1, *said.done, *said.refused])
        under_way = [] if said.has_ended else [following]
        may = np.append(done, np.array(under_way, np.int64))
        must = done[:least]
        certain = must[must < excuses.get(said.stream, 2**62)]
        return cls(said, certain, may, least is None, said.stream in excuses)

    def value(self, metric: str, number: int) -> float:
        """What the stream said."""
        if metric == "a":
            return float(number)
        if metric == "b":
            return self.said.done.get(number, value_of(self.said.stream, number))
        if metric == "e":
            return diverging_value(number)
        return odd_value(number) if metric == "c" else number / 3
