"""Starting, resuming and joining runs."""

import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ParamSpec

from stepwell.store.base.errors import (
    ConfigurationError,
    RunExistsError,
    RunNotFoundError,
    StoreLocationError,
    why_and_what,
)
from stepwell.store.base.ids import as_run_id, as_uuid, new_run_id, new_writer_id
from stepwell.store.base.run_clock import RunClock
from stepwell.store.base.subinterpreter import check_interpreter
from stepwell.store.environment.process_facts import (
    describe_checkout,
    describe_process,
    is_recorded,
)
from stepwell.store.environment.rank import RANK_MAX, rank_of_process
from stepwell.store.files.location import VARIABLE, Location, prepare_folder, resolve
from stepwell.store.inputs.json_values import encodable, plain_config, plain_value
from stepwell.store.inputs.metrics import shown
from stepwell.store.inputs.text_checks import labels_of, text_given
from stepwell.store.journal.format import Header
from stepwell.store.journal.writer_alive import host_name, machine, process_started

from . import open_runs
from .active_run import activate
from .disabled_run import DisabledRun, DisabledWriter, is_disabled
from .random_names import generate_name
from .resume import History, find_history, new_history
from .run import Run
from .run_writer import RunWriter

_P = ParamSpec("_P")

_RESUME = {None: "never", False: "never", True: "allow"}
_DURABILITY = ("write", "fsync")


def _with_one_error(start: Callable[_P, Run]) -> Callable[_P, Run]:
    @functools.wraps(start)
    def checked(*arguments: _P.args, **keywords: _P.kwargs) -> Run:
        try:
            return start(*arguments, **keywords)
        except OSError as error:  # anything may need a file: a module that is loaded, too
            why = why_and_what(error, "nothing was recorded")
            raise StoreLocationError(f"cannot start a run: {why}") from error

    return checked


@_with_one_error
def start_run(  # noqa: PLR0913, PLR0917 (the field's common keywords)
    project: str | None = None,
    name: str | None = None,
    config: Any = None,
    group: str | None = None,
    tags: Iterable[str] | None = None,
    notes: str | None = None,
    id: str | None = None,
    resume: str | bool | None = None,
    store: Location | Path | str | None = None,
    *,
    rank: int | None = None,
    durability: str = "write",
    layout: dict[str, Any] | None = None,
    mode: str | None = None,
) -> Run:
    """Start a run, or go on with one.

    A new run never waits for another process, and never touches the database.

    Args:
        project: What the run belongs to.
        name: What a person calls it; generated when absent.
        config: Its configuration: a mapping, a dataclass or a namespace.
        group: The group within the project, such as one sweep.
        tags: Free labels.
        notes: Free text.
        id: A UUID, or any text of your own that stands for the run; new when absent.
        resume: What to do with *id*: `never` go on with an existing run (the default),
            `allow` it, or insist on it (`must`). A run that has ended goes on as its next
            attempt; one that is still written to is joined.
        store: Path of the store; see `stepwell.open_store`.
        rank: Rank of this process among those of the run; by default what its launcher
            said.
        durability: `write`: each call survives the death of the process. `fsync`: also a
            loss of power, for the price of a disk's write per call (milliseconds).
        layout: The panels of the visualizer that records it.
        mode: `disabled`: everything works, and nothing is recorded or shown; a call costs
            next to nothing. `online` and `offline` both record, as all is local. From
            `STEPWELL_MODE` when absent.

    Raises:
        ConfigurationError: If an argument is unusable, or in a sub-interpreter.
        RunExistsError: If the run exists and *resume* is `never`.
        RunNotFoundError: If it does not and *resume* is `must`.
        StoreLocationError: If no store can be kept there.
        StoreBusyError: If *id* is given and the store stays locked.
    """
    policy = _check_resume(resume, id)
    if durability not in _DURABILITY:
        raise ConfigurationError(
            f"durability {shown(durability)} is unknown; use 'write' or 'fsync'"
        )
    project, name, group, notes, id = _plain_texts(
        project=project, name=name, group=group, notes=notes, id=id
    )
    labels = [] if tags is None else [_encoded(tag, "tags") for tag in labels_of(tags)]
    rank = rank_of_process() if rank is None else _check_rank(rank)
    settings = plain_config(config)
    location = resolve(store)
    if is_disabled(mode):
        nobody = DisabledWriter(location, _unwritten(id, name, project, rank))
        return DisabledRun(nobody, settings, labels, notes)
    check_interpreter()
    prepare_folder(location)
    run_id, history = _identify(location, id, policy, rank)
    clock = RunClock(history.place.started)
    header = Header(
        run_id=run_id,
        writer=new_writer_id(),
        name=history.name or name or _default_name(id),
        project=history.project or project,
        host=host_name() if is_recorded() else "",
        machine=machine(),
        pid=os.getpid(),
        process_started=process_started(os.getpid()) or 0,
        rank=rank,
        primary=not history.is_running,
        **history.place._asdict(),
    )
    started = _metadata(header, settings, labels, group, notes)
    started["time"] = clock.now()
    if layout is not None:
        started["layout"] = plain_value(layout, "layout")
    writer = _open_writer(
        location,
        header,
        started if header.primary else None,
        current_step=history.last_step,
        synchronous=durability == "fsync",
        clock=clock,
    )
    if not header.primary:
        labels = list(dict.fromkeys([*history.tags, *labels])) if labels else []
        given = {"config": settings, "tags": labels, "notes": notes}
        if said := {field: value for field, value in given.items() if value}:
            writer.change(said)
    run = Run(
        writer,
        {**history.config, **settings},
        labels or history.tags,
        history.notes if notes is None else notes,
    )
    folder = started.get("working_dir") if header.primary else None

    def note_checkout() -> None:
        found = describe_checkout(folder)
        if found:
            writer.change(found)

    open_runs.open_run(run, writer, note_checkout if folder else None)
    return run


