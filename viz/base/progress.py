"""How far and how fast a run is: the rules and values that all its views share."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

STEP_KEYS = (
    "total_steps",
    "max_steps",
    "train_steps",
    "num_train_steps",
    "max_train_steps",
    "num_training_steps",
    "total_timesteps",
    "total_iterations",
    "max_iterations",
    "total_iters",
    "max_iters",
)
"""Keys of a configuration that say how many steps a run takes; the first counts."""

EPOCH_KEYS = ("epochs", "max_epochs", "num_epochs", "n_epochs", "num_train_epochs")
"""Keys that say how many epochs it takes."""

PER_EPOCH_KEYS = ("steps_per_epoch", "iters_per_epoch", "batches_per_epoch")
"""Keys that say how many steps an epoch has."""

_SECTIONS = ("training", "train", "trainer")
_RECENT_SHARE = 0.2
_RECENT_SECONDS = (30.0, 600.0)  # at least, at most
_PAUSE = 10.0  # times what the steps should have taken
_TOO_SHORT = 1e-3

MOST_TIMES = 512
"""Pairs of a time and a step that a view keeps of a run."""

Times = Sequence[tuple[float, int]]
"""Seconds since a run's start and the greatest step then, in order."""

_seconds = itemgetter(0)
_step = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far and how fast a run is.

    Attributes:
        done: Steps done; None before the first.
        total: Steps in all, where the configuration says so.
        elapsed: Seconds since the start.
        rate: Steps a second, lately; None before it is known.
        samples: Samples a second.
        tokens: Tokens a second.
        is_running: Whether the run goes on.
    """

    done: int | None = None
    total: int | None = None
    elapsed: float = 0.0
    rate: float | None = None
    samples: float | None = None
    tokens: float | None = None
    is_running: bool = True

    @property
    def share(self) -> float | None:
        """Share of the steps that is done, 0.0 to 1.0; None without a total."""
        if not self.total or self.done is None:
            return None
        return min(max(self.done / self.total, 0.0), 1.0)

    @property
    def percent(self) -> int | None:
        """The share in whole percent; 100 only when all is done."""
        if not self.total or self.done is None:
            return None
        return min(max(100 * self.done // self.total, 0), 100)

    @property
    def remaining(self) -> float | None:
        """Seconds that the rest takes at this rate; None where that is not known."""
        if not self.is_running or not self.total or self.done is None or not self.rate:
            return None
        return max(self.total - self.done, 0) / self.rate


NOT_BEGUN = Progress()


def total_steps(config: Mapping[str, object]) -> int | None:
    """How many steps a run with *config* will take, where that says so.

    A key of `STEP_KEYS`, or one of `EPOCH_KEYS` times one of `PER_EPOCH_KEYS`, at the top
    or in a section called training, train or trainer. What is below 1, or no whole number,
    says nothing: -1 is no limit in many tools.
    """
    total = _total_of(config)
    for name in _SECTIONS if total is None else ():
        section = config.get(name)
        if isinstance(section, Mapping):
            total = total or _total_of(section)
    return total


def _total_of(config: Mapping[str, object]) -> int | None:
    total = _first_count(config, STEP_KEYS)
    if total is None and (epochs := _first_count(config, EPOCH_KEYS)):
        steps = _first_count(config, PER_EPOCH_KEYS)
        total = epochs * steps if steps else None
    return total


def _first_count(config: Mapping[str, object], names: Sequence[str]) -> int | None:
    for name in names:
        count = config.get(name)
        if isinstance(count, float) and count.is_integer():
            count = int(count)  # 1e5, as people write it
        # True is an int, too, and says nothing of a count.
        if isinstance(count, int) and not isinstance(count, bool) and count > 0:
            return count
    return None


def steps_done(first: int | None, last: int | None) -> int | None:
    """How many steps are done, by the first and the last; loops count from 0 or 1."""
    if last is None:
        return None
    return last + 1 if first == 0 else last


def steps_per_second(times: Times) -> float | None:
    """Steps a second lately; None where too little is known.

    That is over the newest fifth of the run, but at least 30 seconds and at most ten
    minutes of it: soon right after a change, and steady while a validation is made. Where
    only one step was made in that time, it counts from the one before; but not over a
    pause, such as that before a run was resumed.
    """
    if not times:
        return None
    now, step = times[-1]
    behind = bisect_left(times, step, key=_step) - 1  # the newest with a lower step
    if behind < 0:
        return None
    # A fifth of a short run is too little to tell a rate by, and a fifth of a week would
    # hide that the run has become slow.
    least, most = _RECENT_SECONDS
    recent = min(max((now - times[0][0]) * _RECENT_SHARE, least), most)
    begin = bisect_left(times, now - recent, key=_seconds)
    if begin > behind:
        begin = behind
        usual = _rate(times[0], times[behind])
        gap = times[behind + 1][0] - times[behind][0]
        if usual and gap > _PAUSE * (times[behind + 1][1] - times[behind][1]) / usual:
            return usual
    return _rate(times[begin], times[-1])


def _rate(first: tuple[float, int], last: tuple[float, int]) -> float | None:
    seconds, steps = last[0] - first[0], last[1] - first[1]
    return steps / seconds if steps > 0 and seconds >= _TOO_SHORT else None


class StepTimes:
    """When a run came to its steps: few pairs, the thinner the older they are."""

    def __init__(self, times: Times = ()) -> None:
        self._times = list(times)

    def add(self, seconds: float, step: int) -> None:
        """Take note that the greatest step was *step* then."""
        times = self._times
        while times and times[-1][1] > step:
            times.pop()  # a later attempt went on from there
        if not times or (seconds, step) > times[-1]:
            times.append((seconds, step))
        if len(times) > MOST_TIMES:
            # Of the older half every second one stays: the rate needs the newest closely,
            # of the rest only its course. So memory is bounded, however long the run.
            times[: MOST_TIMES // 2] = times[: MOST_TIMES // 2 : 2]

    @property
    def rate(self) -> float | None:
        """Steps a second lately; see `steps_per_second`."""
        return steps_per_second(self._times)

    @property
    def newest(self) -> float | None:
        """Seconds from the run's start to its newest step."""
        return self._times[-1][0] if self._times else None

    @property
    def pairs(self) -> Times:
        """Seconds and steps, as far as they are kept."""
        return tuple(self._times)


@dataclass(frozen=True, slots=True)
class Past:
    """What a run had done before a view of it began.

    Attributes:
        seconds: Since the run's start.
        first_step: Its first step.
        times: When it came to its steps.
    """

    seconds: float = 0.0
    first_step: int | None = None
    times: Times = ()

    @property
    def last_step(self) -> int | None:
        """Its greatest step."""
        return self.times[-1][1] if self.times else None


NO_PAST = Past()


def throughput(
    rate: float | None, batch_size: float | None, sequence_length: float | None
) -> tuple[float | None, float | None]:
    """Samples and tokens a second, where they are known."""
    samples = rate * batch_size if rate and batch_size else None
    return samples, samples * sequence_length if samples and sequence_length else None
