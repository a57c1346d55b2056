"""Where and how a run was started."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from stepwell.store.base.errors import ConfigurationError
from stepwell.store.journal.writer_alive import host_name

from .command_line_secrets import without_secrets

VARIABLE = "STEPWELL_RECORD_PROCESS"
_ANSWERS = {"": True, "1": True, "yes": True, "true": True, "on": True} | dict.fromkeys(
    ("0", "no", "false", "off"), False
)


def is_recorded() -> bool:
    """Whether anything is recorded of this process; the variable's `no` says it is not.

    Raises:
        ConfigurationError: If the variable has another value.
    """
    said = os.environ.get(VARIABLE, "")
    answer = _ANSWERS.get(said.strip().lower())
    if answer is None:
        raise ConfigurationError(f"{VARIABLE} must be yes or no, not {said!r}")
    return answer


def describe_process() -> dict[str, Any]:
    """What the `runs` table keeps of this process; takes well below a millisecond."""
    return {
        "host": host_name(),
        "pid": os.getpid(),
        "user_name": _user(),
        # As it was typed: `sys.argv` has neither the interpreter's options nor `-m`.
        "command": shlex.join(without_secrets(sys.orig_argv)),
        "working_dir": _folder(),
        "python_version": sys.version.split()[0],
    }


def describe_checkout(folder: str | None) -> dict[str, Any]:
    """Commit and dirtiness of the git checkout around *folder*; empty where there is none.

    Runs git, so it takes some milliseconds and belongs on a background thread.
    """
    if folder is None or not _in_checkout(Path(folder)):
        return {}
    from .git import commit_of, is_changed  # noqa: PLC0415 (for who has a checkout)

    commit = commit_of(folder)
    return {"git_commit": commit, "git_dirty": is_changed(folder)} if commit else {}


def _in_checkout(folder: Path) -> bool:
    return any((parent / ".git").exists() for parent in (folder, *folder.parents))


def _user() -> str | None:
    # As getpass.getuser does, which loads what reads passwords from terminals.
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if name := os.environ.get(variable):
            return name
    try:
        import pwd  # noqa: PLC0415 (where the variables say nothing)

        return pwd.getpwuid(os.getuid()).pw_name
    except (OSError, KeyError, ImportError):
        return None


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:
        return None
