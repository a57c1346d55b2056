"""The end of a child of `multiprocessing`, which never comes to `atexit`."""

import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_NOT_THE_PROGRAMS = {*sys.stdlib_module_names, "joblib", "stepwell"}
_watched: int | None = None  # the process that has been seen to


def before_child_ends(act: Callable[[BaseException | None], None]) -> None:
    """Have *act* called with what ended this process, if it is such a child; once."""
    global _watched  # noqa: PLW0603 (one a process, by nature)
    # By the number of the process: a child that is forked from this one inherits the
    # variable, and has an end of its own.
    if _watched == os.getpid() or not _is_child():
        return
    _watched = os.getpid()
    from multiprocessing.util import Finalize  # noqa: PLC0415 (a child has loaded it)

    Finalize(None, _end, args=(act,), exitpriority=0)


def is_idle_worker(frame: FrameType | None) -> bool:
    """Whether a signal finds a worker of a pool between two tasks.

    Args:
        frame: Where the signal found the main thread.
    """
    if not _is_child():
        return False
    while frame is not None:
        # Python's own code alone, down to where a child begins: it waits for its next task,
        # and a signal then is how a pool ends its workers, and no trouble of the run.
        if frame.f_code.co_name == "_bootstrap":
            return True
        module, _, _ = str(frame.f_globals.get("__name__")).partition(".")
        if module not in _NOT_THE_PROGRAMS:
            return False
        frame = frame.f_back
    return False


def _is_child() -> bool:
    module: Any = sys.modules.get("multiprocessing.process")
    return module is not None and module.parent_process() is not None


def _end(act: Callable[[BaseException | None], None]) -> None:
    # Finalizers run in the `finally` around the child's work, so what ends it is on its
    # way.
    error = sys.exception()
    here = threading.current_thread()
    others = [one for one in threading.enumerate() if one is not here and not one.daemon]
    if not others:
        act(error)
        return

    # Python waits for them next, and they may have more to log.
    def end_after_others() -> None:
        for other in others:
            other.join()
        act(error)

    threading.Thread(target=end_after_others, name="stepwell-end").start()
