"""Runs that record nothing: everything works, and nothing is written anywhere."""

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stepwell.store.base.errors import ConfigurationError, MetricNotFoundError
from stepwell.store.base.run_clock import RunClock
from stepwell.store.files.location import Location, existing
from stepwell.store.inputs.metrics import shown
from stepwell.store.journal.format import Header

from .recorder import Recorder
from .run import Run
from .run_writer import RunWriter

if TYPE_CHECKING:
    from stepwell.store.store import Store
    from stepwell.store.values.metric_summary import MetricSummary
    from stepwell.store.values.series import Series

VARIABLE = "STEPWELL_MODE"
_MODES = {"online": False, "offline": False, "disabled": True}


def is_disabled(mode: object) -> bool:
    """Whether a run of *mode* records nothing; without one, `STEPWELL_MODE` says it.

    Raises:
        ConfigurationError: If there is no such mode.
    """
    given = os.environ.get(VARIABLE, "") or "online" if mode is None else mode
    if not isinstance(given, str) or given not in _MODES:
        where = f"{VARIABLE}=" if mode is None else "mode "
        raise ConfigurationError(
            f"{where}{shown(given)} is unknown; use 'online' or 'offline', which both"
            " record, or 'disabled'"
        )
    return _MODES[given]


class DisabledRun(Run):
    """A run that takes everything and keeps nothing."""

    @property
    def is_disabled(self) -> bool:
        """True: nothing is recorded."""
        return True

    def __repr__(self) -> str:
        return f"<Run {self.name!r} {self.id}, disabled>"

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Do nothing.

        Args:
            metrics: What would be recorded.
            step: The step at which it would be.
        """

    update_metrics = log

    def store(self) -> "Store":
        """The store that the run would have gone to, if it is there.

        Raises:
            StoreLocationError: If there is none.
        """
        existing(self._writer.location)
        return super().store()

    def summary(self) -> "dict[str, MetricSummary]":
        """Nothing."""
        return {}

    def series(self, metric: str) -> "Series":
        """No series.

        Args:
            metric: The metric's name.

        Raises:
            MetricNotFoundError: In any case.
        """
        raise MetricNotFoundError(metric, f"{self.name} (disabled)", ())

    def __reduce__(self) -> tuple[Any, ...]:
        from copy import copy  # noqa: PLC0415 (for a run that is sent)

        facts = copy(self._config), self.tags, self.notes
        return _again, (self._writer.location, self._writer.header, *facts)


def _again(
    location: Location,
    header: Header,
    config: dict[str, Any],
    tags: tuple[str, ...],
    notes: str | None,
) -> DisabledRun:
    return DisabledRun(DisabledWriter(location, header), config, tags, notes)


class DisabledWriter(RunWriter):
    """What the front ends of a disabled run share: a writer without a journal.

    Args:
        location: The store that would be written to.
        header: Who would write.
    """

    def __init__(self, location: Location, header: Header) -> None:
        self.location = location
        self.header = header
        self.lock = threading.RLock()
        self.first_step = self.current_step = -1
        self.synchronous = False
        self.is_open = True
        self.clock = RunClock()

    def ready(self) -> bool:
        """Whether the run has not ended."""
        return self.is_open

    def recorder(self) -> Recorder:
        """A front end that does nothing."""
        return _DisabledRecorder(self)

    def change(self, fields: dict[str, Any]) -> bool:
        """Do nothing; whether the run has not ended."""
        return self.is_open

    def finish(self, status: str, message: str | None) -> None:
        """End the run."""
        self.is_open = False

    def abandon(self) -> None:
        """End the run."""
        self.is_open = False


class _DisabledRecorder(Recorder):
    """A front end of a disabled run."""

    __slots__ = ()

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Do nothing."""
