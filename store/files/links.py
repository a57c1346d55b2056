"""Links on the way to a file: where others may write, theirs are not followed."""

import os
import stat
from pathlib import Path

from .owners import owners_beside
from .regular_files import UnsafeFileError, other_kind

_MOST_LINKS = 40  # as Linux follows


def real_path(path: Path, *, of_owner: bool = False) -> Path:
    """A path without links; see `os.path.realpath`.

    Args:
        path: The path. What it names need not be there.
        of_owner: Whether links of the owner of what it leads to count, too.

    Raises:
        UnsafeFileError: If a link on the way is a stranger's: it may lead to a file that
            only the one who follows it may write to, or to where there is none yet.
        ValueError: If no file can have such a path.
    """
    real = Path(os.path.realpath(path))
    if real != path.absolute():
        _require_own_links(path.absolute(), real if of_owner else None)
    return real


def file_to_replace(path: Path) -> Path:
    """Where a file is written that takes the place of *path*, which may be a link to it.

    Raises:
        UnsafeFileError: If something is there that is no file, such as `/dev/stdout`, or
            the link is a stranger's.
    """
    try:
        kind = other_kind(path.stat())
    except (FileNotFoundError, NotADirectoryError):
        kind = None
    if kind is not None:
        raise UnsafeFileError(f"it is {kind}, not a file", path)
    return real_path(path)


def _require_own_links(path: Path, known: Path | None) -> None:
    here, ahead, links = Path(path.anchor), [*reversed(path.parts[1:])], 0
    while ahead and links < _MOST_LINKS:
        name = ahead.pop()
        # What was walked so far has no link, so this is its parent for the system, too.
        if name == os.pardir:
            here = here.parent
            continue
        step = here / name
        try:
            found = step.lstat()
            if not stat.S_ISLNK(found.st_mode):
                here = step
                continue
            links += 1
            # Whoever may write to the folder may have put the link there.
            objection = owners_beside(here, known).objection(found)
            target = step.readlink()
        except OSError:  # it is not there, or not for this user to see
            return
        if objection is not None:
            raise UnsafeFileError(f"{step} is {objection}", path)
        here = Path(target.anchor) if target.is_absolute() else here
        ahead += reversed(target.parts[1:] if target.is_absolute() else target.parts)
