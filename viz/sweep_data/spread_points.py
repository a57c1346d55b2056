"""Points of the same x side by side, so that none hides another."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def side_by_side(x: Floats, y: Floats, size: float, most: float) -> Floats:
    """How far to move each point to the side.

    Args:
        x: Where the points stand; those of equal x are moved apart.
        y: How high.
        size: How wide and high a point is, in the units of *x* and *y*.
        most: The farthest to move one. Where that is not enough, points overlap.
    """
    moved = np.zeros(len(x))
    places = _places(int(most / size) if size > 0 else 0)
    for one in np.unique(x[np.isfinite(x)]):
        rows = np.flatnonzero(x == one)
        highest = dict.fromkeys(places, -np.inf)
        # From below: then only the highest point so far of each place has to be known. A
        # stable order gives the same picture for the same runs.
        for row in rows[np.argsort(y[rows], kind="stable")]:
            free = (place for place in places if y[row] - highest[place] >= size)
            place = next(free, 0)
            highest[place] = float(y[row])
            moved[row] = place * size
    return moved


def _places(most: int) -> list[int]:
    """0, 1, -1, 2, -2 and so on."""
    return [0, *(sign * step for step in range(1, most + 1) for sign in (1, -1))]
