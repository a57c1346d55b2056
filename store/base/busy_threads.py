"""Which threads are in the midst of work on a store."""

import os
import threading

busy_threads: set[int] = set()
"""Those that have a store: a handler of a signal may run within such a thread."""


def is_busy_here() -> bool:
    """Whether this very thread has a store, and was interrupted in its work."""
    return threading.get_ident() in busy_threads


# Nobody in a child gives back what its parent's threads have.
os.register_at_fork(after_in_child=busy_threads.clear)
