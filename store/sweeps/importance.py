"""How much of a metric's variance each configuration key explains."""

from itertools import compress

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store.queries.runs import Chosen
from stepwell.store.values.sweep import Importance
from stepwell.store.values.table import texts

from .groups import codes_of
from .metric_per_run import At, RunValues, select_values
from .run_columns import select_frame
from .statistics import explained_share, far_off, rank_correlation, ranks
from .sweep_table import Params, select_params

MOST_BINS = 10
FEWEST_RUNS = 30
"""Runs below which the importances come with a warning."""

_IN_A_BIN = 6  # runs, at least, where a key has more values than bins
_FEWEST_BINS = 3  # so that a middle that is best can be seen
_METHOD = (
    f"share of the variance that a key explains by itself: eta² over at most {MOST_BINS}"
    " bins, corrected for chance; what keys do together is not seen"
)
_SURE = 2.0  # standard errors of a rank correlation that is taken for one
_MOSTLY = 0.5  # of what the bins explain must be explained by order alone


def select_importance(
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metric: str,
    *,
    goal: str | None,
    at: At,
) -> Importance:
    """The keys that vary, the most important first; see `Store.importance`."""
    frame = select_frame(connection, chosen)
    found = select_values(connection, chosen, frame, [metric], at=at, goals={metric: goal})[
        metric
    ]
    params = select_params(connection, chosen, frame)
    return importance_of(params, found, metric, at=at)


def importance_of(params: Params, found: RunValues, metric: str, *, at: At) -> Importance:
    """The keys of *params* that vary by how much of the runs' values each explains."""
    finite = np.isfinite(found.value)
    rows = [(key, *_explain(c, found.value, finite)) for key, c in params.varying.items()]
    rows.sort(key=lambda row: -row[1])
    keys, shares, directions, sizes, bins = zip(*rows, strict=True) if rows else [()] * 5
    runs = int(finite.sum())
    values = found.value[finite]
    far = far_off(values)
    warnings = [
        f"only {runs} runs have a value: below {FEWEST_RUNS}, chance decides the order",
        f"{far} of {runs} runs lie far off and make most of the variance: without them the"
        " order may be another",
    ]
    apply = [runs < FEWEST_RUNS, far > 0]
    return Importance(
        metric=metric,
        goal=str(found.goal),
        at=at,
        key=texts(keys),
        eta2=np.array(shares, np.float64),
        direction=np.array(directions, np.int64),
        n=np.array(sizes, np.int64),
        bins=np.array(bins, np.int64),
        method=_METHOD,
        warning="; ".join(compress(warnings, apply)),
    )


def _explain(
    column: NDArray[np.generic], values: NDArray[np.float64], finite: NDArray[np.bool_]
) -> tuple[float, int, int, int]:
    """Explained share, direction, runs and bins of one key."""
    is_number = column.dtype == np.float64
    present = ~np.isnan(column.astype(float)) if is_number else column != None  # noqa: E711
    rows = np.flatnonzero(finite & present)
    if not rows.size:
        return 0.0, 0, 0, 0
    given, reached = column[rows], values[rows]
    groups = codes_of(given)
    bins = int(groups.max()) + 1
    if is_number and bins > MOST_BINS:
        wanted = int(np.clip(len(rows) // _IN_A_BIN, _FEWEST_BINS, MOST_BINS))
        # By rank, so that equal values are in one bin.
        places = (ranks(given.astype(float)) - 0.5) * wanted / len(rows)
        groups = np.unique(places.astype(np.intp), return_inverse=True)[1].astype(np.intp)
        bins = int(groups.max()) + 1
    share = explained_share(reached, groups)
    direction = _direction(given.astype(float), reached, groups) if is_number else 0
    return share, direction, len(rows), bins


def _direction(
    given: NDArray[np.float64], reached: NDArray[np.float64], groups: NDArray[np.intp]
) -> int:
    correlation = rank_correlation(given, reached)
    if abs(correlation) * np.sqrt(max(len(given) - 1, 0)) < _SURE:
        return 0
    if correlation**2 < _MOSTLY * explained_share(ranks(reached), groups):
        return 0
    return 1 if correlation > 0 else -1
