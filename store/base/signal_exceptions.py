"""What a program's own signal handlers raise, told from what our code raises.

A handler runs between any two steps of the main thread, also in the middle of a call of
ours. Its exception, such as that of a time limit, is for the program.
"""

import signal
from collections.abc import Iterator
from functools import partial
from types import CodeType, FrameType
from typing import Any

_STARRED = 2  # arguments at most, those of * and **


def is_of_handler(error: BaseException) -> bool:
    """Whether a signal's handler raised an exception, which is then to be raised again.

    To be asked first, where whatever is raised is caught.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        if _is_handler(trace.tb_next.tb_frame, trace.tb_frame):
            return True
        trace = trace.tb_next
    return False


def raise_if_of_handler(error: BaseException) -> None:
    """Raise an exception again, if a signal's handler raised it; see `is_of_handler`."""
    if is_of_handler(error):
        raise error


def _is_handler(frame: FrameType, interrupted: FrameType) -> bool:
    # Nobody but Python's handling of signals gives a function the frame that calls it as an
    # argument. A handler may have forgotten it, or take no further signal.
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + _STARRED]
    given = [frame.f_locals.get(name) for name in names]
    # Of a value of somebody else's no code may run here, not even its class be asked.
    return any(
        one is interrupted
        for value in given
        for one in (value if type(value) is tuple else (value,))
    ) or code in set(_codes())


def _codes() -> Iterator[CodeType]:
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        while isinstance(handler, partial):
            handler = handler.func
        for place in (handler, getattr(handler, "__call__", None)):  # noqa: B004
            code = getattr(getattr(place, "__func__", place), "__code__", None)
            if code is not None:
                yield code
