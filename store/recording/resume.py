"""What a store knows of a run that a process means to go on with."""

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from stepwell.store.base.errors import StoreError
from stepwell.store.base.ids import new_attempt_id
from stepwell.store.base.run_clock import present
from stepwell.store.files.location import Location
from stepwell.store.journal.format import SUFFIX

if TYPE_CHECKING:
    from stepwell.store.attempts.numbering import Part
    from stepwell.store.attempts.rows import Writer


class Place(NamedTuple):
    """Where a process stands among a run's attempts.

    Attributes:
        attempt: The identity of its attempt.
        number: The attempt's number, as far as is known.
        follows: Identity of the last attempt of this rank that had ended; or 0.
        started: When the process began, in nanoseconds.
    """

    attempt: int
    number: int
    follows: int
    started: int


class History(NamedTuple):
    """A run's past, for the process that resumes or joins it.

    Attributes:
        config: Its configuration so far.
        name: The run's name; None for a new run.
        project: The run's project.
        tags: Its tags so far.
        notes: Its notes.
        place: Where this process stands among its attempts.
        last_step: The greatest step recorded; -1 before the first.
        is_running: Whether another process writes it now.
    """

    config: dict[str, Any]
    place: Place
    name: str | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    last_step: int = -1
    is_running: bool = False


def new_history() -> History:
    """That of a run that nobody has begun."""
    return History({}, Place(new_attempt_id(), 1, 0, present()))


def find_history(location: Location, run_id: str, rank: int) -> History | None:
    """A run's past; None when the store has no such run.

    Args:
        location: The store.
        run_id: The run.
        rank: The rank of this process.

    Raises:
        StoreError: If the store cannot be read.
    """
    # In this order: a journal is removed when the database has its run.
    has_journal = _has_journal(location, run_id)
    if not has_journal and not location.database.exists():
        return None
    from stepwell.store.queries.run_past import is_in_database, select_past  # noqa: PLC0415 (loads DuckDB)

    if not has_journal and not is_in_database(location, run_id):
        return None
    past = select_past(location, run_id)
    if past is None:
        return None
    info, last_step, latest, writers = past
    return History(
        name=info.name,
        project=info.project,
        tags=info.tags,
        notes=info.notes,
        config=info.config,
        place=_place(location, info.run_id, rank, writers, latest),
        last_step=last_step,
        # Without a journal it goes on in another store, which this one was taken from.
        is_running=info.status == "running" and _has_journal(location, run_id),
    )


def _place(
    location: Location, run_id: str, rank: int, writers: "list[Writer]", latest: int
) -> Place:
    from stepwell.store.attempts.numbering import Part, number_attempts  # noqa: PLC0415 (with DuckDB)

    ordered = sorted(writers, key=lambda writer: (writer.number, writer.part.started))
    looked = [_look(location, run_id, writer) for writer in ordered]
    parts = [part for part, _ in looked]
    # The clock may have been set back since: what comes later has later times.
    times = [when for part in parts for when in (part.started, part.ended) if when]
    known = max([latest, *(int(when) for when in times if isfinite(when))])
    started = max(present(), 1000 * known)
    mine = [(part, is_here) for part, is_here in looked if part.rank == rank]
    lives = [part.attempt for part, is_here in mine if part.ended is None and is_here]
    ended = [part.attempt for part, _ in mine if part.ended is not None]
    attempt = lives[-1] if lives else new_attempt_id()
    follows = 0 if lives or not ended else ended[-1]
    parts.append(Part(attempt, rank, follows, started // 1000, None))
    number = number_attempts(parts).numbers[attempt]
    return Place(attempt, number, follows, started)


def _look(location: Location, run_id: str, writer: "Writer") -> "tuple[Part, bool]":
    """A writer's part as of now, and whether its process was on this machine."""
    from stepwell.store.journal.files import JournalFile, read_header  # noqa: PLC0415
    from stepwell.store.journal.writer_alive import is_alive, is_here  # noqa: PLC0415

    part = writer.part
    if part.ended is not None:
        return part, False
    path = location.journals / f"{run_id}-{writer.writer}{SUFFIX}"
    try:
        found, status = read_header(path), path.stat()
    except (OSError, StoreError):
        return part, False
    if found is None:
        return part, False
    journal = JournalFile.named(path, status.st_size, status.st_mtime)
    if is_alive(found[0], journal):
        return part, is_here(found[0])
    return part._replace(ended=journal.heartbeat * 1e6), False


def _has_journal(location: Location, run_id: str) -> bool:
    return any(location.journals.glob(f"{run_id}-*{SUFFIX}"))
