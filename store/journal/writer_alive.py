"""Whether the process that writes a journal still lives."""

import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from stepwell.store.base.ids import next_writer_id
from stepwell.store.files.regular_files import is_there

from .format import Header, journal_name
from .writer_lock import has_life_lock

if TYPE_CHECKING:
    from .files import JournalFile

SILENT = "the process ended without a word"
"""What is said of a run whose writer lives no more, and has not said why."""

# A writer touches its journal every ten seconds, also when there is nothing to record.
FRESH_SECONDS = 60.0
"""Elsewhere than on this machine, a journal untouched for longer has lost its writer."""

_PF_EXITING = 4
_SKEW_SECONDS = 3600.0  # how far ahead of ours the clock of a writer's machine may be


def host_name() -> str:
    """Name of this machine."""
    return os.uname().nodename or "unknown"


def machine() -> str:
    """A text that tells this machine, its present boot and its container from others."""
    try:
        return _machine()
    except OSError:  # there is no /proc, or no descriptor just now
        return host_name()


@cache
def _machine() -> str:
    parts = [host_name(), Path("/proc/sys/kernel/random/boot_id").read_text().strip()]
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 (not a path)
    return " ".join(parts)


# A child may be the first process of a container.
os.register_at_fork(after_in_child=_machine.cache_clear)


def process_started(pid: int) -> int | None:
    """When a process of this machine started, in clock ticks since boot.

    Returns:
        None where there is no such process, or only its remains; 0 where the system
        cannot tell when it started.

    Source: field 22 of `/proc/PID/stat`, proc(5).
    """
    try:
        # The second field is the program's name, which may hold blanks and parentheses. So
        # the others are counted from the last parenthesis on: the third one comes first.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return _probe(pid)  # without a /proc, or with one that hides others' processes
    return None if fields[0] in {b"Z", b"X"} else int(fields[19])


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal; False where that can't be told."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return fields[0] in {b"T", b"t"}
    return False


def _probe(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        # It is there, and another user's.
        pass
    return 0


def is_here(header: Header) -> bool:
    """Whether a journal's writer runs, or ran, on this machine since it was started."""
    return _identity(header.machine) == _identity(machine())


def is_alive(header: Header, journal: "JournalFile") -> bool:
    """Whether a journal's writer lives."""
    if is_here(header):
        # Each alone is not enough. A forked child keeps the lock of a parent that is dead;
        # a program that has become another by `exec` keeps the process.
        return _is_process(header) and not _has_let_go(header, journal.path)
    age = time.time() - journal.heartbeat
    if not -_SKEW_SECONDS < age < FRESH_SECONDS:
        return False
    # The locks of another machine may not be seen from here, but those of a container are.
    return _boot(header.machine) != _boot(machine()) or not _has_let_go(
        header, journal.path
    )


def how_it_crashed(header: Header) -> str:
    """What is said of a run whose writer lives no more, and has not said why."""
    is_process = header.locked and is_here(header) and _is_process(header)
    if is_process and not _is_ending(header.pid):
        return "the process became another program, or this is a copy of its journal"
    return SILENT


def _is_ending(pid: int) -> bool:
    """Whether a process of this machine is at its end, at which its files are closed.

    Its locks are free then, and its pipes too, by which others know of its end; but it is
    in the system's list for some time yet.

    Source: field 9 of `/proc/PID/stat`, proc(5); `PF_EXITING` in Linux' `sched.h`.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return False
    return bool(int(fields[6]) & _PF_EXITING)


def _is_process(header: Header) -> bool:
    started = process_started(header.pid)
    # An id is given again some time after a process has ended; an id with its start is not.
    # 0 is what one of the two could not tell.
    return started is not None and 0 in {
        started,
        header.process_started,
        started - header.process_started,
    }


def _has_let_go(header: Header, path: Path) -> bool:
    # Where that cannot be told, as when no descriptor is left, nobody is said to be dead.
    is_free = header.locked and has_life_lock(path) is False
    return is_free and not _goes_on(header, path)


def _goes_on(header: Header, path: Path) -> bool:
    """Whether a writer has let go of a journal to go on in another; see `continuation`."""
    # The next file is locked before this one is let go of, so one of a living writer's
    # files always has its lock. It may be a later one: that one may have been left, too,
    # since the look began.
    while True:
        header = header._replace(writer=next_writer_id(header.writer))
        following = path.with_name(journal_name(header))
        if has_life_lock(following):
            return True
        if not is_there(following):
            return False


def _identity(text: str) -> list[str]:
    # A name may change while the machine runs; its boot and its namespaces can't.
    name, *facts = text.split(" ")
    return facts or [name]


def _boot(text: str) -> str:
    return _identity(text)[0]
