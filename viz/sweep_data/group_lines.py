"""One line and a band for the curves of several runs, as far as these go together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bands import Band, Floats, band_of, on_grid


@dataclass(frozen=True, slots=True, eq=False)
class GroupLine:
    """The curves of a group as one line and a band.

    Runs end at different steps: some crash, some go on still, some see less data. A median
    of ever fewer runs tells which runs are left, not how the group does. So there is a
    line only where at least half of the runs are, and *count* says how many it stands on.

    Attributes:
        name: The group's name, such as "lr 0.01".
        n: How many runs.
        x: float64, ascending.
        count: int64, the runs between whose first and last values each x is.
        band: Line and band; NaN where fewer than half of the runs are.
    """

    name: str
    n: int
    x: Floats
    count: NDArray[np.int64]
    band: Band

    @property
    def end(self) -> int:
        """Place of the last x that has a line."""
        return int(np.flatnonzero(np.isfinite(self.band.middle))[-1])

    @property
    def is_whole(self) -> bool:
        """Whether the line stands on all runs wherever it is drawn."""
        return bool(np.all(self.count[np.isfinite(self.band.middle)] == self.n))


def group_line(name: str, curves: Sequence[tuple[Floats, Floats]], kind: str) -> GroupLine:
    """The line of a group.

    Args:
        name: The group's name.
        curves: x and y of each run; y has a finite value.
        kind: A kind of band other than "auto".
    """
    known = [x[np.isfinite(x) & np.isfinite(y)] for x, y in curves]
    grid = np.unique(np.concatenate(known))
    rows = np.vstack([on_grid(x, y, grid) for x, y in curves])
    count = np.isfinite(rows).sum(axis=0)
    # At the first and last x of the fewest, half of the runs may never be together.
    enough = 2 * count >= min(len(curves), 2 * int(count.max()))
    band = band_of(rows, kind)
    middle, low, high = (
        np.where(enough, part, np.nan) for part in (band.middle, band.low, band.high)
    )
    return GroupLine(name, len(curves), grid, count, Band(middle, low, high))
