"""The live view of a run: takes what the loop says, and shows it from its own thread."""

import contextlib
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from stepwell.store import before_termination
from stepwell.viz.base.metric_names import is_loss
from stepwell.viz.base.progress import NO_PAST, Past
from stepwell.viz.config.terminal_config import VisualizationConfig
from stepwell.viz.terminal.render.view import Alarm, MetricRow, SystemItem, TerminalView

from .running_values import Entry, Tally
from .screens import Screen
from .system import SystemProbe

_MOST_WAITING = 50_000  # updates between two looks; of more, the newest are seen
_IDLE_SECONDS = 1.0  # between two looks while nothing is said
_SHARE = 0.01  # of the time, at most: the loop needs the interpreter, too
_LOCK_SECONDS = 2.0
_LINE_METRICS = 8

# Weak, or a visualizer's display would never be collected when it is left behind.
_current: "weakref.ref[Display] | None" = None
# Held across a fork, so that the child never inherits it locked by a thread that it does
# not have.
_terminal = threading.RLock()
os.register_at_fork(
    before=_terminal.acquire,
    after_in_parent=_terminal.release,
    after_in_child=_terminal.release,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a display is about.

    Attributes:
        title: What the run is called.
        run_name: The run's name.
        run_id: The run's id.
        config: The run's configuration, which may say how many steps there are in all.
        past: What the run had done before.
    """

    title: str
    run_name: str
    run_id: str
    config: Mapping[str, object]
    past: Past = NO_PAST


class Display:
    """Shows a run while it records. Never raises, and never makes the loop wait.

    Args:
        subject: What it is about.
        config: What is shown.
        screen: Where.
        clock: Gives seconds; `time.monotonic`.
    """

    def __init__(
        self,
        subject: Subject,
        config: VisualizationConfig,
        screen: Screen,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subject = subject
        self._config = config
        self._screen = screen
        self._clock = clock
        self._waiting: deque[Entry] = deque(maxlen=_MOST_WAITING)
        # Appending to a deque is atomic, so the loop takes no lock and never waits for the
        # view.
        self._say = self._waiting.append
        self._tally = Tally(clock(), config.table_update_interval, subject.past)
        self._probe = SystemProbe() if config.show_system_metrics else None
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._owner = os.getpid()
        self._shown = -1e9

    @property
    def is_open(self) -> bool:
        """Whether it still shows something."""
        return not self._over.is_set() and self._owner == os.getpid()

    def say(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take note of an update; it is looked at later."""
        self._say((step, metrics))

    def start(self) -> None:
        """Show it from a thread of its own, instead of any other display."""
        global _current  # noqa: PLW0603 (a terminal has room for one)
        with taking_terminal():
            _current = weakref.ref(self)
            self._forget = before_termination(lambda _: self.close("interrupted"))
            self._thread = threading.Thread(target=self._run, name="stepwell-terminal")
            self._thread.daemon = True
            self._thread.start()

    def _run(self) -> None:
        pause = self._screen.period
        while not self._over.wait(pause):
            with self._lock:
                # It may have been closed while this thread waited for the lock. The last
                # frame is drawn then, and the terminal given back.
                if self._over.is_set():
                    return
                # Processor time, as the thread often waits for the interpreter, which costs
                # nobody.
                began = time.thread_time()
                self.tick()
            cost = time.thread_time() - began
            pause = min(max(self._screen.period, cost / _SHARE), _IDLE_SECONDS)

    def tick(self) -> None:
        """Take in what was said, and show it if there is something to see."""
        now = self._clock()
        if not self._take(now) and now - self._shown < _IDLE_SECONDS:
            return
        self._shown = now
        with contextlib.suppress(Exception):  # a view's error must not end a training
            try:
                self._screen.show(self.view())
            except Exception as error:  # noqa: BLE001 (say it in the view itself)
                self._screen.show(self._bare(error))

    def _take(self, now: float) -> bool:
        waiting = self._waiting
        entries: list[Entry] = []
        with contextlib.suppress(IndexError):
            # As many as there were at first: a fast loop would keep this one busy for ever.
            for _ in range(len(waiting)):
                entries.append(waiting.popleft())
        with contextlib.suppress(Exception):  # values that are no numbers, for instance
            self._tally.take(entries, now)
        return bool(entries)

    def view(self, status: str = "running") -> TerminalView:
        """What there is to show now."""
        config, subject, tally = self._config, self._subject, self._tally
        now = self._clock()
        rows = tally.table
        system, rows = self._system(now, rows)
        losses = [row for row in rows if is_loss(row.name)]
        alarms = tally.alarms(now, config.stall_seconds)
        return TerminalView(
            subject.title,
            subject.run_name,
            subject.run_id,
            status,
            tally.progress(now, subject.config, is_running=status == "running"),
            rows if config.show_tables else None,
            tuple(tally.newest.items())[:_LINE_METRICS],
            tally.table_note,
            tally.experts() if config.show_expert_utilization else None,
            losses[0] if losses and config.show_chart and config.show_tables else None,
            system,
            alarms if status == "running" else tuple(a for a in alarms if a.is_severe),
            has_bar=config.show_progress_bar,
            has_throughput=config.show_throughput,
        )

    def _system(
        self, now: float, rows: tuple[MetricRow, ...]
    ) -> tuple[tuple[SystemItem, ...], tuple[MetricRow, ...]]:
        """The machine's measurements, with the GPU memory that the loop has said."""
        if self._probe is None:
            return (), rows
        items = self._probe.items(now)
        said = [row for row in rows if row.name == "gpu_memory_mb"]
        if said:
            items += (SystemItem("gpu memory", f"{said[0].last / 1024:.2f} GiB"),)
        return items, tuple(row for row in rows if row.name != "gpu_memory_mb")

    def _bare(self, error: Exception) -> TerminalView:
        return TerminalView(
            self._subject.title,
            self._subject.run_name,
            self._subject.run_id,
            rows=None,
            newest=tuple(self._tally.newest.items())[:_LINE_METRICS],
            alarms=(Alarm(f"the view failed: {type(error).__name__}: {error}"),),
        )

    def close(self, status: str = "finished") -> None:
        """Show how the run ended, and leave the terminal as it was; twice is once."""
        if self._owner != os.getpid():
            return
        with _holding_terminal():
            if not self._over.is_set():
                self._over.set()
                self._close(status)

    def _close(self, status: str) -> None:
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_LOCK_SECONDS)
            self._forget()
        # The view's thread may hang in a write to a terminal that nobody reads, stopped by
        # Ctrl-S for instance. The end of a training does not wait for it.
        is_mine = self._lock.acquire(timeout=_LOCK_SECONDS)
        try:
            with contextlib.suppress(Exception):  # the training goes on
                self._take(self._clock())
                self._tally.finish_table()
            try:
                last = self.view(status)
            except Exception as error:  # noqa: BLE001 (as above)
                last = replace(self._bare(error), status=status)
            with contextlib.suppress(Exception):
                self._screen.close(last)
        finally:
            if is_mine:
                self._lock.release()

    def close_left_behind(self) -> None:
        """Close it when nobody holds it any more, or the program ends."""
        error = getattr(sys, "last_value", None)
        ended = "finished" if error is None else "failed"
        self.close("interrupted" if isinstance(error, KeyboardInterrupt) else ended)


@contextlib.contextmanager
def _holding_terminal() -> Iterator[None]:
    """One thread after the other; none waits for long, whatever another one does."""
    is_mine = _terminal.acquire(timeout=_LOCK_SECONDS)
    try:
        yield
    finally:
        if is_mine:
            _terminal.release()


@contextlib.contextmanager
def taking_terminal() -> Iterator[None]:
    """Close the display that is open, and let no other thread open one meanwhile."""
    with _holding_terminal():
        other = current_display()
        if other is not None:
            other.close("running")
        yield


def current_display() -> Display | None:
    """The display that is open in this process."""
    display = _current() if _current is not None else None
    return display if display is not None and display.is_open else None
