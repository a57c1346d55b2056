"""A run as the training script holds it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from . import _session
from ._config import Config, plain_value
from ._location import Location
from ._writer import Recorder, RunWriter

if TYPE_CHECKING:
    from ._store import Store
    from ._values import MetricSummary, Series


class Run:
    """One training run, open for metrics. Made by `stepwell.init()`.

    As a context manager it ends with the block: `finished`, or `failed` with the
    exception's message. A run that is left behind is finished when it is collected, or
    when the program ends. Any thread may log; so may forked children, and processes to
    which the run was sent by `multiprocessing`.
    """

    def __init__(
        self, writer: RunWriter, config: dict[str, Any], tags: Iterable[str]
    ) -> None:
        self._writer = writer
        self._config = Config(config, self._config_changed)
        self._tags = list(tags)
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

    @property
    def project(self) -> str | None:
        """The project that the run belongs to."""
        return self._writer.header.project

    @property
    def attempt(self) -> int:
        """1 for a new run, one more each time it was resumed."""
        return self._writer.header.attempt

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
    def config(self) -> Config:
        """The configuration; setting a key records it with the run."""
        return self._config

    @property
    def tags(self) -> tuple[str, ...]:
        """The run's tags."""
        return tuple(self._tags)

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
        if self._recorder is None:
            self._recorder = self._writer.recorder()
        self._recorder.log(metrics, step)

    update_metrics = log

    def recorder(self) -> Recorder:
        """A further front end of this run, with its own step counter."""
        return self._writer.recorder()

    def add_tags(self, *tags: str) -> None:
        """Add tags to the run."""
        self._tags.extend(tag for tag in map(str, tags) if tag not in self._tags)
        self._writer.change({"tags": self._tags})

    def set_notes(self, notes: str) -> None:
        """Replace the run's notes."""
        self._writer.change({"notes": str(notes)})

    def set_layout(self, layout: Mapping[str, Any]) -> None:
        """Keep a visualizer's panels with the run, so that its figure can be redrawn."""
        self._writer.change({"layout": plain_value(layout)})

    def store(self) -> "Store":
        """The run's store, for questions; each answer holds every call that returned."""
        if self._store is None:
            from ._store import Store  # noqa: PLC0415 (loads DuckDB when it is asked)

            self._store = Store(self._writer.location)
        return self._store

    def summary(self) -> "dict[str, MetricSummary]":
        """Current, least, greatest and mean value of each metric; see `Store.summary`."""
        return self.store().summary(self.id)

    def series(self, metric: str) -> "Series":
        """All points of one metric; see `Store.series`."""
        return self.store().series(self.id, metric)

    def finish(self, status: str = "finished", message: str | None = None) -> None:
        """End the run; a second call does nothing. Never raises.

        Args:
            status: `finished`, `failed` or `interrupted`.
            message: Why it failed or was interrupted.
        """
        _session.close_run(self._writer, status, message)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_value is None:
            self.finish()
        else:
            self.finish(*_session.describe_end(exc_value))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rejoin, (self._writer.location, self.id, self.rank)

    def _config_changed(self, values: dict[str, Any]) -> None:
        self._writer.change({"config": values})


def _rejoin(location: Location, run_id: str, rank: int) -> Run:
    from ._start import start_run  # noqa: PLC0415 (it imports this module)

    return start_run(id=run_id, resume="must", store=location, rank=rank)