def _activating(start: Callable[_P, Run]) -> Callable[_P, Run]:
    @functools.wraps(start)
    def init(*arguments: _P.args, **keywords: _P.kwargs) -> Run:
        run = start(*arguments, **keywords)
        activate(run)
        return run

    _, _, details = (start.__doc__ or "").partition("\n")
    init.__name__ = init.__qualname__ = "init"
    init.__doc__ = f"Start a run, or go on with one; visualizers join it.\n{details}"
    return init


init = _activating(start_run)


def _open_writer(
    location: Location, header: Header, started: dict[str, Any] | None, **how: Any
) -> RunWriter:
    try:
        return RunWriter(location, header, started, **how)
    except OSError as error:
        advice = f"make room, or choose another store (store=…, or {VARIABLE})"
        raise StoreLocationError(
            f"cannot write a journal in {location.journals}: {why_and_what(error, advice)}"
        ) from error


def _unwritten(
    given: str | None, name: str | None, project: str | None, rank: int
) -> Header:
    """The header of a journal that is never made."""
    run_id = new_run_id() if given is None else as_run_id(given)
    name = name or _default_name(given)
    here = host_name(), "", os.getpid(), 0
    return Header(run_id, "", name, project, *here, rank, attempt=1, primary=False)


def _identify(
    location: Location, given: str | None, policy: str, rank: int
) -> tuple[str, History]:
    if given is None:
        return new_run_id(), new_history()
    run_id = as_run_id(given)
    history = find_history(location, run_id, rank)
    if history is None:
        if policy == "must":
            raise RunNotFoundError(given, location)
        return run_id, new_history()
    if policy == "never":
        raise RunExistsError(given)
    return run_id, history


def _default_name(given: str | None) -> str:
    return generate_name() if given is None or as_uuid(given) else given


def _check_resume(resume: str | bool | None, given: str | None) -> str:
    policy = resume if isinstance(resume, str) else None
    if resume is None or isinstance(resume, bool):
        policy = _RESUME[resume]
    if policy not in {"never", "allow", "must"}:
        raise ConfigurationError(
            f"resume {shown(resume)} is unknown; use 'never', 'allow' or 'must'"
        )
    if not given and given is not None:
        raise ConfigurationError("id is empty; give a text, or leave it out")
    if policy == "must" and given is None:
        raise ConfigurationError("resume='must' needs the id of the run to go on with")
    return policy


def _plain_texts(**texts: str | None) -> list[str | None]:
    return [
        None if value is None else _encoded(value, argument)
        for argument, value in texts.items()
    ]


def _encoded(value: object, argument: str) -> str:
    text = text_given(value, argument)
    if encodable(text) != text:
        raise ConfigurationError(f"{argument} {shown(text)} is not valid Unicode text")
    return text


def _check_rank(rank: Any) -> int:
    is_whole = hasattr(rank, "__index__") and not isinstance(rank, bool)
    if not is_whole or not 0 <= rank <= RANK_MAX:
        raise ConfigurationError(f"rank must be from 0 to {RANK_MAX}, not {shown(rank)}")
    return int(rank)


def _metadata(
    header: Header,
    config: dict[str, Any],
    tags: list[str],
    group: str | None,
    notes: str | None,
) -> dict[str, Any]:
    return {
        "name": header.name,
        "project": header.project,
        "group_name": group,
        "tags": tags,
        "notes": notes,
        "config": config,
        **(describe_process() if header.host else {}),
    }
