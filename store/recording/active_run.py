"""Which run is active: the one that front ends join where they are given none.

Threads and asyncio tasks have a stack of runs each, which `init` puts its run on. A run
that ends gives the one below it back. Whoever has begun none gets the newest run that is
open in the process.
"""

import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING

from stepwell.store.base.errors import StepwellError, StoreWarning
from stepwell.store.base.warn_caller import warn_caller
from stepwell.store.files.location import Location, resolve

from .open_runs import Begun, begun

if TYPE_CHECKING:
    from .run import Run


# Weak, as each task has a copy of its context, and would hold a run that nobody else does.
_stack: ContextVar[tuple["weakref.ref[Run]", ...]] = ContextVar("stepwell", default=())


def activate(run: "Run") -> None:
    """Make *run* the active one of this context, until it ends."""
    begun[id(run)] = Begun(run, _default_store())
    below = [reference for reference in _stack.get() if _is_open(reference())]
    _stack.set((*below, weakref.ref(run)))


def active_run() -> "Run | None":
    """The run that `stepwell.init()` began: this context's, else the process's newest.

    A context is a thread or an asyncio task. Where a run was begun within another one, and
    has ended, it is the outer run again. None where no run of `init` is open.
    """
    return next(iter(_open_runs()), None)


def run_to_join() -> "Run | None":
    """The run that a front end without one joins: the active one, of the same store.

    A run that was left open is passed over, with a warning, when another store has become
    the default since it began, as in the next test or after a change of the folder.
    """
    default = _default_store()
    passed = None
    for run in _open_runs():
        known = begun.get(id(run))
        if known is None or default in {known.default, Location(run.location)}:
            return run
        passed = passed or run
    if passed is not None:
        warn_caller(
            f"run {passed.name!r} of {passed.location} is open and not joined, since the"
            f" store is {default} now; finish it, or give it to the visualizer (run=…)",
            StoreWarning,
        )
    return None


def _open_runs() -> list["Run"]:
    """Runs of `init` that are open: this context's, innermost first, then all others."""
    runs = [reference() for reference in reversed(_stack.get())]
    runs += [known.run for known in reversed(tuple(begun.values()))]
    return [run for run in dict.fromkeys(runs) if run is not None and run.is_open]


def _is_open(run: "Run | None") -> bool:
    return run is not None and run.is_open


def _default_store() -> Location | None:
    try:
        return resolve()
    except StepwellError:
        return None  # it is unusable, and matters to nobody who names another
