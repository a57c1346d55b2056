"""A line and a band that stand for the curves of several runs."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepwell.store import ConfigurationError, shown

Floats = NDArray[np.float64]
BANDS = ("auto", "quartile", "minmax", "std", "ci")
_FEWEST_FOR_QUARTILES = 5
_TEXTS = {
    "quartile": ("median", "quartiles"),
    "minmax": ("median", "least to greatest"),
    "std": ("mean", "± standard deviation"),
    "ci": ("mean", "95 % interval of the mean"),
}
# The 97.5 % points of Student's distribution for 1 to 30 degrees of freedom.
_STUDENT: tuple[float, ...] = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
)
_STUDENT += (2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)
_STUDENT += (2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Line and band over the same x; NaN where no run has a value.

    Attributes:
        middle: float64, the line.
        low: float64, lower edge of the band.
        high: float64, upper edge.
    """

    middle: Floats
    low: Floats
    high: Floats


def band_for(band: str, sizes: Sequence[int]) -> str:
    """The kind of band for groups of these *sizes*; "auto" is resolved.

    Raises:
        ConfigurationError: There is no such kind.
    """
    if band not in BANDS:
        raise ConfigurationError(
            f"band must be one of {', '.join(BANDS)}, not {shown(band)}"
        )
    if band != "auto":
        return band
    return "quartile" if min(sizes, default=0) >= _FEWEST_FOR_QUARTILES else "minmax"


def band_text(band: str, sizes: Sequence[int]) -> str:
    """What line and band of groups of these *sizes* are, as parts of a note."""
    if max(sizes, default=0) <= 1:
        return ""  # each line is that of a run
    line, edges = _TEXTS[band]
    of = f" of {sizes[0]:,} runs" if len(set(sizes)) == 1 else ""
    return f"{line}{of} · band: {edges}"


def band_of(rows: Floats, band: str) -> Band:
    """The line and band of *rows*.

    Args:
        rows: A row a run, a column an x; NaN where a run has no value.
        band: A kind other than "auto". Of a single run, the band has no width.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without any value
        if band in {"quartile", "minmax"}:
            shares = (25, 50, 75) if band == "quartile" else (0, 50, 100)
            # Where nothing is missing, numpy does all columns at once.
            ranked = np.nanpercentile if np.isnan(rows).any() else np.percentile
            low, middle, high = ranked(rows, shares, axis=0)
            return Band(middle, low, high)
        middle = np.nanmean(rows, axis=0)
        n = np.isfinite(rows).sum(axis=0)
        # Scaled by a power of two, which rounds nothing: the squares within a standard
        # deviation of huge values would be infinite.
        unit = 2.0 ** np.frexp(np.nanmax(np.abs(rows), initial=0.0))[1]
        spread = np.where(n > 1, unit * np.nanstd(rows / unit, axis=0, ddof=1), 0.0)
    if band == "ci":
        spread = spread * _student(n - 1) / np.sqrt(np.maximum(n, 1))
    return Band(middle, middle - spread, middle + spread)


def on_grid(x: Floats, y: Floats, grid: Floats) -> Floats:
    """*y* at each x of *grid*, straight between its points; NaN beyond its ends."""
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return np.full(len(grid), np.nan)
    return np.interp(grid, x[known], y[known], left=np.nan, right=np.nan)


def _student(freedom: NDArray[np.int64]) -> Floats:
    table = np.array((0.0, *_STUDENT))
    # From 31 degrees on this is within 0.002 of the distribution's own point.
    beyond = 1.96 + 2.5 / np.maximum(freedom, 1)
    inside = table[np.clip(freedom, 0, len(_STUDENT))]
    found: Floats = np.where(freedom <= len(_STUDENT), inside, beyond)
    return found
