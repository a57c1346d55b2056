"""A run as a plain value, without what takes longer to load.

The first question of a process makes the classes of its values, and a dataclass takes ten
times as long to make as a named tuple.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

STATUSES = ("running", "finished", "failed", "interrupted", "crashed")
"""How a run can stand."""


class RunInfo(NamedTuple):
    """One run as the store knows it.

    Attributes:
        run_id: UUID (version 7) as text.
        name: What a person calls it; need not be unique.
        project: The project it belongs to, if any.
        group_name: The group within the project, if any.
        tags: Free labels.
        notes: Free text.
        status: `running`, `finished`, `failed`, `interrupted` or `crashed`, derived
            from the journals when the store was read.
        config: The run's configuration, as it was given (nested).
        created_at: When it started (UTC).
        finished_at: When it ended (UTC); None while it runs. For a crashed run the time
            of its last sign of life.
        host: Name of the machine it started on.
        pid: Process id there.
        user_name: Who started it.
        command: The command line.
        working_dir: The folder it was started in.
        git_commit: Commit of the working folder, if it is in a git checkout.
        git_dirty: Whether that checkout had uncommitted changes.
        python_version: Version of the Python that ran it.
        exit_message: Why it failed or was interrupted.
        attempt: 1 for a new run, one more each time it was resumed.
        lost_calls: Calls that the journal could not take (a full disk).
        layout: The panels of the visualizer that recorded it, as plain JSON values.
    """

    run_id: str
    name: str
    project: str | None
    group_name: str | None
    tags: tuple[str, ...]
    notes: str | None
    status: str
    config: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None
    host: str | None
    pid: int | None
    user_name: str | None
    command: str | None
    working_dir: str | None
    git_commit: str | None
    git_dirty: bool | None
    python_version: str | None
    exit_message: str | None
    attempt: int
    lost_calls: int
    layout: dict[str, Any] | None

    @property
    def duration_seconds(self) -> float:
        """Seconds from the start to the end, or to now while the run goes on."""
        end = self.finished_at or datetime.now(UTC)
        # The clock may have been set back since the run began.
        return max(0.0, (end - self.created_at).total_seconds())
