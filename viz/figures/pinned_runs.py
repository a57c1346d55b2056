"""The runs of a kept figure that are still there."""

import warnings
from typing import TYPE_CHECKING

from stepwell.store import LookupFailedError, visible
from stepwell.viz.base.messages import PlotWarning

if TYPE_CHECKING:
    from stepwell.store import FigureSpec, Selection, Store

_MOST_NAMED = 5


def runs_now(store: "Store", spec: "FigureSpec") -> "Selection":
    """The runs to draw; warns of pinned ones that are gone.

    Raises:
        LookupFailedError: None of the runs that the figure is pinned to is there.
    """
    from stepwell.store import Selection  # noqa: PLC0415 (a part of the store)

    if spec.pinned is None:
        return spec.runs
    found = store.figure_runs(spec)
    if not found.gone:
        return spec.selection
    pinned = f"{len(spec.pinned):,} run{'' if len(spec.pinned) == 1 else 's'}"
    if not found.runs:
        raise LookupFailedError(
            f"none of the {pinned} that the figure is pinned to is in {store.location}"
        )
    shown = ", ".join(f"…{run_id[-8:]}" for run_id in found.gone[:_MOST_NAMED])
    more = len(found.gone) - _MOST_NAMED
    message = (
        f"drawn without {len(found.gone):,} of the {pinned} that the figure is pinned to,"
        f" which {store.location} does not have: {shown}"
        + (f" and {more:,} more" if more > 0 else "")
    )
    warnings.warn(visible(message), PlotWarning, stacklevel=2)
    return Selection(runs=[run.run_id for run in found.runs])
