"""Whose files beside a store count: those of people who may change it anyway.

Where nobody else may write to the folder, there are none but theirs. Elsewhere a file
counts that belongs to whoever asks, to root, or to the database's owner; in a folder that
a group may write to, and others may not, one of that group.
"""

import os
import stat
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from .regular_files import UnsafeFileError, open_descriptor, other_kind

JOURNALS = ".journal"
"""Behind a database's name: the folder of its journals and lock files."""

_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link"}


class Owners(NamedTuple):
    """Whose files count in a folder.

    Attributes:
        folder: The folder.
        users: Ids of the users whose files do.
        group: Id of the group whose files do; None without one.
        is_closed: Whether only these users may write there, so that all files do.
    """

    folder: Path
    users: frozenset[int]
    group: int | None
    is_closed: bool

    def objection(self, found: os.stat_result) -> str | None:
        """What something in this folder is that does not count; None where it does."""
        if self.is_closed or found.st_uid in self.users:
            return None
        if self.group is not None and (
            found.st_gid == self.group or self.group in _groups_of(found.st_uid)
        ):
            return None
        # Asked last, since it makes a file.
        if found.st_uid == _owner_of_new_files(self.folder):
            return None
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "a file")
        return f"{kind} of {_user(found.st_uid)} in a folder that others may write to"

    def require_file(self, found: os.stat_result, path: Path) -> None:
        """Refuse what is no regular file, or a stranger's.

        Raises:
            UnsafeFileError: If it does not count.
        """
        objection = other_kind(found) or self.objection(found)
        if objection is not None:
            raise UnsafeFileError(f"it is {objection}", path)


def owners_in(folder: Path, database: Path | None = None) -> Owners:
    """Whose files count in the folder of a store's database, or of its journals.

    Args:
        folder: The folder.
        database: The store's database; when absent, that whose journals are there.

    Raises:
        OSError: If there is no such folder.
    """
    return owners_beside(
        folder, database or folder.with_name(folder.name.removesuffix(JOURNALS))
    )


def owners_beside(folder: Path, known: Path | None) -> Owners:
    """Whose files count in a folder, besides those of the owner of a known file, if any.

    Raises:
        OSError: If there is no such folder.
    """
    users = {os.geteuid(), 0}
    if known is not None:
        with suppress(OSError):
            users.add(known.lstat().st_uid)
    status = folder.stat()
    others, group = (bool(status.st_mode & bit) for bit in (stat.S_IWOTH, stat.S_IWGRP))
    return Owners(
        folder,
        frozenset(users),
        # In a folder that anybody may write to, anybody's files can be given its group.
        status.st_gid if group and not others else None,
        is_closed=status.st_uid in users and not (others or group),
    )


def owners_if_any(folder: Path) -> Owners | None:
    """Whose files count in a folder, for the many that are opened at once, or None."""
    with suppress(OSError):
        return owners_in(folder)
    return None


def open_ours(path: Path, owners: Owners | None = None) -> BinaryIO:
    """Open a file of a journal folder to read it; see `our_descriptor`.

    Args:
        path: The file.
        owners: Whose files count in its folder; looked for when absent.

    Raises:
        UnsafeFileError: If it is no regular file, or a stranger's.
        OSError: If it cannot be opened.
    """
    return os.fdopen(our_descriptor(path, os.O_RDONLY, owners), "rb")


def our_descriptor(path: Path, flags: int, owners: Owners | None = None) -> int:
    """Open a file of a journal folder unless it is a stranger's; see `open_descriptor`.

    Args:
        path: The file.
        flags: As of `os.open`.
        owners: Whose files count in its folder; looked for when absent.

    Raises:
        UnsafeFileError: If it is no regular file, or a stranger's, or is to be written to
            and has a second name somewhere.
        OSError: If it cannot be opened.
    """
    descriptor = open_descriptor(path, flags)
    try:
        # What was opened is looked at: its name may be another file's by now.
        found = os.fstat(descriptor)
        (owners or owners_in(path.parent)).require_file(found, path)
        # A hard link to a file of ours looks like one of our own; what is written to it
        # would change that file, wherever it is.
        if flags & (os.O_WRONLY | os.O_RDWR) and found.st_nlink > 1:
            raise UnsafeFileError(f"it has {found.st_nlink} hard links", path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def list_ours(folder: Path) -> list[Path]:
    """The regular files of a journal folder that count, sorted; none where it is closed."""
    return [path for path, what in _entries(folder) if what is None]


def list_others(folder: Path) -> list[tuple[Path, str]]:
    """What else is in a journal folder, sorted, and what each is; see `list_ours`."""
    return [(path, what) for path, what in _entries(folder) if what is not None]


def list_strangers(folder: Path) -> list[tuple[Path, str]]:
    """Those files among `list_others` that other people put there."""
    with suppress(OSError):
        if owners_in(folder).is_closed:
            return []
    return [(path, what) for path, what in list_others(folder) if path.is_file()]


def _entries(folder: Path) -> list[tuple[Path, str | None]]:
    found = []
    with suppress(OSError):
        owners = owners_in(folder)
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                with suppress(OSError):  # removed just now
                    status = entry.stat(follow_symlinks=False)
                    what = other_kind(status) or owners.objection(status)
                    found.append((Path(entry.path), what))
    return found


@lru_cache(maxsize=64)
def _groups_of(user: int) -> frozenset[int]:
    import pwd  # noqa: PLC0415 (only where others write, too)

    try:
        entry = pwd.getpwuid(user)
        return frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid))
    except (KeyError, OSError):
        return frozenset()


@lru_cache(maxsize=64)
def _owner_of_new_files(folder: Path) -> int | None:
    """Who gets what this process makes; on some network disks that is another user."""
    import tempfile  # noqa: PLC0415 (slow to import)

    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno()).st_uid
    except OSError:
        return None


def _user(number: int) -> str:
    import pwd  # noqa: PLC0415 (only for who meets a stranger)

    try:
        return f"{pwd.getpwuid(number).pw_name} (user {number})"
    except KeyError:
        return f"user {number}"
