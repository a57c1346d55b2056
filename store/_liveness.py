"""Whether the process that writes a journal still lives."""

import os
import time
from functools import cache
from pathlib import Path

from ._format import Header

FRESH_SECONDS = 60.0
"""Elsewhere than on this machine, a journal untouched for longer has lost its writer."""

_SKEW_SECONDS = 3600.0  # how far ahead of ours the clock of a writer's machine may be


def host_name() -> str:
    """Name of this machine."""
    return os.uname().nodename or "unknown"


@cache
def machine() -> str:
    """A text that tells this machine, its present boot and its container from others."""
    parts = [host_name()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 (not a path)
    except OSError:
        pass
    return " ".join(parts)


def process_started(pid: int) -> int | None:
    """When a process of this machine started, in clock ticks since boot.

    Returns:
        None where there is no such process, or only its remains; 0 where the system
        cannot tell when it started.

    Source: field 22 of `/proc/PID/stat`, proc(5).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return _probe(pid)  # without a /proc, or with one that hides others' processes
    return None if fields[0] in {b"Z", b"X"} else int(fields[19])


def _probe(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return 0


def is_here(header: Header) -> bool:
    """Whether a journal's writer runs, or ran, on this machine since it was started."""
    return header.machine == machine()


def is_alive(header: Header, heartbeat: float) -> bool:
    """Whether a journal's writer lives.

    Args:
        header: The journal's header.
        heartbeat: The journal's modification time, seconds since 1970.
    """
    if is_here(header):
        started = process_started(header.pid)
        return started is not None and 0 in {
            started,
            header.process_started,
            started - header.process_started,
        }
    return -_SKEW_SECONDS < time.time() - heartbeat < FRESH_SECONDS
