"""What an exception, or the code of an exit, says about how a run ended."""

import sys
from typing import Any, NamedTuple

from stepwell.store.base.errors import StoreWarning
from stepwell.store.base.warn_caller import warn_caller
from stepwell.store.inputs.json_values import as_text
from stepwell.store.inputs.metrics import shown

ENDS = ("finished", "failed", "interrupted")
"""How a run can end."""

INTERRUPT = "KeyboardInterrupt"

_LONGEST = 2000  # characters of a message
_MARK = "_stepwell_in_flight"


class End(NamedTuple):
    """How a run ended: one of `ENDS`, and why."""

    status: str
    message: str | None


FINISHED = End("finished", None)


def stated_end(status: object, otherwise: End) -> End:
    """The end that a caller of `finish` states: by a word, or by the code of an exit.

    Args:
        status: What was given; None for nothing.
        otherwise: How it ends where nothing was given.
    """
    if status is None:
        return otherwise
    if isinstance(status, int) and not isinstance(status, bool):
        return FINISHED if status == 0 else End("failed", f"exit code {status}")
    if isinstance(status, str) and status in ENDS:
        return End(status, None)
    warn_caller(
        f"run status {shown(status)} is unknown; recorded as finished", StoreWarning
    )
    return End("finished", as_text(status))


def describe_end(error: BaseException | None) -> End:
    """The status and message of a run that an exception ended, or None, its block."""
    # A loop that is left early closes its generator by GeneratorExit, which is no trouble.
    if error is None or isinstance(error, GeneratorExit):
        return FINISHED
    if isinstance(error, KeyboardInterrupt):
        return End("interrupted", INTERRUPT)
    if isinstance(error, SystemExit):
        return describe_exit(error.code, error.__cause__ or error.__context__)
    kind = type(error).__name__
    # A task of asyncio is cancelled by Ctrl-C, too.
    # By the name, so that asyncio need not be loaded; a future's error of that name is an
    # Exception, and may be a failure like any.
    is_cancelled = kind == "CancelledError" and not isinstance(error, Exception)
    return End("interrupted" if is_cancelled else "failed", _said(kind, error))


def describe_exit(code: Any, cause: BaseException | None = None) -> End:
    """The status and message of a run whose program left by `sys.exit`.

    Args:
        code: What it gave: nothing, a number, or a text.
        cause: The exception that it was handling.
    """
    if code is None or (isinstance(code, int) and code == 0):
        return FINISHED
    # A program that catches an error, prints it and exits with a number says by the number
    # only that something went wrong: the error says what.
    if isinstance(code, int) and cause is not None:
        end = describe_end(cause.__cause__ if _is_abort(cause) else cause)
        return end if end.status != "finished" else End("failed", f"SystemExit: {code}")
    return End("failed", _said("SystemExit", code))


def _said(kind: str, value: object) -> str:
    """*kind* and the text of *value*; *kind* alone where there is none to be seen."""
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 (a text of the user's own making)
        text = ""
    return (f"{kind}: {text}" if text.strip() else kind)[:_LONGEST]


def _is_abort(error: BaseException) -> bool:
    # click turns Ctrl-C into an error of its own, and exits with 1.
    return isinstance(error.__cause__, KeyboardInterrupt)


def mark_in_flight(writer: str) -> None:
    """Note that a run began while an exception was handled, which therefore isn't its end.

    The exception bears the mark: to hold it would hold all that its frames do.
    """
    error = sys.exception()
    if error is not None:
        vars(error)[_MARK] = (*vars(error).get(_MARK, ()), writer)


def concerns(error: BaseException, writer: str) -> bool:
    """Whether an exception was raised since a run began."""
    return writer not in vars(error).get(_MARK, ())


def end_in_flight(writer: str) -> End | None:
    """How the exception that is on its way ends a run; None where there is none."""
    error = sys.exception()
    return describe_end(error) if error is not None and concerns(error, writer) else None
