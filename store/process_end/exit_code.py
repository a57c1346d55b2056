"""How this process ends: by the end of its program, an exception, or the code of an exit.

When `atexit` calls, an exit's code is nowhere to be found, so `sys.exit` is watched while
a run is open, and with it `exit` and `quit`. A `raise SystemExit(3)` passes by unseen.
"""

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

from stepwell.store.base.watch_calls import tell_of_calls

from .end_status import FINISHED, End, describe_end, describe_exit

_RETURNS = ("RETURN_VALUE", "RETURN_CONST")


class _Exit(NamedTuple):
    """A call of `sys.exit` by the main thread.

    Attributes:
        end: What it says.
        printed: The exception that Python had printed last.
    """

    end: End
    printed: BaseException | None


_exit: _Exit | None = None
_program: FrameType | None = None  # the outermost frame of the main thread
_put_back: list[Callable[[], None]] = []


def watch_exits() -> None:
    """Note the codes of exits from now on; twice is once."""
    global _program  # noqa: PLW0603 (one a process, by nature)
    if _put_back:
        return
    _program = _outermost_frame()
    _put_back.append(tell_of_calls(sys, "exit", _note_call))
    quitter = getattr(sys.modules.get("_sitebuiltins"), "Quitter", None)
    if quitter is not None:
        _put_back.append(tell_of_calls(quitter, "__call__", _note_call))


def unwatch_exits() -> None:
    """Leave everything as it was."""
    global _exit, _program  # noqa: PLW0603
    while _put_back:
        _put_back.pop()()
    _exit = _program = None


def forget_exit() -> None:
    """After a fork, in the child: what the parent has said counts no more."""
    global _exit  # noqa: PLW0603
    _exit = None


def how_process_ended() -> End:
    """What is known of the end of the program, by now."""
    if is_interactive() or not _left_by_exception():
        return FINISHED
    error = _printed()
    # Where an exception was printed since, somebody caught that exit, and the program went
    # on until the exception ended it.
    if _exit is not None and error is _exit.printed:
        return _exit.end
    return describe_end(error)


def is_interactive() -> bool:
    """Whether a person types the program, so that an exception ends a part of it alone."""
    return hasattr(sys, "ps1") or shell() is not None


def shell() -> Any:
    """The running shell of IPython, such as a notebook's; None where there is none."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython() if get_ipython else None


def _note_call(*arguments: Any, **keywords: Any) -> None:
    # Of `sys.exit` or of a Quitter, which is an argument of its own; nonsense is refused
    # by the function itself.
    code = keywords.get("code", arguments[-1] if arguments else None)
    _note(None if type(code).__name__ == "Quitter" else code)


def _note(code: Any) -> None:
    global _exit  # noqa: PLW0603
    # In any other thread `sys.exit` ends that thread, and the program goes on.
    if threading.current_thread() is threading.main_thread():
        cause = sys.exception()
        if cause is None and _left_by_exception():
            cause = _printed()  # `sys.excepthook` calls
        _exit = _Exit(describe_exit(code, cause), _printed())


def _printed() -> BaseException | None:
    # The interpreter sets `last_value` when it prints an exception that ends the program.
    error = getattr(sys, "last_value", None)
    return error if isinstance(error, BaseException) else None


def _outermost_frame() -> FrameType | None:
    main = threading.main_thread().ident or 0
    frame: FrameType | None
    if threading.get_ident() == main:
        frame = sys._getframe()  # noqa: SLF001 (it is documented)
    else:
        # Held by nobody: it has this function's frame, and so the run that is begun.
        frame = sys._current_frames().get(main)  # noqa: SLF001
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _left_by_exception() -> bool:
    """Whether the program's last instruction was no return; True where that is unknown."""
    if _program is None:
        return True
    try:
        from opcode import opname  # noqa: PLC0415 (for the end alone)
    except ImportError:  # a signal came within that, and its handler exits, too
        return True
    # `_program` keeps the frame beyond its end, and with it the place of the instruction
    # that was the last: a `return`, or whatever raised.
    return opname[_program.f_code.co_code[_program.f_lasti]] not in _RETURNS
