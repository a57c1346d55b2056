"""Means of any doubles: that of finite values is finite, though their sum may not be."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLER = 2.0**-64
"""A factor with which 2⁶⁴ of the largest doubles can be added."""


_LEAST, _MOST = -400, 480  # exponents of two; squares of such can be added a million times


def means_of_groups(  # noqa: PLR0913, PLR0917
    values: Floats,
    edges: NDArray[np.intp],
    counts: NDArray[np.int64],
    least: Floats,
    greatest: Floats,
    weights: NDArray[np.int64] | None = None,
) -> Floats:
    """The mean of each group of finite values; NaN for a group without one.

    Args:
        values: The values; 0 where there is none.
        edges: Where each group begins.
        counts: How many values, or what weight, each group has.
        least: Least value of each group.
        greatest: Greatest value of each group.
        weights: What each value counts; 1 when absent.
    """

    def sums(scaled: Floats) -> Floats:
        found: Floats = np.add.reduceat(
            scaled if weights is None else scaled * weights, edges
        )
        return found

    with np.errstate(over="ignore", invalid="ignore"):
        total = sums(values)
        mean = np.full(len(edges), np.nan)
        np.divide(total, counts, where=counts > 0, out=mean)
        beyond = ~np.isfinite(total)
        if beyond.any():
            mean[beyond] = sums(values * SMALLER)[beyond] / counts[beyond] / SMALLER
    clipped: Floats = np.clip(mean, least, greatest)  # adding may round beyond them
    return clipped


def in_range(values: Floats) -> tuple[Floats, float]:
    """*values* divided by a power of two, and that, so that sums of squares are ordinary.

    It is 1 unless the largest is huge or tiny.
    """
    exponent = int(np.frexp(np.abs(values).max(initial=0.0))[1])
    if _LEAST <= exponent <= _MOST:
        return values, 1.0
    power = exponent - (_MOST if exponent > _MOST else _LEAST)
    return np.ldexp(values, -power), 2.0**power
