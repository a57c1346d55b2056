"""Statistics of a few runs, with numpy alone."""

import numpy as np
from numpy.typing import NDArray

from stepwell.store.queries.means import in_range

Floats = NDArray[np.float64]

RESAMPLES = 2000
"""Bootstrap resamples; the ends of an interval then vary by some 2 % of its width."""

_NUMBERS_AT_A_TIME = 1_000_000  # bounds the memory of a bootstrap
_INTERVAL = (2.5, 97.5)  # percentiles
_SEED = 0  # the same runs have the same interval


def mean_of(values: Floats) -> float:
    """The mean of finite values, at least one."""
    scaled, power = in_range(values)
    return float(np.clip(np.mean(scaled), scaled.min(), scaled.max())) * power


def median_of(values: Floats) -> float:
    """The median of finite values, at least one."""
    scaled, power = in_range(values)
    return float(np.median(scaled)) * power


def deviation_of(values: Floats) -> float:
    """The standard deviation that a sample tells of; NaN for one value."""
    if len(values) < 2:  # noqa: PLR2004
        return np.nan
    scaled, power = in_range(values)
    return float(scaled.std(ddof=1)) * power


def interquartile_mean(values: Floats) -> float:
    """Mean without the lowest and the highest quarter, each rounded down to whole values.

    Source: Agarwal et al., "Deep reinforcement learning at the edge of the statistical
    precipice", NeurIPS 2021.
    """
    cut = len(values) // 4
    return mean_of(np.sort(values)[cut : len(values) - cut])


def mean_interval(values: Floats) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean; NaN for one value."""
    if len(values) < 2:  # noqa: PLR2004
        return np.nan, np.nan
    values, power = in_range(values)
    draws = np.random.default_rng(_SEED)
    means = [
        values[draws.integers(0, len(values), (some, len(values)))].mean(axis=1)
        for some in _portions(len(values))
    ]
    found = np.clip(np.concatenate(means), values.min(), values.max())
    low, high = np.percentile(found, _INTERVAL)
    return float(low) * power, float(high) * power


def probability_above(a: Floats, b: Floats) -> float:
    """P(a value of *a* is above one of *b*) + ½ P(tie); NaN where one is empty."""
    if not len(a) or not len(b):
        return np.nan
    ordered = np.sort(b)
    below = np.searchsorted(ordered, a, "left") + np.searchsorted(ordered, a, "right")
    return float(below.mean() / (2 * len(b)))


def probability_interval(a: Floats, b: Floats) -> tuple[float, float]:
    """Its 95 % bootstrap interval, both samples resampled; NaN below two values."""
    if min(len(a), len(b)) < 2:  # noqa: PLR2004
        return np.nan, np.nan
    kinds, codes = np.unique(np.concatenate((a, b)), return_inverse=True)
    draws = np.random.default_rng(_SEED)
    found = []
    for some in _portions(len(a) + len(b)):
        counts_a, counts_b = (
            _resampled(draws, part, some, len(kinds))
            for part in (codes[: len(a)], codes[len(a) :])
        )
        below = np.cumsum(counts_b, axis=1) - counts_b / 2
        found.append((counts_a * below).sum(axis=1) / (len(a) * len(b)))
    low, high = np.percentile(np.concatenate(found), _INTERVAL)
    return float(low), float(high)


def explained_share(values: Floats, groups: NDArray[np.intp]) -> float:
    """Share of the variance of *values* that their group explains, corrected for chance.

    It is epsilon squared, eta squared without its bias: 0 on average where the groups
    say nothing; never below 0.

    Source: Kelley, "An unbiased correlation ratio measure", PNAS 21 (1935).

    Args:
        values: float64, n finite values.
        groups: n numbers of groups, from 0 on.
    """
    values, _ = in_range(values)
    size = len(values)
    counts = np.bincount(groups)
    kinds = int(np.count_nonzero(counts))
    distance = values - values.mean()
    total = float(np.sum(distance**2))
    sums = np.bincount(groups, distance)[counts > 0]
    between = float(np.sum(sums**2 / counts[counts > 0]))
    if size <= kinds or kinds < 2 or not total > 0:  # noqa: PLR2004
        return 0.0
    return max(0.0, 1 - (1 - between / total) * (size - 1) / (size - kinds))


def ranks(values: Floats) -> Floats:
    """Ranks from 1 on; equal values share the mean of theirs."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means = ends - (counts - 1) / 2
    return np.asarray(means[codes], np.float64)


def rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's correlation; 0 where one does not vary."""
    x, y = ranks(a), ranks(b)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else 0.0


def _resampled(
    draws: np.random.Generator, codes: NDArray[np.intp], some: int, kinds: int
) -> NDArray[np.intp]:
    drawn = codes[draws.integers(0, len(codes), (some, len(codes)))]
    drawn = drawn + kinds * np.arange(some)[:, None]
    return np.bincount(drawn.ravel(), minlength=some * kinds).reshape(some, kinds)


def _portions(size: int) -> list[int]:
    some = max(1, min(RESAMPLES, _NUMBERS_AT_A_TIME // size))
    whole, rest = divmod(RESAMPLES, some)
    return [some] * whole + ([rest] if rest else [])


def far_off(values: NDArray[np.float64]) -> int:
    """How many values decide the variance of all by lying far away; 0 where none do.

    Far are those beyond three interquartile ranges from the quartiles, the outer fences of
    Tukey, "Exploratory Data Analysis" (1977); they decide with more than half of it.

    Args:
        values: Finite numbers, shape (n,).
    """
    if not values.size or not (largest := float(np.abs(values).max())):
        return 0
    scaled = values / largest  # whose squares are finite
    first, third = np.quantile(scaled, [0.25, 0.75])
    reach = 3 * (third - first)
    far = (scaled < first - reach) | (scaled > third + reach)
    squares = (scaled - scaled.mean()) ** 2
    decides = reach > 0 and squares[far].sum() > squares.sum() / 2
    return int(far.sum()) if decides else 0
