"""Keeping forks of this process apart from what a thread does just then.

A child forked while a thread starts a program would inherit the program's pipes: whoever
reads one to its end would wait for that child. A module half imported by the thread would
stay so in the child. And a child forked while a thread attaches a file to DuckDB, or
detaches it, would wait for ever when it attaches one itself: DuckDB has a list of the files
in use, one a process, whose lock nobody in the child would give back.
"""

import os
import threading

# Re-entrant, since the thread that holds one may be the one that forks. The child's only
# thread is that which took both before the fork, so it may give them back.
starting_process = threading.RLock()
"""Held while a background thread starts a program; a fork waits for it."""

attaching = threading.RLock()
"""Held while a thread attaches a file to DuckDB, or detaches one; a fork waits for it."""

for _lock in (starting_process, attaching):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )
