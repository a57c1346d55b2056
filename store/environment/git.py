"""Asking git about a checkout, so that nothing of the checkout runs.

A repository's own configuration names programs: a monitor of files, hooks, filters of
content, helpers that fetch. A checkout may be anybody's; what the user's own configuration
names is the user's choice.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress

from stepwell.store.base.forks import starting_process

_SECONDS = 10.0
_OURS = ("local", "worktree")  # scopes of configuration that come with a repository
_FILTERS = (".clean", ".smudge", ".process", ".required")
_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "status.submoduleSummary=false",
)
_DROPPED = (
    "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY"
    " GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_PREFIX GIT_EXTERNAL_DIFF"
).split()
"""Variables that name another repository, as within a hook, or a program."""

_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


def commit_of(folder: str) -> str | None:
    """The commit that is checked out around *folder*; None where git does not say."""
    found = _git(folder, "rev-parse", "--verify", "HEAD")
    return found.strip() or None if found else None


def is_changed(folder: str) -> bool | None:
    """Whether files that git knows differ from that commit; None where it does not say."""
    settings = _without_filters(folder)
    if settings is None:
        return None
    # What is changed within a submodule would be asked of a git of its own.
    command = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    changes = _git(folder, *command, settings=settings)
    return None if changes is None else bool(changes)


def _without_filters(folder: str) -> list[str] | None:
    """Settings by which the repository's own filters run nothing."""
    listed = _git(folder, "config", "--list", "--show-scope", "-z")
    if listed is None:
        return None
    # With -z a scope and a setting take turns, each with a NUL behind it, so that no value
    # of a setting can look like another one.
    scopes, pairs = listed.split("\0")[:-1:2], listed.split("\0")[1::2]
    own: set[str] = set()
    users: dict[str, str] = {}
    for scope, pair in zip(scopes, pairs, strict=False):
        name, _, value = pair.partition("\n")
        if name.startswith("filter.") and name.endswith(_FILTERS):
            if scope in _OURS:
                own.add(name)
            else:
                users[name] = value
    if any("=" in name for name in own):
        return None  # of which no setting can be given
    return [f"{name}={users.get(name, '')}" for name in sorted(own)]


def _git(folder: str, *command: str, settings: Sequence[str] = ()) -> str | None:
    options = [word for setting in (*_SETTINGS, *settings) for word in ("-c", setting)]
    # Without optional locks `git status` does not write the index, which would get in the
    # way of a git that the user runs at the same time.
    whole = ["git", "--no-pager", "--no-optional-locks", *options, "-C", folder, *command]
    with starting_process:
        import subprocess  # noqa: PLC0415 (slow to import)

        try:
            process = subprocess.Popen(
                whole,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(os.environ),
                text=True,
                start_new_session=True,
            )
        except (OSError, ValueError):
            return None
    with process:
        try:
            printed, _ = process.communicate(timeout=_SECONDS)
        except (ValueError, subprocess.SubprocessError):
            with suppress(OSError):  # with whatever it has started
                os.killpg(process.pid, signal.SIGKILL)
            return None
    return printed if process.returncode == 0 else None


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: text for name, text in variables.items() if name not in _DROPPED}
    return kept | _ENVIRONMENT
