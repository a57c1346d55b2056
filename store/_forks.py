"""Keeping forks of this process apart from the start of another.

A child forked while a thread starts a program would inherit the program's pipes: whoever
reads one to its end would wait for that child. A module half imported by the thread would
stay so in the child.
"""

import os
import threading

starting_process = threading.RLock()
"""Held while a background thread starts a program; a fork waits for it."""

os.register_at_fork(
    before=starting_process.acquire,
    after_in_parent=starting_process.release,
    after_in_child=starting_process.release,
)
