"""Examining what a store stands on: its locks, its disk, its file system."""

import os
import time
from pathlib import Path

from stepwell.store.base.errors import StoreBusyError, StoreError
from stepwell.store.database.attach import looking
from stepwell.store.files.location import Location
from stepwell.store.journal.files import list_journals
from stepwell.store.values.finding import FAULT, OK, WARNING, Finding, count_of

from .processes import has_open, is_stopped, lock_holders, name_process

_NETWORK = tuple(
    (
        "9p afs beegfs ceph cifs coda fuse.ceph fuse.gcsfuse fuse.glusterfs fuse.rclone"
        " fuse.s3fs fuse.sshfs gfs2 glusterfs gpfs lustre ncpfs nfs ocfs2 orangefs panfs"
        " smb wekafs"
    ).split()
)  # how their names begin
_LEAST_FREE = 256 * 2**20  # bytes
_LOOKS = 4  # at a lock, so that one who has it for an instant is not named
_PAUSE = 0.05


def examine_locks(location: Location, seconds: float) -> list[Finding]:
    """Who holds the store's lock for long, or the database from outside of Stepwell."""
    lock = location.journals / ".lock"
    try:
        with looking(location, seconds):
            holder = _foreign_holder(location, lock)
    except StoreBusyError:
        return [_say_held(lock, next(iter(lock_holders(lock)), None))]
    except StoreError as error:
        text, _, advice = str(error).partition("; ")
        advice = advice or "check the folder's owner and mode, and that its disk has locks"
        return [Finding("locks", FAULT, text, advice)]
    if holder is not None:
        text = f"{name_process(holder)} holds the database open, and is not Stepwell"
        advice = "close it there; journals go on meanwhile, and nothing is lost"
        return [Finding("locks", FAULT, text, advice)]
    return [Finding("locks", OK, "nobody holds the store for long")]


def _say_held(lock: Path, pid: int | None) -> Finding:
    if pid is None:
        text = "another process holds the store for long"
        return Finding("locks", FAULT, text, "wait for it, or end it")
    name = name_process(pid)
    if is_stopped(pid):
        text = f"{name} holds the store, and was stopped"
        return Finding("locks", FAULT, text, f"kill -CONT {pid} lets it go on")
    text = f"{name} holds the store for long ({lock.name})"
    return Finding("locks", FAULT, text, f"wait for it, or end it: kill {pid}")


def _foreign_holder(location: Location, lock: Path) -> int | None:
    """A process that keeps the database open without Stepwell's lock.

    Readers of Stepwell have it open for an instant, and its lock file all the time.
    """
    holders = set(lock_holders(location.database))
    for _ in range(_LOOKS):
        foreign = {pid for pid in holders if has_open(pid, lock) is not True}
        if not foreign:
            return None
        time.sleep(_PAUSE)
        holders = foreign & set(lock_holders(location.database))
    return min(holders, default=None)


def examine_access(location: Location) -> list[Finding]:
    """Whether whoever asks could fold the journals that are there; empty where so."""
    try:
        count = len(list_journals(location.journals))
    except StoreError:
        return []  # which is a finding about the journals
    for path in (location.database.parent, location.journals, location.database):
        is_only_read = os.access(path, os.R_OK) and not os.access(path, os.W_OK)
        if count and is_only_read:
            text = (
                f"{path} can only be read, and {count_of(count, 'journal')} may hold what"
                " is not in the database"
            )
            advice = "check its owner and mode; `stepwell copy` elsewhere reads everything"
            return [Finding("access", WARNING, text, advice)]
    return []


def examine_disk(location: Location, free: int | None = None) -> Finding:
    """Whether there is room.

    Args:
        location: The store.
        free: Bytes free on its disk; asked of the system when absent.
    """
    if free is None:
        status = os.statvfs(location.database.parent)
        free = status.f_bavail * status.f_frsize
    try:
        size = location.database.stat().st_size
    except OSError:
        size = 0
    shown = f"{_size(free)} free, the database has {_size(size)}"
    if free < _LEAST_FREE:
        advice = "make room: a full disk stops the journals, and calls are lost"
        return Finding("disk", FAULT, f"only {shown}", advice)
    if free < 2 * size:
        advice = "make room before `stepwell compact`, which needs as much again"
        return Finding("disk", WARNING, f"only {shown}", advice)
    return Finding("disk", OK, shown)


def examine_file_system(location: Location, mounts: Path) -> Finding:
    """Whether the store lies on a network file system, where locks cannot be relied on.

    Args:
        location: The store.
        mounts: A table in the form of `/proc/mounts`, proc(5).
    """
    kind, source = _mount_of(location.database.parent, mounts)
    if not kind:
        return Finding("file system", OK, "of an unknown kind")
    if kind.startswith(_NETWORK):
        text = f"the store lies on a network file system ({kind}, {source})"
        advice = "keep it on a local disk, and join stores by `stepwell merge`"
        return Finding("file system", WARNING, text, advice)
    return Finding("file system", OK, f"local ({kind})")


def _mount_of(folder: Path, mounts: Path) -> tuple[str, str]:
    best, found = "", ("", "")
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004 (source, folder, kind)
            continue
        source, where, kind = (_unescaped(field) for field in fields[:3])
        inside = folder == Path(where) or Path(where) in folder.parents
        if inside and len(where) >= len(best):
            best, found = where, (kind, source)
    return found


def _unescaped(field: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
