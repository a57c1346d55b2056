"""What a store knows of a run that a process means to go on with."""

from typing import Any, NamedTuple

from ._journal_files import list_journals
from ._location import Location


class History(NamedTuple):
    """A run's past, for the process that resumes or joins it.

    Attributes:
        config: Its configuration so far.
        name: The run's name; None for a new run.
        project: The run's project.
        tags: Its tags so far.
        notes: Its notes.
        attempt: The latest attempt; 0 for a new run.
        last_step: The greatest step recorded; -1 before the first.
        is_running: Whether another process writes it now.
    """

    config: dict[str, Any]
    name: str | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    attempt: int = 0
    last_step: int = -1
    is_running: bool = False

    @property
    def next_attempt(self) -> int:
        """The attempt that a process beginning now belongs to."""
        return self.attempt if self.is_running else self.attempt + 1


NEW = History({})


def find_history(location: Location, run_id: str) -> History | None:
    """A run's past; None when the store has no such run.

    Raises:
        StoreError: If the store cannot be read.
    """
    if not location.database.exists() and not _has_journal(location, run_id):
        return None
    from ._store import Store  # noqa: PLC0415 (loads DuckDB, only for a given id)

    with Store(location) as store:
        info = store.find(run_id)
        if info is None:
            return None
        steps = [metric.last_step for metric in store.summary(info).values()]
    return History(
        name=info.name,
        project=info.project,
        tags=info.tags,
        notes=info.notes,
        config=info.config,
        attempt=info.attempt,
        last_step=max(steps, default=-1),
        # Without a journal it goes on in another store, which this one was taken from.
        is_running=info.status == "running" and _has_journal(location, run_id),
    )


def _has_journal(location: Location, run_id: str) -> bool:
    journals = list_journals(location.journals)
    return any(journal.path.name.startswith(f"{run_id}-") for journal in journals)
