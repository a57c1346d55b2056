"""A run as the training script holds it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from stepwell.store.base.errors import ConfigurationError, StoreWarning
from stepwell.store.base.subinterpreter import check_interpreter
from stepwell.store.base.warn_caller import warn_caller
from stepwell.store.files.location import Location, prepare_folder
from stepwell.store.inputs.json_values import as_text, encodable, plain_value
from stepwell.store.inputs.run_config import Config
from stepwell.store.inputs.text_checks import check_line, labels_of, text_given
from stepwell.store.journal.format import Header
from stepwell.store.process_end.end_status import describe_end, stated_end

from . import open_runs
from .recorder import Recorder
from .run_writer import RunWriter, of_this_process

if TYPE_CHECKING:
    from stepwell.store.store import Store
    from stepwell.store.values.metric_summary import MetricSummary
    from stepwell.store.values.series import Series

_SETTABLE = ("name", "tags", "notes")


class Run:
    """One training run, open for metrics. Made by `stepwell.init()`.

    As a context manager it ends with the block: `finished`, or `failed` with the
    exception's message. A run that is left behind is finished when it is collected, or
    when the program ends. Any thread may log; so may forked children, and processes to
    which the run was sent by `multiprocessing`.
    """

    def __init__(
        self,
        writer: RunWriter,
        config: dict[str, Any],
        tags: Iterable[str] = (),
        notes: str | None = None,
    ) -> None:
        self._writer = writer
        # Nothing here may hold the run itself: it ends as soon as nobody else holds it.
        self._config = Config(config, lambda values: _record(writer, config=values))
        self._tags = list(tags)
        self._notes = notes
        self._recorder: Recorder | None = None
        self._store: Store | None = None

    @property
    def id(self) -> str:
        """The run's UUID as text."""
        return self._writer.header.run_id

    @property
    def name(self) -> str:
        """The run's name."""
        return self._writer.header.name

    @name.setter
    def name(self, name: str) -> None:
        check_line(name, "name")
        if not name.strip():
            raise ConfigurationError("name is empty; give a text")
        if _record(self._writer, name=name):
            self._writer.header = self._writer.header._replace(name=name)

    @property
    def project(self) -> str | None:
        """The project that the run belongs to."""
        return self._writer.header.project

    @property
    def attempt(self) -> int:
        """1 for a new run, one more each time it was resumed."""
        return self._writer.header.number

    @property
    def rank(self) -> int:
        """Rank of this process among those of the run, from 0."""
        return self._writer.header.rank

    @property
    def location(self) -> Path:
        """The store's database file."""
        return self._writer.location.database

    @property
    def is_open(self) -> bool:
        """Whether the run still takes metrics."""
        return self._writer.is_open

    @property
    def is_disabled(self) -> bool:
        """Whether the run records nothing; see *mode* of `stepwell.init`."""
        return False

    @property
    def config(self) -> Config:
        """The configuration; setting a key records it with the run."""
        return self._config

    @property
    def tags(self) -> tuple[str, ...]:
        """The run's tags; setting them takes the place of all."""
        return tuple(self._tags)

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        new = list(dict.fromkeys(map(encodable, labels_of(tags))))
        if _record(self._writer, tags=new):
            self._tags = new

    @property
    def notes(self) -> str | None:
        """The run's notes; setting them takes the place of earlier ones."""
        return self._notes

    @notes.setter
    def notes(self, notes: str | None) -> None:
        new = None if notes is None else encodable(text_given(notes, "notes"))
        if _record(self._writer, notes=new):
            self._notes = new

    @property
    def current_step(self) -> int:
        """The greatest step recorded by this process; -1 before the first."""
        return self._writer.current_step

    def __repr__(self) -> str:
        state = "open" if self.is_open else "finished"
        return f"<Run {self.name!r} {self.id} in {self.location}, {state}>"

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record metrics; when this returns, they survive the death of the process.

        Never raises for what it is given: a value that is no number is said in a
        `MetricWarning`, once a metric, and the rest of the call is recorded.

        Args:
            metrics: Names and numbers. None is an absent value; nested mappings become
                `outer/inner`. Scalars of numpy, and tensors of one element, are numbers.
            step: Training step, any 64-bit integer in any order. None: the larger of the
                last step + 1 and the run's current step.
        """
        (self._recorder or self._first_recorder()).log(metrics, step)

    update_metrics = log

    def _first_recorder(self) -> Recorder:
        with self._writer.lock:
            if self._recorder is None:
                self._recorder = self._writer.recorder()
            return self._recorder

    def recorder(self) -> Recorder:
        """A further front end of this run, with its own step counter."""
        return self._writer.recorder()

    def add_tags(self, *tags: str) -> None:
        """Add tags to the run."""
        self.tags = (*self._tags, *tags)

    def set_notes(self, notes: str) -> None:
        """Replace the run's notes.

        Args:
            notes: The new text, of any length.
        """
        self.notes = notes

    def set_layout(self, layout: Mapping[str, Any]) -> None:
        """Keep a visualizer's panels with the run, so that its figure can be redrawn.

        Args:
            layout: What JSON can hold; it takes the place of an earlier one.
        """
        _record(self._writer, layout=plain_value(layout, "layout"))

    def store(self) -> "Store":
        """The run's store, for questions; each answer holds every call that returned."""
        if self._store is None:
            from stepwell.store.store import Store  # noqa: PLC0415 (loads DuckDB when it is asked)

            self._store = Store(self._writer.location)
        return self._store

    def summary(self) -> "dict[str, MetricSummary]":
        """Current, least, greatest and mean value of each metric; see `Store.summary`."""
        return self.store().summary(self.id)

    def series(self, metric: str) -> "Series":
        """All points of one metric; see `Store.series`.

        Args:
            metric: The metric's name.

        Raises:
            MetricNotFoundError: If the run has no such metric.
        """
        return self.store().series(self.id, metric)

    def finish(
        self,
        status: str | int | None = None,
        message: str | None = None,
        *,
        exit_code: int | None = None,
        wait: bool = False,
    ) -> None:
        """End the run; a second call does nothing. Never raises.

        The end is recorded when this returns, and readers see it. It is in the database's
        file soon after, and once the program has ended.

        Args:
            status: `finished`, `failed` or `interrupted`; a number is an exit code. When
                absent, an exception that is on its way or being handled decides, then one
                that ended the thread or the notebook's cell that logged last; without
                any the run is `finished`. Any other text is warned about, and becomes the
                message of a finished run.
            message: Why it failed or was interrupted.
            exit_code: In place of a status: 0 is `finished`, all else `failed`.
            wait: Whether to wait until the run is in the file, for those who open it by
                other means; also where the run has ended before.
        """
        stated = exit_code if status is None else status
        end = stated_end(stated, open_runs.end_by_now(self))
        if message is not None:
            end = end._replace(message=as_text(message))
        open_runs.close_run(self._writer, end, wait=wait and not self.is_disabled)

    if not TYPE_CHECKING:  # which finds such a mistake by itself

        def __setattr__(self, name: str, value: object) -> None:
            if not name.startswith("_") and name not in _SETTABLE:
                raise AttributeError(
                    f"a run's {name} can't be set, only its {', '.join(_SETTABLE)}, and the"
                    f" keys of its config: run.config[{name!r}] = …"
                )
            object.__setattr__(self, name, value)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        open_runs.close_run(self._writer, describe_end(exc_value))

    def __reduce__(self) -> tuple[Any, ...]:
        writer = self._writer
        how = {
            "current_step": writer.current_step,
            "synchronous": writer.synchronous,
            "clock": writer.clock,
        }
        from copy import copy  # noqa: PLC0415 (for a run that is sent)

        facts = copy(self._config), self.tags, self.notes
        return _rejoin, (writer.location, writer.header, how, facts)


def _record(writer: RunWriter, **fields: Any) -> bool:
    """Record new values of a run's fields, or say that it has ended."""
    if writer.change(fields):
        return True
    what = next(iter(fields))
    verb = "were" if what in {"tags", "notes"} else "was"
    keys = f" ({', '.join(map(repr, fields['config']))[:80]})" if "config" in fields else ""
    warn_caller(
        f"the run {writer.header.name!r} has ended: its {what}{keys} {verb} not changed;"
        " stepwell.init(id=…, resume='must') goes on with it",
        StoreWarning,
    )
    return False


def _rejoin(
    location: Location,
    header: Header,
    how: dict[str, Any],
    facts: tuple[dict[str, Any], tuple[str, ...], str | None],
) -> Run:
    check_interpreter()
    prepare_folder(location)
    own = of_this_process(header)
    if own.machine != header.machine:
        how = {**how, "clock": None}  # each machine has a clock of its own
    writer = RunWriter(location, own, None, **how)
    run = Run(writer, *facts)
    open_runs.open_run(run, writer)
    return run
