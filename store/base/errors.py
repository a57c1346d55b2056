"""What can go wrong, one class for each thing that a caller can act on.

* StepwellError
  * StoreError
    x StoreLocationError
    x StoreBusyError
    x StoreDamagedError
    x StoreNewerError
    x StoreClosedError
  * LookupFailedError
    x RunNotFoundError
    x AmbiguousRunError
    x MetricNotFoundError
    x FigureNotFoundError
  x RunExistsError
  x RunGoesOnError
  x ConfigurationError (also a ValueError)
  * QueryError
    x QueryTimeoutError

`MetricWarning` and `StoreWarning` are warnings, not errors: a training loop is told, never
stopped.
"""

import errno
from collections.abc import Iterable, Sequence

from .visible_text import visible


class StepwellError(Exception):
    """Base of every error that Stepwell raises on purpose; its message is one line."""

    def __str__(self) -> str:
        return visible(super().__str__())


class StoreError(StepwellError):
    """Something is wrong with a store as a whole."""


class StoreLocationError(StoreError):
    """The path given for a store cannot be one (a folder, a text file, no permission)."""


class StoreBusyError(StoreError):
    """Another process held the store for longer than the caller would wait."""


class StoreDamagedError(StoreError):
    """The database file cannot be read."""


class StoreNewerError(StoreError):
    """The store was written by a newer Stepwell, with a schema unknown to this one."""


class StoreClosedError(StoreError):
    """A store was used after `close()`."""


class LookupFailedError(StepwellError):
    """A name that was asked for does not stand for exactly one thing."""


class RunNotFoundError(LookupFailedError):
    """No run has that id, prefix or name."""

    def __init__(self, reference: str, location: object) -> None:
        super().__init__(
            f"no run {reference!r} in {location}; `stepwell ls` lists the runs"
        )


class AmbiguousRunError(LookupFailedError):
    """A prefix fits several runs."""

    def __init__(self, reference: str, candidates: Sequence[str]) -> None:
        shown = ", ".join(candidates[:5]) + (", …" if len(candidates) > 5 else "")  # noqa: PLR2004
        super().__init__(
            f"{reference!r} fits {len(candidates)} runs ({shown}); give more of the id"
        )


class MetricNotFoundError(LookupFailedError):
    """A run, or none of several, has that metric; the message suggests the nearest."""

    def __init__(self, metric: str, run: str | None, known: Iterable[str]) -> None:
        from difflib import get_close_matches  # noqa: PLC0415 (slow to import)

        names = sorted(known)
        near = get_close_matches(metric, names, n=1)
        they = "they have" if run is None else "it has"
        if near:
            advice = f"did you mean {near[0]!r}?"
        elif names:
            shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")  # noqa: PLR2004
            advice = f"{they} {shown}"
        else:
            advice = f"{they} no metric yet"
        who = "no chosen run has a" if run is None else f"run {run!r} has no"
        super().__init__(f"{who} metric {metric!r}; {advice}")


class FigureNotFoundError(LookupFailedError):
    """A store keeps no figure of that name; the message suggests the nearest."""

    def __init__(self, name: str, location: object, known: Iterable[str]) -> None:
        from difflib import get_close_matches  # noqa: PLC0415 (slow to import)

        near = get_close_matches(name, list(known), n=1)
        advice = (
            f"did you mean {near[0]!r}?" if near else "`stepwell figure list` lists them"
        )
        super().__init__(f"no figure {name!r} in {location}; {advice}")


class RunExistsError(StepwellError):
    """`resume="never"` met a run that is there already."""

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f'run {run_id} exists; choose another id, or resume="allow" to continue it'
        )


class RunGoesOnError(StepwellError):
    """A run that a process still writes was to be removed."""

    def __init__(self, run: str, host: str | None, pid: int | None) -> None:
        who = f" (process {pid} on {host})" if host else ""
        super().__init__(f"run {run!r} still goes on{who}; end it first")


class ConfigurationError(StepwellError, ValueError):
    """An argument is not usable; the message names it, its value and what would be."""


class QueryError(StepwellError):
    """A query was refused or failed; the message is one line."""


class QueryTimeoutError(QueryError):
    """A query ran into its time limit and was stopped."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the query was stopped after its time limit of {seconds:g} s;"
            " narrow it, or raise the limit"
        )


class MetricWarning(UserWarning):
    """A value could not be recorded; the rest of its call was."""


class StoreWarning(UserWarning):
    """The store or its journal is in trouble; the training loop goes on."""


def why_and_what(error: OSError, advice: str) -> str:
    """What the system says, and what helps: *advice*, unless there are no descriptors."""
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        advice = "close files, finish runs that are open, or raise the limit (ulimit -n)"
    return f"{error.strerror or error}; {advice}"
