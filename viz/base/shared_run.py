"""Which plots and terminal view share a run, where neither was given one.

Only those made one after the other, before anything is recorded, belong together: what an
earlier training has left open, such as a notebook's cell that was interrupted, is passed.
"""

import weakref
from contextvars import ContextVar

from stepwell.store import Run

_offered: ContextVar["tuple[weakref.ref[Run], int] | None"] = ContextVar(
    "stepwell", default=None
)


def offer(run: Run) -> None:
    """Let the next terminal view of this thread or task join the plots' *run*."""
    _offered.set((weakref.ref(run), run.current_step))


def take_offered() -> Run | None:
    """The run of the plots made just before, once; None where there are none."""
    offered = _offered.get()
    if offered is None:
        return None
    _offered.set(None)
    reference, step = offered
    run = reference()
    is_fresh = run is not None and run.is_open and run.current_step == step
    return run if is_fresh else None
