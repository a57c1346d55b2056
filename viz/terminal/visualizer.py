"""The terminal visualizer that a training loop talks to."""

import operator
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from stepwell.store import (
    PLAIN_NUMBERS,
    End,
    Run,
    clean_metrics,
    describe_end,
    end_by_now,
    raise_if_of_handler,
    run_to_join,
    start_run,
)
from stepwell.viz.base.expert_metrics import expert_metric
from stepwell.viz.base.messages import warn
from stepwell.viz.base.shared_run import take_offered
from stepwell.viz.config.terminal_config import (
    TrainingSnapshot,
    VisualizationConfig,
    check_config,
)
from stepwell.viz.config.validation import check_whole_number

if TYPE_CHECKING:
    from .live_display import Display

_FIELDS = (
    "train_loss",
    "val_loss",
    "learning_rate",
    "aux_loss",
    "batch_size",
    "sequence_length",
    "gpu_memory_mb",
    "gradient_norm",
)
_fields_of = operator.attrgetter(*_FIELDS)
_MOST_FAMILIES = 1000
_SAY_NOTHING = frozenset({"", "Training", "Training with Dual Visualization"})


class RichTrainerVisualizer:
    """Records the snapshots of a training loop, and shows the run in the terminal.

    It joins the *run* that it is given, else the active one (see `stepwell.active_run`),
    else that of the plots' visualizer made just before it, which has recorded nothing
    yet; and otherwise starts a run of its own. A run of its own is finished by `close()`,
    or when the visualizer is left behind; a run that it joined goes on.

    Args:
        config: What is shown; a `VisualizationConfig` with its defaults when absent.
        run: The run to join.

    Raises:
        ConfigurationError: *config* can't be used; the message says why.
    """

    def __init__(
        self, config: VisualizationConfig | None = None, *, run: Run | None = None
    ) -> None:
        self._config = config if config is not None else VisualizationConfig()
        check_config(self._config)
        offered = take_offered()
        joined = run or run_to_join() or offered
        # A run of its own is only held here, so that it ends when this object does.
        self._run = joined or start_run(name=None)
        self._owns_run = joined is None
        self._recorder = self._run.recorder()
        self._log = self._recorder.log
        self._names: dict[tuple[Any, ...], tuple[str, ...]] = {}
        self._say: Callable[[int, Mapping[str, float]], None] | None = None
        self._display: Display | None = None
        self._is_started = False
        self._is_closed = False

    @property
    def run(self) -> Run:
        """The run that takes the metrics."""
        return self._run

    @property
    def config(self) -> VisualizationConfig:
        """What is shown."""
        return self._config

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open"
        return f"<RichTrainerVisualizer of run {self._run.name!r}, {state}>"

    def start(self, total_steps: int | None = None, description: str = "Training") -> None:
        """Begin to show the run.

        Args:
            total_steps: Steps in all, kept in the run's configuration as `total_steps`;
                None when that is not known.
            description: What is trained, for the head of the view.

        Raises:
            ConfigurationError: *total_steps* is no whole number of 1 or more.
        """
        if total_steps is not None:
            check_whole_number("total_steps", total_steps)
            self._run.config["total_steps"] = int(total_steps)
        if self._is_closed or self._run.is_disabled:
            return
        self._is_started = True
        if self._display is not None:
            self._display.close("running")
        try:
            self._display = self._open_display(str(description))
        except Exception as error:  # noqa: BLE001 (the training goes on without)
            raise_if_of_handler(error)
            self._display = None
            warn(f"there is no terminal view: {type(error).__name__}: {error}")
        self._say = self._display.say if self._display is not None else None

    def update(self, snapshot: TrainingSnapshot) -> None:
        """Record *snapshot*; when this returns, it survives the death of the process.

        Args:
            snapshot: One step. What it has of None is absent.
        """
        if not self._is_started:
            if self._run.is_disabled:
                return
            self.start()
        try:
            metrics = self._metrics_of(snapshot)
        except Exception as error:  # noqa: BLE001 (the training goes on)
            raise_if_of_handler(error)
            kind = type(snapshot).__name__
            warn(f"a snapshot ({kind}) can't be recorded: {type(error).__name__}: {error}")
            return
        if not PLAIN_NUMBERS.issuperset(map(type, metrics.values())):
            values, problems = clean_metrics(metrics)
            if not problems:
                metrics = values
            self._log(metrics, snapshot.step)
            metrics = values
        else:
            self._log(metrics, snapshot.step)
        if self._say is not None:
            step = snapshot.step
            self._say(step if type(step) is int else self._recorder.last_step, metrics)

    def close(self) -> None:
        """Show the last state, and finish the run if it is the visualizer's own.

        While an exception is on its way, that is what the run ends by. A second call does
        nothing.
        """
        self._close(end_by_now(self._run))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close(describe_end(exc_value))

    def _close(self, end: End) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._say = None
        if self._display is not None:
            self._display.close(end.status)
        if self._owns_run:
            self._run.finish(*end)

    def _open_display(self, description: str) -> "Display | None":
        if self._run.rank > 0:
            return None  # the first process shows the run
        from stepwell.viz.base.stored_progress import past_of  # noqa: PLC0415

        from .live_display import Display, Subject, taking_terminal  # noqa: PLC0415
        from .screens import open_screen  # noqa: PLC0415 (loads Rich)

        name = self._run.name
        title = name if description in _SAY_NOTHING else f"{description} · {name}"
        past = past_of(self._run, self._recorder.seconds)
        subject = Subject(title, name, self._run.id, self._run.config, past)
        with taking_terminal():
            screen = open_screen(self._config)
            if screen is None:
                return None
            display = Display(subject, self._config, screen)
            display.start()
        weakref.finalize(self, display.close_left_behind)
        return display

    def _metrics_of(self, snapshot: TrainingSnapshot) -> dict[str, Any]:
        metrics: dict[str, Any] = {}
        for name, value in zip(_FIELDS, _fields_of(snapshot)):  # noqa: B905 (strict costs)
            if value is not None:
                metrics[name] = value
        experts = snapshot.expert_utilization
        if experts is not None and len(experts):
            is_mapping = type(experts) is dict or isinstance(experts, Mapping)
            # The names of a set of experts are made once: this runs in each step of the
            # loop.
            key = tuple(experts) if is_mapping else tuple(range(len(experts)))
            names = self._names.get(key) or self._named(key)
            loads = experts.values() if is_mapping else experts  # type: ignore[union-attr]
            metrics.update(zip(names, loads))  # noqa: B905
        custom = snapshot.custom_metrics
        if custom:
            if metrics.keys().isdisjoint(custom):
                metrics.update(custom)
            else:
                metrics = {**custom, **metrics}
        return metrics

    def _named(self, experts: tuple[Any, ...]) -> tuple[str, ...]:
        """The metrics of *experts*, made once for each set of them."""
        if len(self._names) >= _MOST_FAMILIES:
            self._names.clear()
        names = self._names[experts] = tuple(map(expert_metric, experts))
        return names
