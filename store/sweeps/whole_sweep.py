"""All that a page about a sweep shows, from one look at the store."""

from collections.abc import Sequence

import duckdb

from stepwell.store.queries.runs import Chosen
from stepwell.store.values.sweep import SweepData

from .curves import select_curves
from .importance import importance_of
from .leaderboard import leaderboard_of
from .metric_per_run import At, select_values
from .run_columns import select_frame
from .sweep_table import select_params, table_of


def select_sweep(  # noqa: PLR0913
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    metric: str,
    *,
    goal: str | None,
    at: At,
    x: str,
    columns: Sequence[int],
) -> SweepData:
    """The chosen runs ranked, tabulated, explained and as curves; see `Store.sweep`."""
    frame = select_frame(connection, chosen)
    found = select_values(connection, chosen, frame, [metric], at=at, goals={metric: goal})[
        metric
    ]
    params = select_params(connection, chosen, frame)
    curves = {}
    if columns:
        curves = select_curves(
            connection, chosen, metric, x=x, columns=columns, first=None, last=None
        )
    return SweepData(
        leaderboard=leaderboard_of(frame, found, metric, at=at),
        table=table_of(frame, params, {metric: found.value}),
        importance=importance_of(params, found, metric, at=at),
        x=x,
        curves=curves,
    )
