"""Where and how a run was started."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from ._forks import starting_process
from ._liveness import host_name

_GIT_SECONDS = 10.0


def describe_process() -> dict[str, Any]:
    """What the `runs` table keeps of this process; takes well below a millisecond."""
    return {
        "host": host_name(),
        "pid": os.getpid(),
        "user_name": _user(),
        "command": shlex.join(sys.orig_argv),
        "working_dir": _folder(),
        "python_version": sys.version.split()[0],
    }


def describe_checkout(folder: str | None) -> dict[str, Any]:
    """Commit and dirtiness of the git checkout around *folder*; empty where there is none.

    Runs git, so it takes some milliseconds and belongs on a background thread.
    """
    if folder is None or not _in_checkout(Path(folder)):
        return {}
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return {}
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    dirty = None if changes is None else bool(changes)
    return {"git_commit": commit, "git_dirty": dirty}


def _in_checkout(folder: Path) -> bool:
    return any((parent / ".git").exists() for parent in (folder, *folder.parents))


def _git(folder: str, *arguments: str) -> str | None:
    with starting_process:
        import subprocess  # noqa: PLC0415 (slow to import)

        try:
            process = subprocess.Popen(
                ["git", "--no-optional-locks", "-C", folder, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except (OSError, ValueError):
            return None
    with process:
        try:
            printed, _ = process.communicate(timeout=_GIT_SECONDS)
        except (ValueError, subprocess.SubprocessError):
            process.kill()
            return None
    return printed.strip() if process.returncode == 0 else None


def _user() -> str | None:
    try:
        import getpass  # noqa: PLC0415 (not for who sets a user name)

        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:
        return None
